"""Learn which sentence of a mail asks not to be written to any more. Labels are of whole mails; the sentence is found.

Farewells and thanks stand around such a sentence, so what is weighed over a whole mail takes them for one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.core.counted import Flags, Floats
from pipeline.edges.model import HARDLY, log_odds, runs, sentences

Rows = npt.NDArray[np.intp]

_SEEN_IN = 6  # a run of words counts if so many sentences have it
_FIRM_HAND = 10.0
_ROUNDS = 3  # of choosing the sentence that is meant, and learning from the chosen ones
_CLOSE = 1e-2
_NOTHING = 0.1  # a weight so small is none


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """Texts as their sentences: a sparse row each, of what runs of words it has; where each text begins, and whose each is."""

    rows: Any
    begins: Rows
    owner: Rows
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """What was learnt of sentences: a weight for each run of words."""

    weights: Floats
    bias: float


def read(texts: Sequence[str]) -> Read:
    """The texts as their sentences."""
    found = [list(map(runs, sentences(text))) for text in texts]
    counter = CountVectorizer(analyzer=list, min_df=min(_SEEN_IN, len(texts)), binary=True, dtype=np.float32)
    rows = counter.fit_transform([sentence for each in found for sentence in each])
    lengths = np.sqrt([max(len(sentence), 1) for each in found for sentence in each])
    counts = np.array([len(each) for each in found])
    return Read(
        rows=(diags(1 / lengths) @ rows).astype(np.float32).tocsr(),
        begins=np.concatenate([[0], np.cumsum(counts)[:-1]]),
        owner=np.repeat(np.arange(len(texts)), counts),
        names=tuple(counter.get_feature_names_out()),
    )


def teachable(wanted: Flags, folds: Sequence[tuple[Rows, Rows]]) -> bool:
    """Whether in each fold there is something to learn from: texts that ask for it, and others."""
    return all(wanted[seen].any() and not wanted[seen].all() for seen, _ in folds)


def learn(read: Read, wanted: Flags, texts: Rows) -> Sentence:
    """Learn from some of the texts: at first every sentence of a wanted one counts, then the one that says it best."""
    known = np.zeros(len(wanted), dtype=bool)
    known[texts] = True
    rows = np.flatnonzero(known[read.owner])
    others = rows[~wanted[read.owner[rows]]]
    sentence = _learnt(read, rows[wanted[read.owner[rows]]], others)
    for _ in range(_ROUNDS - 1):
        sentence = _learnt(read, _most_telling(read, sentence, texts[wanted[texts]]), others)
    return sentence


def _learnt(read: Read, meant: Rows, others: Rows) -> Sentence:
    """What tells these sentences from the others."""
    labels = np.repeat([True, False], [len(meant), len(others)])
    learner = LogisticRegression(C=_FIRM_HAND, solver="liblinear", tol=_CLOSE, random_state=0)
    learner.fit(read.rows[np.concatenate([meant, others])], labels)
    return Sentence(weights=learner.coef_[0].astype(np.float32), bias=float(learner.intercept_[0]))


def _most_telling(read: Read, sentence: Sentence, texts: Rows) -> Rows:
    """The sentence of each of these texts that says it best."""
    said = read.rows @ sentence.weights
    ends = np.append(read.begins[1:], read.rows.shape[0])
    return np.array([read.begins[text] + said[read.begins[text] : ends[text]].argmax() for text in texts], dtype=np.intp)


def highest(read: Read, sentence: Sentence) -> Floats:
    """For each text how much its most telling sentence says."""
    found: Floats = np.maximum.reduceat(read.rows @ sentence.weights + np.float32(sentence.bias), read.begins)
    return found


def held_out(read: Read, wanted: Flags, folds: Sequence[tuple[Rows, Rows]]) -> Floats:
    """For each text how much its most telling sentence says, to who has not seen its fold."""

    def of(fold: tuple[Rows, Rows]) -> Floats:
        return highest(read, learn(read, wanted, fold[0]))[fold[1]]

    found = np.zeros(len(wanted), dtype=np.float32)
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as cores:
        for (_, unseen), said in zip(folds, cores.map(of, folds), strict=True):
            found[unseen] = said
    return found


def balance(likely: Floats, said: Floats, wanted: Flags) -> Floats:
    """What the whole mail and its most telling sentence weigh against each other: see `with_sentences`."""
    near = np.flatnonzero(likely >= HARDLY)
    if len(set(wanted[near].tolist())) < 2:
        return np.array([1, 0, 0], dtype=np.float32)
    learner = LogisticRegression(C=_FIRM_HAND).fit(np.column_stack([log_odds(likely[near]), said[near]]), wanted[near])
    return np.append(learner.coef_[0], learner.intercept_).astype(np.float32)


def arrays(read: Read, sentence: Sentence, weights: Floats) -> dict[str, npt.NDArray[Any]]:
    """What was learnt, for model.npz; runs of words that weigh nothing are left out."""
    kept = np.flatnonzero(np.abs(sentence.weights) >= _NOTHING)
    return {
        "sentence_names": np.frombuffer("\n".join(read.names[i] for i in kept).encode("utf-8"), dtype=np.uint8),
        "sentence_weights": sentence.weights[kept],
        "sentence_bias": np.array(sentence.bias, dtype=np.float32),
        "sentence_scale": weights,
    }
