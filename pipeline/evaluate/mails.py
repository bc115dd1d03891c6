"""Read whole labelled mails, headers, quotes, signatures and all, and set the reading beside the label."""

from __future__ import annotations

import email
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from email import policy
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline import train_days
from pipeline.core import dates
from pipeline.core.flow import read, words
from pipeline.core.records import Address, Business, Message, Place, Raw, Rules, Scores
from pipeline.core.understand import understand
from pipeline.evaluate.judging import Model, as_read, held, reading
from pipeline.evaluate.measures import Day, Judged


def on_mails(rows: Sequence[dict[str, Any]], model: Model) -> list[Judged]:
    """The mails as the product reads them. See models/exam/README.md for the keys of a row; raises KeyError and ValueError."""
    messages = [_message(row) for row in rows]
    scores = model.score([words(message) for message in messages])
    return [_judged(row, message, score) for row, message, score in zip(rows, messages, scores, strict=True)]


def _message(row: dict[str, Any]) -> Message:
    data = row["mail"].encode()
    return read(Raw(key=row["id"], place=Place(folder="exam", epoch="1", uid=row["id"]), arrived=_sent(data), data=data))


def _sent(data: bytes) -> datetime:
    return parsedate_to_datetime(str(email.message_from_bytes(data, policy=policy.default)["Date"]))


def _judged(row: dict[str, Any], message: Message, score: Scores) -> Judged:
    rules = _rules(row["country"], message.arrived)
    verdict = understand(message, score, rules)
    label = str(row["reason"] or row["intent"])
    found = dates.find(message, verdict.intent, rules, score.day_purpose)
    return Judged(
        id=row["id"],
        lang=row["lang"],
        label=label,
        right=frozenset({label, *row["also"]}),
        hard=row["hard"],
        said=reading(verdict),
        confidence=verdict.confidence,
        unsure=verdict.unsure,
        held=held(message, verdict),
        answered_in=verdict.language,
        sensitive=(row["sensitive"] is not None, verdict.sensitive is not None),
        opt_out=(row["opt_out"], verdict.opt_out),
        days=(_labelled(row["dates"], words(message)), tuple(as_read(day, message.subject) for day in found)),
        text=words(message),
        evidence=tuple(span.text for span in verdict.evidence),
    )


def _rules(country: str, sent: datetime) -> Rules:
    """Those of a business where the customer is, with the customer's clock."""
    hours = round((sent.utcoffset() or timedelta(0)) / timedelta(hours=1))
    zone = f"Etc/GMT{-hours:+d}" if hours else "UTC"  # POSIX counts to the west
    sender = Address(address="nobody@exam.example")
    return Rules(business=Business(name="Exam", sender=sender, country=country, timezone=zone))


def _labelled(said: Sequence[dict[str, Any]], text: str) -> tuple[Day, ...]:
    """The labelled days in their places in subject and new words; those whose words stand elsewhere are left out."""
    spans = train_days.places(text, [day["text"] for day in said])
    return tuple(
        Day(start=span[0], end=span[1], kind=day["kind"], between=_between(day["day"]))
        for span, day in zip(spans, said, strict=True)
        if span
    )


def _between(said: str | None) -> tuple[date, date] | None:
    """A day, or the earliest and the latest with a slash between."""
    if said is None:
        return None
    first, _, last = said.partition("/")
    return date.fromisoformat(first), date.fromisoformat(last or first)
