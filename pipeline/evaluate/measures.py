"""Figures over texts whose reading is known: pure arithmetic, the same values give the same figures."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.core.records import DateKind, Intent, Reason

REASONS = tuple(str(reason) for reason in Reason)
NONE = str(Intent.NONE)
BINS = 10
COVERAGES = tuple(share / 20 for share in range(1, 21))
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day in a text: where its words stand, and what it is for. `between` is the earliest and latest day meant, if told."""

    start: int
    end: int
    kind: str
    between: tuple[date, date] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A labelled text and how it was read. Readings are `price` ... `unspecified` for a cancellation, `reschedule`, or `none`.

    `right` holds every reading that a careful person would accept, `label` is the first of them. `sensitive` and `opt_out`
    are pairs: what the label says, and how it was read; None where nobody labelled it. So are `days`. `held`: however sure the
    reading, a person looks at the answer. `answered_in` is the language of the answer, None where nobody labelled that.
    """

    id: str
    lang: str
    label: str
    right: frozenset[str]
    hard: bool
    said: str
    confidence: float
    unsure: bool = False
    held: bool = False
    answered_in: str | None = None
    sensitive: tuple[bool, bool] | None = None
    opt_out: tuple[bool, bool] | None = None
    days: tuple[tuple[Day, ...], tuple[Day, ...]] | None = None
    text: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def cancels(self) -> bool:
        """Whether it is a cancellation by its label."""
        return self.label in REASONS

    @property
    def called_cancel(self) -> bool:
        """Whether it was read as a cancellation."""
        return self.said in REASONS

    @property
    def good(self) -> bool:
        """Whether a careful person would accept the reading."""
        return self.said in self.right

    @property
    def well_answered(self) -> bool:
        """Whether an answer by this reading is right: it missed nothing that forbids it, and speaks the writer's language."""
        missed = any(flag is not None and flag[0] and not flag[1] for flag in (self.sensitive, self.opt_out))
        return self.good and not missed and self.answered_in in (None, self.lang)


def share(hits: float, of: float) -> float:
    """A part of a whole, 0 where there is no whole."""
    return hits / of if of else 0.0


def mean(values: Sequence[float]) -> float:
    """The mean, 0 of nothing."""
    return share(sum(values), len(values))


def prf(hits: int, called: int, there: int) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    precision, recall = share(hits, called), share(hits, there)
    return precision, recall, share(2 * precision * recall, precision + recall)


def cancellation(judged: Sequence[Judged]) -> tuple[float, float, float]:
    """Precision, recall and F1 of "it is a cancellation"; a reading that a careful person would accept counts as right."""
    truth = [_as_cancel(each) for each in judged]
    called = [each.called_cancel for each in judged]
    return prf(sum(a and b for a, b in zip(truth, called, strict=True)), sum(called), sum(truth))


def _as_cancel(each: Judged) -> bool:
    if each.called_cancel:
        return each.cancels or bool(each.right & set(REASONS))
    return each.cancels and each.said not in each.right


