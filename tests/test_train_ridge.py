from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from pipeline import train_ridge
from pipeline.edges.model import BOTH_WEIGH
from pipeline.train_ridge import (
    IN_LIKENESS,
    IN_WORDS,
    WORDS_WEIGH,
    InWords,
    Pairs,
    and_without,
    by_likeness,
    by_words,
    likeness,
)

RNG = np.random.default_rng(1)
WORDS = csr_matrix(RNG.random((44, 30)) * (RNG.random((44, 30)) > 0.6), dtype=np.float32)
POINTS = (lambda points: points / np.linalg.norm(points, axis=1, keepdims=True))(RNG.normal(size=(44, 8))).astype(np.float32)
TOPICS = RNG.normal(size=(44, 3)).astype(np.float32)
ALIKE = likeness(WORDS, POINTS, TOPICS)
FULL = ALIKE.rows(np.arange(44))
TARGETS = RNG.integers(0, 2, size=(44, 5)).astype(np.float32)
TARGETS[40:, 2:] = np.nan  # lessons, of which only the first two columns are known


def unheard(done: float) -> None:
    """Nobody asks how far it is."""


def test_likeness_is_the_same_in_portions_and_in_one_piece(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(train_ridge, "_PORTION", 5)
    assert np.array_equal(likeness(WORDS, POINTS, TOPICS).steps, ALIKE.steps)
    assert np.array_equal(ALIKE.steps, ALIKE.steps.T)


def test_likeness_is_kept_to_half_a_step():
    near = np.exp(2 * POINTS @ POINTS.T - 2) * (1 + BOTH_WEIGH * TOPICS @ TOPICS.T)
    exact = near + WORDS_WEIGH * (WORDS @ WORDS.T).toarray()
    assert np.abs(exact - FULL).max() < 0.51 * ALIKE.step
    assert FULL.max() > 1000 * ALIKE.step


def test_what_is_learnt_reads_the_same_in_portions_and_in_one_piece(monkeypatch: pytest.MonkeyPatch):
    learnt = by_likeness(ALIKE, TARGETS)
    whole = learnt.read(ALIKE, np.arange(44), slice(1, 4))
    monkeypatch.setattr(train_ridge, "_PORTION", 5)
    assert np.allclose(learnt.read(ALIKE, np.arange(44), slice(1, 4)), whole, atol=1e-5)


@pytest.mark.parametrize("landmarks", [1, 10, 44])
def test_likeness_is_learnt_from_as_scikit_learn_does(landmarks: int):
    exactly = IN_LIKENESS._replace(close=1e-5, landmarks=landmarks)
    peer = KernelRidge(alpha=0.25, kernel="precomputed").fit(FULL[:40, :40], TARGETS[:40] - TARGETS[:40].mean(axis=0))
    expected = peer.predict(FULL[40:, :40]) + TARGETS[:40].mean(axis=0)
    learnt = by_likeness(ALIKE.among(np.arange(40)), TARGETS[:40], way=exactly)
    others = Pairs(ALIKE.steps[:, :40], ALIKE.step)
    assert np.allclose(learnt.read(others, np.arange(40, 44), slice(0, 5)), expected, atol=1e-3)


@pytest.mark.parametrize("landmarks", [1, 10, 40])
def test_words_are_learnt_from_exactly_enough(landmarks: int):
    learnt = by_words(WORDS[:40], TARGETS[:40], way=IN_WORDS._replace(close=1e-5, landmarks=landmarks))
    mean = TARGETS[:40].mean(axis=0)
    exact = Ridge(alpha=0.5, fit_intercept=False).fit(WORDS[:40].toarray(), TARGETS[:40] - mean)
    expected = exact.predict(WORDS[40:].toarray()) + mean
    assert np.allclose(learnt.read(WORDS, np.arange(40, 44), slice(0, 5)), expected, atol=1e-3)
    assert np.allclose(learnt.weights, exact.coef_.T, atol=1e-3)


def test_likeness_is_multiplied_the_same_in_pieces_and_in_one(monkeypatch: pytest.MonkeyPatch):
    columns = RNG.normal(size=(44, 9)).astype(np.float32)
    whole = ALIKE.times(columns)
    assert np.allclose(whole, FULL @ columns, atol=1e-3)
    monkeypatch.setattr(train_ridge, "_ACROSS", 7)
    assert np.allclose(ALIKE.times(columns), whole, atol=1e-3)


def test_words_are_multiplied_the_same_in_portions_and_in_one_piece(monkeypatch: pytest.MonkeyPatch):
    alike, columns = InWords.of(WORDS), RNG.normal(size=(44, 9)).astype(np.float32)
    whole = alike.times(columns)
    assert np.allclose(whole, (WORDS @ WORDS.T) @ columns, atol=1e-4)
    monkeypatch.setattr(train_ridge, "_COLUMNS", 4)
    assert np.array_equal(alike.times(columns), whole)


LEARNERS = [
    (partial(by_likeness, way=IN_LIKENESS._replace(close=1e-6)), ALIKE),
    (partial(by_words, way=IN_WORDS._replace(close=1e-6)), WORDS),
]


@pytest.mark.parametrize(("learner", "known"), LEARNERS)
def test_what_a_text_does_not_say_teaches_nothing_about_it(learner: train_ridge.Learner, known: Any):
    """The columns that it has no label for are learnt as if it was not there."""
    others = TARGETS.copy()
    others[40:, :2] = np.nan
    without = learner(known, others, unheard).read(known, np.arange(40), slice(0, 5))
    learnt = learner(known, TARGETS, unheard).read(known, np.arange(40), slice(0, 5))
    assert np.allclose(without[:, 2:], learnt[:, 2:], atol=1e-4)
    assert not np.allclose(without[:, :2], learnt[:, :2], atol=1e-3)


def test_what_few_texts_are_asked_is_learnt_from_their_pairs_as_from_all(monkeypatch: pytest.MonkeyPatch):
    exactly = IN_LIKENESS._replace(close=1e-6)
    wanted = TARGETS.copy()
    wanted[5:40, 1:3] = np.nan
    apart = by_likeness(ALIKE, wanted, way=exactly)
    monkeypatch.setattr(train_ridge, "_SOME", 0.0)
    together = by_likeness(ALIKE, wanted, way=exactly)
    assert np.allclose(apart.weights, together.weights, atol=1e-4)
    assert apart.weights[:5, 1:3].all()
    assert not apart.weights[5:40, 1:3].any()


@pytest.mark.parametrize(("learner", "known"), LEARNERS)
def test_a_column_that_asks_nobody_says_nothing(learner: train_ridge.Learner, known: Any):
    wanted = np.hstack([TARGETS, np.full((44, 1), np.nan, dtype=np.float32)])
    learnt = learner(known, wanted, unheard)
    assert np.isfinite(learnt.weights).all()
    assert learnt.bias[5] == 0
    assert not learnt.weights[:, 5].any()


@pytest.mark.parametrize(("learner", "known"), LEARNERS)
def test_how_far_learning_is_goes_from_little_to_all(learner: train_ridge.Learner, known: Any):
    heard: list[float] = []
    learner(known, TARGETS, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_each_fold_is_learnt_without_what_it_is_asked_later():
    wanted = and_without(TARGETS, [np.arange(20), np.arange(20, 40)], np.zeros(5, dtype=bool))
    assert wanted.shape == (44, 15)
    assert np.array_equal(wanted[:, :5], TARGETS, equal_nan=True)
    assert np.isnan(wanted[:20, 5:10]).all()
    assert np.array_equal(wanted[20:, 5:10], TARGETS[20:], equal_nan=True)
    assert np.array_equal(wanted[40:, 10:], TARGETS[40:], equal_nan=True)


def test_what_is_asked_once_is_learnt_for_the_first_fold_alone():
    once = np.array([False, False, True, False, True])
    wanted = and_without(TARGETS, [np.arange(20), np.arange(20, 40)], once)
    assert wanted.shape == (44, 13)
    assert np.array_equal(wanted[20:, 5:10], TARGETS[20:], equal_nan=True)
    assert np.array_equal(wanted[40:, 10:], TARGETS[np.ix_(np.arange(40, 44), [0, 1, 3])], equal_nan=True)
