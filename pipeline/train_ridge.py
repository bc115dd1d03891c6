"""Ridge regression on labels: over words, which are many and sparse, and over how alike texts are, two by two.

`wanted` has a row for each text and a column for each thing that is asked of it; NaN where a text teaches a column nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from pipeline.core.counted import Flags, Floats
from pipeline.edges.model import BOTH_WEIGH, nearness

Rows = npt.NDArray[np.intp]
Steps = npt.NDArray[np.int16]
Heard = Callable[[float], None]  # hears how much of the work is done, from 0 to 1

WORDS_WEIGH = 2.0  # how much the likeness of words counts beside the likeness of meaning
_PASSES = 100
_TINY = np.float32(1e-37)
_SOME = 0.5  # so small a share of all texts is learnt from on its own
_PORTION = 256  # texts that are compared with all others at a time
_ACROSS = 1_024  # others that are multiplied at a time: so many steps stay near the processor
_COMMON = 256  # words
_COLUMNS = 32  # that are multiplied with words at a time


class Way(NamedTuple):
    """How weights are found: how much they are held back, how near the exact ones they come, and by how many landmarks.

    Landmarks are the texts through which all others are seen, roughly: more of them take longer and save passes over the pairs.
    """

    held_back: np.float32
    close: float
    landmarks: int


IN_WORDS = Way(held_back=np.float32(0.5), close=1e-2, landmarks=500)
IN_LIKENESS = Way(held_back=np.float32(0.25), close=5e-3, landmarks=2_000)


class Alike(Protocol):
    """How alike texts are, two by two: a symmetric table."""

    def seen(self, texts: Rows) -> Floats:
        """How alike all texts are to some."""

    def times(self, columns: Floats) -> Floats:
        """The table's product with columns."""

    def among(self, texts: Rows) -> Self:
        """How alike some texts are to each other."""


class Pairs(NamedTuple):
    """How alike texts are, two by two, as so many steps: there are as many as the square of the texts, so each is short."""

    steps: Steps
    step: np.float32

    def rows(self, texts: Rows) -> Floats:
        """How alike some texts are to all."""
        found: Floats = self.steps[texts] * self.step
        return found

    def seen(self, texts: Rows) -> Floats:
        """How alike all texts are to some."""
        found: Floats = self.steps[:, texts] * self.step
        return found

    def times(self, columns: Floats) -> Floats:
        """The table's product with columns."""
        return self.step * _multiplied(self.steps, columns)

    def among(self, texts: Rows) -> Pairs:
        """How alike some texts are to each other."""
        return self if len(texts) == len(self.steps) else Pairs(self.steps[np.ix_(texts, texts)], self.step)


class InWords(NamedTuple):
    """How alike texts are in their words: the products of their sparse rows, which are never written out."""

    words: Any
    back: Any  # the same with rows and columns changed

    @classmethod
    def of(cls, words: Any) -> InWords:
        """How alike the texts are whose words are the rows of this table."""
        return cls(words, words.T.tocsr())

    def seen(self, texts: Rows) -> Floats:
        """How alike all texts are to some."""
        found: Floats = (self.words @ self.words[texts].T).toarray()
        return found

    def times(self, columns: Floats) -> Floats:
        """The table's product with columns."""
        found = np.empty_like(columns)

        def multiply(start: int) -> None:
            part = slice(start, start + _COLUMNS)
            found[:, part] = self.words @ (self.back @ np.ascontiguousarray(columns[:, part]))

        _in_portions(multiply, columns.shape[1], _COLUMNS)
        return found

    def among(self, texts: Rows) -> InWords:
        """How alike some texts are to each other."""
        return self if len(texts) == self.words.shape[0] else InWords.of(self.words[texts])


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """What texts teach of each column: a weight for each word, or each text, and the column's mean."""

    weights: Floats
    bias: Floats

    def read(self, known: Any, texts: Rows, columns: slice) -> Floats:
        """What is said of some texts in some of the columns: `known` are the words of all, or how alike they are."""
        said = np.empty((len(texts), len(self.bias[columns])), dtype=np.float32)
        for start in range(0, len(texts), _PORTION):
            part = slice(start, start + _PORTION)
            some = known.rows(texts[part]) if isinstance(known, Pairs) else known[texts[part]]
            said[part] = some @ self.weights[:, columns] + self.bias[columns]
        return said


