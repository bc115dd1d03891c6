"""Ridge regression on one-hot labels: over words, which are many and sparse, and over how alike texts are, two by two."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular
from sklearn.linear_model import Ridge

from pipeline.edges.model import BOTH_WEIGH, Floats, nearness

Rows = npt.NDArray[np.intp]

WORDS_WEIGH = 2.0  # how much the likeness of words counts beside the likeness of meaning
_HELD_BACK_WORDS = 0.5
_HELD_BACK = 0.5
_CLOSE = 1e-5  # how near to the exact solution is near enough
_PORTION = 256  # texts that are compared with all others at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """What examples teach: a weight for each word, or for each of them, and label; each label's share; how others are read."""

    weights: Floats
    bias: Floats
    read: Callable[[Rows], Floats]


Learner = Callable[[Rows], Learnt]  # learns from these examples


def by_words(words: Any, targets: Floats, which: Rows) -> Learnt:
    """Learn from the words of these examples. A label is asked only of examples that have one: elsewhere it is NaN."""
    weights = np.zeros((words.shape[1], targets.shape[1]), dtype=np.float32)
    bias = np.zeros(targets.shape[1], dtype=np.float32)
    for columns in _asked_alike(targets[which]):
        rows = which[~np.isnan(targets[which, columns[0]])]
        ridge = Ridge(alpha=_HELD_BACK_WORDS, solver="sparse_cg", tol=_CLOSE).fit(words[rows], targets[np.ix_(rows, columns)])
        weights[:, columns], bias[columns] = np.atleast_2d(ridge.coef_).T, ridge.intercept_
    return Learnt(weights=weights, bias=bias, read=lambda others: words[others] @ weights + bias)


def by_likeness(alike: Floats, targets: Floats, together: Sequence[Rows], which: Rows) -> Learnt:
    """Learn from how alike these examples are.

    `together` are columns that ask the same examples; of those that the first of them asks, examples that another does not
    ask (NaN) come last.
    """
    weights = np.zeros((which.size, targets.shape[1]), dtype=np.float32)
    bias = np.zeros(targets.shape[1], dtype=np.float32)
    for columns in together:
        asked = np.flatnonzero(~np.isnan(targets[which, columns[0]]))
        rows = which[asked]
        wanted = targets[np.ix_(rows, columns)]
        bias[columns] = np.nanmean(wanted, axis=0)
        ridge = alike[np.ix_(rows, rows)]
        ridge.flat[:: rows.size + 1] += _HELD_BACK
        half = cholesky(ridge.T, lower=True, overwrite_a=True)  # symmetric, and as LAPACK lays it out: nothing is copied
        forward = solve_triangular(half, np.nan_to_num(wanted - bias[columns]), lower=True)
        # Zeros between the two solutions, in the last rows, give what leaving those rows out would have given.
        forward[np.isnan(wanted)] = 0
        weights[np.ix_(asked, columns)] = solve_triangular(half, forward, lower=True, trans="T")
    return Learnt(weights=weights, bias=bias, read=lambda others: alike[np.ix_(others, which)] @ weights + bias)


def _asked_alike(targets: Floats) -> list[Rows]:
    """The columns, those together that ask the same examples."""
    together: dict[bytes, list[int]] = {}
    for column, missing in enumerate(np.isnan(targets).T):
        together.setdefault(missing.tobytes(), []).append(column)
    return [np.array(columns) for columns in together.values()]


def by_fold(learner: Learner, folds: Sequence[tuple[Rows, Rows]], count: int) -> Iterator[tuple[Rows, Floats]]:
    """For each fold its examples, and what is said of them by all others; those beyond the folds are learnt from in each.

    A fold a core, each on one thread: how many threads share a sum decides its last digits.
    """
    beyond = np.arange(sum(unseen.size for _, unseen in folds), count)

    def of_fold(fold: tuple[Rows, Rows]) -> tuple[Rows, Floats]:
        return fold[1], learner(np.concatenate([fold[0], beyond])).read(fold[1])

    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as cores:  # two at a time, for each may take half a gigabyte
        yield from cores.map(of_fold, folds)


def likeness(words: Any, points: Floats, topics: Floats) -> Floats:
    """How alike texts are, two by two: in their words, and in their meaning, where what is about the same counts more."""
    alike = np.empty((len(points), len(points)), dtype=np.float32)

    def compare(start: int) -> None:
        part, rest = slice(start, start + _PORTION), slice(start, None)
        about = topics[part] @ topics[rest].T
        about *= BOTH_WEIGH
        about += 1
        about *= nearness(points[part], points[rest])
        about += WORDS_WEIGH * (words[part] @ words[rest].T).toarray()
        alike[part, rest], alike[rest, part] = about, about.T

    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for _ in cores.map(compare, range(0, len(points), _PORTION)):
            pass
    return alike
