"""Set the reading of a labelled text beside its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline import train, train_days
from pipeline.core import dates, decide
from pipeline.core.records import AnswerRules, DayPurpose, FoundDate, History, Message, Scores, Screening, Verdict
from pipeline.core.understand import understand
from pipeline.edges.model import scores_of
from pipeline.evaluate.measures import NONE, Day, Judged

# Everything but the reading allows an answer: a known sender without a past, and no demand of confidence.
_VOUCHED, _NO_PAST, _HOWEVER_SURE = Screening(authenticated=True), History(), AnswerRules(sure_at=0.0)


class Model(Protocol):
    """Texts in, probabilities out."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Score a batch of texts."""


def on_own(
    examples: Sequence[train.Example], taught: train.Taught, kind: str, day_purposes: Sequence[DayPurpose | None] | None = None
) -> list[Judged]:
    """Our own mails as read by models of this kind (`words` or `full`) that had not seen their file.

    Days are read by `day_purposes`, one for each mail, and not looked for when these are not given.
    """
    with_days, purposes = day_purposes is not None, day_purposes or [None] * len(examples)
    rows = zip(examples, taught.held_out[kind], purposes, strict=True)
    return [judge(example, scores_of(row, taught.heads, 1.0, purpose), with_days=with_days) for example, row, purpose in rows]


def judge(example: train.Example, scores: Scores, *, with_days: bool = True) -> Judged:
    """One of our own mails, read by probabilities and rules together."""
    message = train.as_message(example)
    verdict = understand(message, scores, train.NOWHERE, example.asked)
    found = dates.find(message, verdict.intent, train.NOWHERE, scores.day_purpose) if with_days else ()
    label = str(example.labels["reason"] or example.labels["intent"])
    return Judged(
        id=example.id,
        lang=example.lang,
        label=label,
        right=frozenset({label, example.second} if example.second else {label}),
        hard=example.hard is not None,
        said=reading(verdict),
        confidence=verdict.confidence,
        unsure=verdict.unsure,
        held=held(message, verdict),
        answered_in=verdict.language,
        sensitive=(example.labels["sensitive"] != NONE, verdict.sensitive is not None),
        opt_out=(example.labels["opt_out"] == "yes", verdict.opt_out),
        days=(_labelled(example) if with_days else (), tuple(as_read(day, example.subject) for day in found)),
        text=example.text,
        evidence=tuple(span.text for span in verdict.evidence),
    )


def _labelled(example: train.Example) -> tuple[Day, ...]:
    spans = train_days.places(example.text, [words for words, _ in example.dates])
    return tuple(
        Day(start=span[0], end=span[1], kind=kind) for span, (_, kind) in zip(spans, example.dates, strict=True) if span
    )


def as_read(day: FoundDate, subject: str) -> Day:
    """A day that was found, with its place in subject and new words together."""
    if day.start < 0:
        start = max(subject.find(day.text), 0)
        return Day(start=start, end=start + len(day.text), kind=day.kind, between=(day.day, day.day))
    begins = len(subject) + 1 if subject else 0
    return Day(start=begins + day.start, end=begins + day.end, kind=day.kind, between=(day.day, day.day))


def reading(verdict: Verdict) -> str:
    """The verdict in a word: a reason, `reschedule` or `none`."""
    return str(verdict.reason) if verdict.reason else str(verdict.intent)


def held(message: Message, verdict: Verdict) -> bool:
    """Whether a person looks at the answer for what is read in the mail, however sure that is: as the product decides it."""
    return bool(decide.reasons_for_review(message, _VOUCHED, verdict, _NO_PAST, _HOWEVER_SURE))
