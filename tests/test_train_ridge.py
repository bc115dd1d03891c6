from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from pipeline import train_ridge
from pipeline.train_ridge import by_fold, by_likeness, by_words, likeness

RNG = np.random.default_rng(1)
WORDS = csr_matrix(RNG.random((44, 30)) * (RNG.random((44, 30)) > 0.6), dtype=np.float32)
POINTS = (lambda points: points / np.linalg.norm(points, axis=1, keepdims=True))(RNG.normal(size=(44, 8))).astype(np.float32)
TOPICS = RNG.normal(size=(44, 3)).astype(np.float32)
ALIKE = likeness(WORDS, POINTS, TOPICS)
TARGETS = RNG.integers(0, 2, size=(44, 5)).astype(np.float32)
TARGETS[40:, 2:] = np.nan  # lessons, of which only the first two columns are known
ALL, KNOWN = np.arange(44), np.arange(40)
TOGETHER = [np.arange(5)]


def test_likeness_is_the_same_in_portions_and_in_one_piece(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(train_ridge, "_PORTION", 5)
    assert np.allclose(likeness(WORDS, POINTS, TOPICS), ALIKE, atol=1e-5)
    assert np.allclose(ALIKE, ALIKE.T, atol=1e-5)


def test_likeness_is_learnt_from_as_scikit_learn_does():
    learnt = by_likeness(ALIKE, TARGETS, TOGETHER, KNOWN)
    peer = KernelRidge(alpha=0.5, kernel="precomputed").fit(ALIKE[:40, :40], TARGETS[:40] - TARGETS[:40].mean(axis=0))
    expected = peer.predict(ALIKE[40:, :40]) + TARGETS[:40].mean(axis=0)
    assert np.allclose(learnt.read(np.arange(40, 44)), expected, atol=1e-3)


def test_words_are_learnt_from_exactly_enough():
    learnt = by_words(WORDS, TARGETS, KNOWN)
    exact = Ridge(alpha=0.5, solver="cholesky").fit(WORDS[:40].toarray(), TARGETS[:40])
    assert np.allclose(learnt.read(np.arange(40, 44)), exact.predict(WORDS[40:].toarray()), atol=1e-3)
    assert np.allclose(learnt.weights, exact.coef_.T, atol=1e-3)


@pytest.mark.parametrize(
    "learner", [lambda which: by_likeness(ALIKE, TARGETS, TOGETHER, which), lambda which: by_words(WORDS, TARGETS, which)]
)
def test_what_a_lesson_does_not_say_teaches_nothing_about_it(learner: train_ridge.Learner):
    """The columns that it has no label for are learnt as if it was not there."""
    without, learnt = learner(KNOWN).read(KNOWN), learner(ALL).read(KNOWN)
    assert np.allclose(without[:, 2:], learnt[:, 2:], atol=1e-4)
    assert not np.allclose(without[:, :2], learnt[:, :2], atol=1e-4)


def test_what_is_beyond_the_folds_is_learnt_from_in_each():
    heard: list[set[int]] = []

    def learner(which: train_ridge.Rows) -> train_ridge.Learnt:
        heard.append(set(which.tolist()))
        return by_words(WORDS, TARGETS, which)

    halves = [(np.arange(20, 40), np.arange(20)), (np.arange(20), np.arange(20, 40))]
    assert [unseen.tolist() for unseen, _ in by_fold(learner, halves, 44)] == [list(range(20)), list(range(20, 40))]
    lessons = {40, 41, 42, 43}
    assert sorted(heard, key=min) == [set(range(20)) | lessons, set(range(20, 40)) | lessons]
