"""Learn what days in mails are for, from the labelled days of the corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from pipeline.core import dates
from pipeline.core.purposes import DayWords
from pipeline.core.records import DateKind, Intent, Message, Rules
from pipeline.edges.model import day_words_of

KINDS = tuple(sorted(DateKind))
SEEN_IN = 4  # a feature counts if so many days have it
HELD_BACK = 0.2  # inverse strength of the penalty, as in sklearn


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day that stands in a mail: what there is to learn from, and the column of its purpose in KINDS."""

    features: Mapping[str, float]
    kind: int


def places(text: str, pieces: Sequence[str]) -> list[tuple[int, int] | None]:
    """Where pieces of a text stand, in their order; what it has twice stands first where nothing stands yet. None: nowhere."""
    found: list[tuple[int, int] | None] = []
    for piece in pieces:
        pattern = r"\s+".join(map(re.escape, piece.split()))
        spans = (match.span() for match in re.finditer(pattern, text))
        found.append(next((span for span in spans if span not in found), None))
    return found


def days(message: Message, intent: Intent, said: Sequence[tuple[str, str]], rules: Rules) -> list[Day]:
    """The days that are found in a mail, with their labels (words, kind); one that nobody labelled is merely mentioned."""
    before = f"{message.subject}\n\n" if message.subject else ""
    spots = zip(places(f"{before}{message.text}", [words for words, _ in said]), said, strict=True)
    known = [(span, kind) for span, (_, kind) in spots if span]
    found = []
    begins = len(message.subject)
    for place, features in dates.noted(message, intent, rules):
        kind = next((kind for (start, end), kind in known if start < place.end and place.start < end), None)
        # The subject may be that of another mail, and labels speak of this one.
        if kind or place.start >= begins:
            found.append(Day(features=features, kind=KINDS.index(DateKind(kind or DateKind.MENTIONED))))
    return found


def learn(found: Sequence[Day]) -> dict[str, npt.NDArray[Any]]:
    """What the days teach, as arrays of the model; nothing when they are of one kind only."""
    truth = np.array([day.kind for day in found])
    kinds = np.unique(truth)
    if kinds.size < 3:
        return {}
    seen = Counter(name for day in found for name in day.features)
    names = sorted(name for name, count in seen.items() if count >= SEEN_IN)
    columns = {name: column for column, name in enumerate(names)}
    learner = LogisticRegression(C=HELD_BACK, max_iter=300).fit(_matrix(found, columns), truth)
    weights = np.zeros((len(names), len(KINDS)), dtype=np.float16)
    weights[:, kinds] = learner.coef_.T
    bias = np.full(len(KINDS), -50, dtype=np.float32)  # what was never seen is never said
    bias[kinds] = learner.intercept_
    return {
        "day_names": np.frombuffer("\n".join(names).encode("utf-8"), dtype=np.uint8),
        "day_kinds": np.frombuffer("\n".join(KINDS).encode("utf-8"), dtype=np.uint8),
        "day_weights": weights,
        "day_bias": bias,
    }


def taught(found: Sequence[Day]) -> DayWords | None:
    """What the days teach, ready to be asked; None when that is nothing."""
    return day_words_of(learn(found))


def _matrix(found: Sequence[Day], columns: Mapping[str, int]) -> Any:
    """The days as sparse rows, a column for each feature that counts, in their order: sums depend on it."""
    rows = [dict(sorted((columns[name], weight) for name, weight in day.features.items() if name in columns)) for day in found]
    starts = np.cumsum([0, *map(len, rows)])
    values = np.array([weight for row in rows for weight in row.values()], dtype=np.float64)
    places = np.array([column for row in rows for column in row], dtype=np.intp)
    return csr_matrix((values, places, starts), shape=(len(rows), len(columns)))