Learner = Callable[[Any, Floats, Heard], Learnt]  # learns from what is known of texts (words, likeness) what is wanted


def by_words(words: Any, wanted: Floats, heard: Heard = lambda done: None, way: Way = IN_WORDS) -> Learnt:
    """Learn from words, a sparse row for each text."""
    of_texts = _learnt(InWords.of(words), wanted, heard, way)
    return Learnt(weights=words.T @ of_texts.weights, bias=of_texts.bias)


def by_likeness(alike: Pairs, wanted: Floats, heard: Heard = lambda done: None, way: Way = IN_LIKENESS) -> Learnt:
    """Learn from how alike the texts are, two by two."""
    return _learnt(alike, wanted, heard, way)


def _learnt(alike: Alike, wanted: Floats, heard: Heard, way: Way) -> Learnt:
    """A weight for each text. What only some texts are asked is learnt from the pairs of these."""
    asked = ~np.isnan(wanted)
    bias = np.nansum(wanted, axis=0) / np.maximum(asked.sum(axis=0), 1)
    left: Floats = np.where(asked, wanted - bias, 0).astype(np.float32)
    weights = np.zeros_like(left)
    of_some = asked.mean(axis=0) < _SOME
    groups = [columns for columns in (np.flatnonzero(~of_some), np.flatnonzero(of_some)) if asked[:, columns].any()]
    for number, columns in enumerate(groups):
        texts = np.flatnonzero(asked[:, columns].any(axis=1))
        of = np.ix_(texts, columns)
        hears = _share(heard, number, len(groups))
        weights[of] = _solved(alike.among(texts), asked[of], left[of], hears, way)
    return Learnt(weights=weights, bias=bias.astype(np.float32))


def _share(heard: Heard, number: int, total: int) -> Heard:
    """Who hears of one of so many equal parts of the work."""
    return lambda done: heard((number + done) / total)


def _solved(alike: Alike, asked: Flags, left: Floats, heard: Heard, way: Way) -> Floats:
    """The weights of the texts that leave nothing of `left`, which is 0 where a text is not asked.

    All columns at once by conjugate gradients, preconditioned by what landmarks tell (Frangella, Tropp and Udell 2023,
    "Randomized Nystroem Preconditioning"): some ten passes over all pairs, where exact solutions would take the cube.
    """
    roughly = _by_landmarks(alike, asked, way)
    weights = np.zeros_like(left)
    solved = roughly(left)
    ahead, measured, first = solved, _squares(left, solved), float(np.linalg.norm(left))
    for _ in range(_PASSES):
        how_near = float(np.linalg.norm(left)) / first if first else 0.0
        heard(min(np.log(max(how_near, way.close)) / np.log(way.close), 1.0))
        if how_near <= way.close:
            break
        found: Floats = np.where(asked, alike.times(ahead) + way.held_back * ahead, 0)
        step = measured / np.maximum(_squares(ahead, found), _TINY)
        weights += step * ahead
        left -= step * found
        solved = roughly(left)
        ahead = solved + (_squares(left, solved) / np.maximum(measured, _TINY)).astype(np.float32) * ahead
        measured = _squares(left, solved)
    return weights


