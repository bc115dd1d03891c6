"""Read the labelled texts of other people, and set the reading beside the label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import train
from pipeline.core.records import Intent, Message, Reason, Scores
from pipeline.core.understand import joined, understand
from pipeline.evaluate.judging import Model, held, reading
from pipeline.evaluate.measures import NONE, REASONS, Judged


def on_others(rows: Sequence[dict[str, Any]], model: Model) -> list[Judged]:
    """Texts in the format of others.

    Where nobody uses the label `other`, ours is mapped: a competitor without a cause is `unspecified`, anything else
    `not_ready`. Wishes for another date are left out: they are neither.
    """
    rows = [row for row in rows if row["label_intent"] in ("cancel", "none")]
    texts = [joined(row["subject"] or "", row["body"]) for row in rows]
    foreign = all(row["label_reason"] != "other" for row in rows)
    scores = model.score(texts)
    return [_judge(row, text, score, foreign) for row, text, score in zip(rows, texts, scores, strict=True)]


def _judge(row: dict[str, Any], text: str, scores: Scores, foreign: bool) -> Judged:
    message = Message(key="text", text=text, arrived=train.SOME_DAY)
    verdict = understand(message, scores, train.NOWHERE)
    said = reading(verdict)
    if foreign and said == Reason.OTHER:
        said = str(Reason.UNSPECIFIED if verdict.subreason == "competitor" else Reason.NOT_READY)
    if said == Intent.RESCHEDULE:
        said = NONE
    cancel = row["label_intent"] == "cancel"
    label = str(row["label_reason"]) if cancel else NONE
    right = {label, *row["also"]} if cancel else {NONE}
    if NONE in row["also_intent"]:
        right.add(NONE)
    if not cancel and "cancel" in row["also_intent"]:
        right.update(REASONS)
    return Judged(
        id=str(row["id"]),
        lang=row["lang"],
        label=label,
        right=frozenset(right),
        hard=bool(row["hard_negative"]),
        said=said,
        confidence=verdict.confidence,
        unsure=verdict.unsure,
        held=held(message, verdict),
        text=text,
        evidence=tuple(span.text for span in verdict.evidence),
    )
