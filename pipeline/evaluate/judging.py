"""Read labelled texts and set the reading beside the label: our own mails, and files of texts that others labelled."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pipeline import train
from pipeline.core import dates
from pipeline.core.records import Address, Business, Intent, Message, Reason, Rules, Scores, Verdict
from pipeline.core.understand import joined, understand
from pipeline.edges.model import Floats, scores_of
from pipeline.errors import WinbackError
from pipeline.evaluate.measures import NONE, REASONS, Day, Judged

RULES = Rules(business=Business(name="Evaluation", sender=Address(address="nobody@evaluation.example")))
SOME_DAY = datetime(2026, 3, 10, 9, tzinfo=UTC)


class Model(Protocol):
    """Texts in, probabilities out."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Score a batch of texts."""


def on_own(examples: Sequence[train.Example], held_out: Floats, heads: Sequence[dict[str, Any]]) -> list[Judged]:
    """Our own mails as read by models that had not seen their file."""
    return [judge(example, scores_of(row, heads, 1.0)) for example, row in zip(examples, held_out, strict=True)]


def on_file(path: Path, model: Model) -> list[Judged]:
    """The labelled texts of a file, read by a model. Raises WinbackError when the file can't be used.

    Each line is one text as JSON: like those of our corpus (models/corpus/README.md), or with id, subject, body, lang,
    label_intent, label_reason, also, also_intent and hard_negative.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not rows:
            raise ValueError("it is empty")
        if "label_intent" in rows[0]:
            return _on_others(rows, model)
        examples = [train.example(row, path.stem) for row in rows]
        scores = model.score([example.text for example in examples])
        return [judge(example, score) for example, score in zip(examples, scores, strict=True)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WinbackError(f"{path}: is not a file of labelled texts ({error!r}): see models/corpus/README.md") from error


def judge(example: train.Example, scores: Scores) -> Judged:
    """One of our own mails, read by probabilities and rules together."""
    message = _message(example.text)
    verdict = understand(message, scores, RULES, example.asked)
    found = dates.find(message, verdict.intent, RULES)
    label = str(example.labels["reason"] or example.labels["intent"])
    return Judged(
        id=example.id,
        lang=example.lang,
        label=label,
        right=frozenset({label, example.second} if example.second else {label}),
        hard=example.hard is not None,
        said=_reading(verdict),
        confidence=verdict.confidence,
        unsure=verdict.unsure,
        sensitive=(example.labels["sensitive"] != NONE, verdict.sensitive is not None),
        opt_out=(example.labels["opt_out"] == "yes", verdict.opt_out),
        days=(_labelled_days(example), tuple(Day(start=day.start, end=day.end, kind=day.kind) for day in found)),
        text=example.text,
        evidence=tuple(span.text for span in verdict.evidence),
    )


def _labelled_days(example: train.Example) -> tuple[Day, ...]:
    """Where the labelled days stand; words that a text has twice are meant where they stand first and are not taken yet."""
    found: list[Day] = []
    for words, kind in example.dates:
        places = [match.start() for match in re.finditer(re.escape(words), example.text)]
        start = next((place for place in places if all(place != day.start for day in found)), None)
        if start is not None:
            found.append(Day(start=start, end=start + len(words), kind=kind))
    return tuple(found)


def _on_others(rows: Sequence[dict[str, Any]], model: Model) -> list[Judged]:
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
    verdict = understand(_message(text), scores, RULES)
    said = _reading(verdict)
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
        text=text,
        evidence=tuple(span.text for span in verdict.evidence),
    )


def _message(text: str) -> Message:
    return Message(key="evaluation", text=text, arrived=SOME_DAY)


def _reading(verdict: Verdict) -> str:
    return str(verdict.reason) if verdict.reason else str(verdict.intent)