def by_class(judged: Sequence[Judged]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of every reading that occurs as a label."""
    truth = [each.said if each.good else each.label for each in judged]
    there, called = Counter(truth), Counter(each.said for each in judged)
    hits = Counter(each.said for each in judged if each.good)
    return {label: prf(hits[label], called[label], there[label]) for label in sorted({each.label for each in judged})}


def macro_f1(judged: Sequence[Judged]) -> float:
    """The mean F1 of all readings that occur as a label."""
    return mean([f1 for _, _, f1 in by_class(judged).values()])


def recalls(judged: Sequence[Judged]) -> dict[str, float]:
    """The recall of every reading that occurs as a label."""
    return {label: recall for label, (_, recall, _) in by_class(judged).items()}


def reason_f1(judged: Sequence[Judged]) -> float:
    """Macro-F1 of the reason over the cancellations that were recognised as such."""
    seen = [each for each in judged if each.cancels and each.called_cancel]
    return mean([f1 for label, (_, _, f1) in by_class(seen).items() if label in REASONS])


def accuracy(judged: Sequence[Judged], coverage: float = 1.0) -> float:
    """The share of acceptable readings among the surest part of the texts."""
    surest = sorted(judged, key=lambda each: -each.confidence)[: max(1, round(coverage * len(judged)))]
    return share(sum(each.good for each in surest), len(surest))


def by_confidence(judged: Sequence[Judged]) -> list[list[Judged]]:
    """The texts in ten bins of confidence, from 0 to 1; a bin may be empty."""
    bins: list[list[Judged]] = [[] for _ in range(BINS)]
    for each in judged:
        bins[min(BINS - 1, int(each.confidence * BINS))].append(each)
    return bins


def calibration_error(judged: Sequence[Judged]) -> float:
    """How far, on average, confidence and the share of acceptable readings are apart (ten bins)."""
    gaps = [
        len(part) * abs(accuracy(part) - mean([each.confidence for each in part])) for part in by_confidence(judged) if part
    ]
    return share(sum(gaps), len(judged))


def false_alarms(judged: Sequence[Judged], hard: bool) -> float:
    """The share of texts that are no cancellation, with or without cancel-like words, yet were called one."""
    there = [each for each in judged if not each.cancels and each.hard is hard]
    return share(sum(each.called_cancel and not each.good for each in there), len(there))


def by_chance(judged: Sequence[Judged], figure: Callable[[Sequence[Judged]], float], draws: int = 1_000) -> tuple[float, float]:
    """Between which values a figure lies in 95 of 100 sets drawn from these texts with replacement (bootstrap, Efron 1979)."""
    luck = random.Random(0)  # noqa: S311 - the same texts give the same bounds
    drawn = sorted(figure(luck.choices(judged, k=len(judged))) for _ in range(draws))
    outside = draws // 40
    return drawn[outside], drawn[-1 - outside]


def flagged(pairs: Sequence[tuple[bool, bool] | None]) -> tuple[float, float, int] | None:
    """Precision, recall and number of a flag, over the texts where it was labelled; None if it never was."""
    known = [pair for pair in pairs if pair is not None]
    if not known:
        return None
    there = sum(label for label, _ in known)
    precision, recall, _ = prf(sum(label and said for label, said in known), sum(said for _, said in known), there)
    return precision, recall, there


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """How days were found: shares of the `labelled` ones, and of the `read` ones that no label speaks of.

    `right` is the share whose purpose and day are right, `wrong` the share of days read that would be acted upon although
    the label says another purpose or day, or says nothing; both None where no label tells the day.
    """

    labelled: int
    read: int
    found: float
    right_purpose: float
    unlabelled: float
    right: float | None = None
    wrong: float | None = None


ACTED_UPON = frozenset({DateKind.RETURN, DateKind.NEW_SLOT, DateKind.CANCELLED})


def days(judged: Sequence[Judged]) -> Days | None:
    """How the days in the texts were found; None where nobody labelled any."""
    known = [each.days for each in judged if each.days is not None]
    if not known:
        return None
    labelled = [(day, _touching(day, read)) for there, read in known for day in there]
    read = [(day, _touching(day, there)) for there, read in known for day in read]
    told = any(day.between for day, _ in labelled)
    return Days(
        labelled=len(labelled),
        read=len(read),
        found=share(sum(bool(met) for _, met in labelled), len(labelled)),
        right_purpose=share(sum(any(other.kind == day.kind for other in met) for day, met in labelled), len(labelled)),
        unlabelled=share(sum(not met for _, met in read), len(read)),
        right=share(sum(any(_agree(day, other) for other in met) for day, met in labelled), len(labelled)) if told else None,
        wrong=share(sum(_misleads(day, met) for day, met in read), len(read)) if told else None,
    )


def _agree(label: Day, read: Day) -> bool:
    """Whether purpose and day are those of the label, which may allow several days or leave it open."""
    if label.kind != read.kind or read.between is None:
        return False
    return label.between is None or label.between[0] <= read.between[0] <= label.between[1]


def _misleads(read: Day, labels: Sequence[Day]) -> bool:
    return read.kind in ACTED_UPON and not any(_agree(label, read) for label in labels)


def _touching(day: Day, others: Sequence[Day]) -> list[Day]:
    return [other for other in others if other.start < day.end and day.start < other.end]


def sent(judged: Sequence[Judged], threshold: float) -> tuple[float, float]:
    """What `sure_at` trades: the share of what is to be answered that no person sees before, and how much of that is wrong."""
    there = [each for each in judged if each.said != NONE]
    answered = [each for each in there if each.confidence >= threshold and not each.held]
    return share(len(answered), len(there)), share(sum(not each.well_answered for each in answered), len(answered))


def worst(judged: Sequence[Judged], count: int) -> list[Judged]:
    """The wrong readings that were surest of themselves."""
    return sorted((each for each in judged if not each.good), key=lambda each: (-each.confidence, each.id))[:count]


def _in(lang: str, judged: Sequence[Judged]) -> list[Judged]:
    return [each for each in judged if each.lang == lang]


# The figures that matter, in the order in which they are told.
FIGURES: tuple[tuple[str, Callable[[Sequence[Judged]], float]], ...] = (
    ("cancellation precision", lambda judged: cancellation(judged)[0]),
    ("cancellation recall", lambda judged: cancellation(judged)[1]),
    ("cancellation F1", lambda judged: cancellation(judged)[2]),
    ("cancellation F1, English", lambda judged: cancellation(_in("en", judged))[2]),
    ("cancellation F1, Spanish", lambda judged: cancellation(_in("es", judged))[2]),
    ("false alarms on hard texts", lambda judged: false_alarms(judged, True)),
    ("false alarms on other texts", lambda judged: false_alarms(judged, False)),
    ("macro-F1 of the whole reading", macro_f1),
    ("reason macro-F1 on recognised cancellations", reason_f1),
    ("reason macro-F1, English", lambda judged: reason_f1(_in("en", judged))),
    ("reason macro-F1, Spanish", lambda judged: reason_f1(_in("es", judged))),
    ("accuracy of the whole reading", accuracy),
    ("accuracy at 70 % coverage", lambda judged: accuracy(judged, 0.7)),
    ("accuracy at 50 % coverage", lambda judged: accuracy(judged, 0.5)),
    ("calibration error", calibration_error),
    ("unsure, left to a person", lambda judged: share(sum(each.unsure for each in judged), len(judged))),
)


def figures(judged: Sequence[Judged]) -> dict[str, float]:
    """The figures that matter, by name."""
    return {name: figure(judged) for name, figure in FIGURES}