def _by_landmarks(alike: Alike, asked: Flags, way: Way) -> Callable[[Floats], Floats]:
    """Rough solutions for columns, each over the texts that it asks, as far as landmarks see them."""
    count = len(asked)
    landmarks = np.unique(np.linspace(0, count - 1, min(way.landmarks, count)).astype(np.intp))
    seen = alike.seen(landmarks)
    among = way.held_back * seen[landmarks]
    among.flat[:: landmarks.size + 1] += np.float32(1e-4) * np.trace(among)
    together = _asked_alike(asked)
    kinds, of_kind = np.unique(asked[:, [columns[0] for columns in together]], axis=0, return_inverse=True)
    # Texts that the same columns ask are summed once, whatever the number of these columns.
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        sums = list(cores.map(lambda part: part.T @ part, (seen[of_kind.ravel() == kind] for kind in range(len(kinds)))))
    factors = [
        cho_factor(among + sum(each for each, kind in zip(sums, kinds, strict=True) if kind[number]), lower=True)
        for number in range(len(together))
    ]

    def roughly(left: Floats) -> Floats:
        through = _multiplied(seen.T, left)
        for columns, factor in zip(together, factors, strict=True):
            through[:, columns] = cho_solve(factor, through[:, columns], check_finite=False)
        return np.where(asked, (left - _multiplied(seen, through)) / way.held_back, 0)

    return roughly


def _squares(some: Floats, others: Floats) -> Floats:
    """The product of each column with its like."""
    found: Floats = np.einsum("ij,ij->j", some, others)
    return found


def _multiplied(table: Floats | Steps, columns: Floats) -> Floats:
    """Their product, on all cores. How many threads share a sum decides its last digits, so each portion has one of its own."""
    found = np.zeros((len(table), columns.shape[1]), dtype=np.float32)

    def multiply(start: int) -> None:
        some, sums = table[start : start + _ACROSS], found[start : start + _ACROSS]
        for begins in range(0, len(columns), _ACROSS):
            part = slice(begins, begins + _ACROSS)
            sums += some[:, part].astype(np.float32, copy=False) @ columns[part]

    _in_portions(multiply, len(table), _ACROSS)
    return found


def _asked_alike(asked: Flags) -> list[Rows]:
    """The columns, those together that ask the same texts."""
    together: dict[bytes, list[int]] = {}
    for column, texts in enumerate(asked.T):
        together.setdefault(texts.tobytes(), []).append(column)
    return [np.array(columns) for columns in together.values()]


def and_without(targets: Floats, unseen: Sequence[Rows], once: Flags) -> Floats:
    """The targets, and beside them, for each of `unseen`, the same as if those texts taught nothing.

    The columns that are asked but `once` stand beside the first of them alone.
    """
    found = [targets]
    for number, rows in enumerate(unseen):
        rest = targets[:, ~once].copy() if number else targets.copy()
        rest[rows] = np.nan
        found.append(rest)
    return np.hstack(found)


def likeness(words: Any, points: Floats, topics: Floats) -> Pairs:
    """How alike texts are, two by two: in their words, and in their meaning, where what is about the same counts more."""
    most = 1 + BOTH_WEIGH * (topics * topics).sum(axis=1).max() + WORDS_WEIGH * words.multiply(words).sum(axis=1).max()
    step = np.float32(most / np.iinfo(np.int16).max)
    alike = np.empty((len(points), len(points)), dtype=np.int16)
    common, rare = _split(words)

    def compare(start: int) -> None:
        part, rest = slice(start, start + _PORTION), slice(start, None)
        about = topics[part] @ topics[rest].T
        about *= BOTH_WEIGH
        about += 1
        about *= nearness(points[part], points[rest])
        about += WORDS_WEIGH * (common[part] @ common[rest].T)
        about += WORDS_WEIGH * (rare[part] @ rare[rest].T).toarray()
        alike[part, rest] = np.rint(about / step)
        alike[rest, part] = alike[part, rest].T

    _in_portions(compare, len(points))
    return Pairs(alike, step)


def _split(words: Any) -> tuple[Floats, Any]:
    """The words that most texts have, which are quicker multiplied as a full table, and all others."""
    texts = np.bincount(words.indices, minlength=words.shape[1])
    by_use = np.argsort(-texts, kind="stable")
    columns = words.tocsc()
    return np.ascontiguousarray(columns[:, by_use[:_COMMON]].toarray()), columns[:, by_use[_COMMON:]].tocsr()


def _in_portions(work: Callable[[int], None], count: int, size: int | None = None) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for _ in cores.map(work, range(0, count, size or _PORTION)):
            pass
