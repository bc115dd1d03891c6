"""Run the pure core over mails in files and tell what it makes of each. Touches nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.core import flow
from pipeline.core.records import History, Message, Place, Plan, Raw, Rules
from pipeline.errors import Unreadable
from pipeline.site import Model, Reader

BATCH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A mail to explain: its bytes, or why they can't be had."""

    path: str
    raw: Raw | None = None
    error: str | None = None


def sources(paths: Sequence[str], now: datetime) -> Iterator[Source]:
    """The mails of these files and folders (all their files, by name), in the order given; `-` is standard input."""
    for path in paths:
        if path == "-":
            yield _source("-", sys.stdin.buffer.read(), now)
            continue
        for file in _files(Path(path)):
            yield _read(file)


def _files(path: Path) -> Iterable[Path]:
    return sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else (path,)


def _read(file: Path) -> Source:
    try:
        data = file.read_bytes()
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        return Source(path=str(file), error=f"{file}: this file can't be opened: {error.strerror}")
    return _source(str(file), data, changed)


def _source(path: str, data: bytes, arrived: datetime) -> Source:
    place = Place(folder="explain", epoch="file", uid=path)
    return Source(path=path, raw=Raw(key=place.key, place=place, arrived=arrived, data=data))


def explain(found: Iterable[Source], reader: Reader, model: Model, rules: Rules, texts: flow.Texts) -> Iterator[dict[str, Any]]:
    """One plain object for each mail, in order, as `winback explain --json` prints it. Never raises because of a mail."""
    for batch in _batches(found):
        read = iter(reader.read_all([source.raw for source in batch if source.raw]))
        got = [(source, next(read)[1] if source.raw else None) for source in batch]
        messages = {source.path: message for source, message in got if isinstance(message, Message)}
        scores = dict(zip(messages, model.score(list(map(flow.words, messages.values()))), strict=True))
        for source, message in got:
            if not isinstance(message, Message):
                yield _failed(source, message)
                continue
            try:
                look = flow.look(message, History(), rules)
                plan = flow.answer(message, look, scores[source.path], History(), rules, _now(message), texts, _no_stamp)
                yield _told(source.path, plan, rules)
            except Exception as error:  # noqa: BLE001 - the next mail is explained whatever this one did
                yield _failed(source, Unreadable(f"{type(error).__name__}: {error}"))


def _batches(found: Iterable[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    for source in found:
        batch.append(source)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _now(message: Message) -> datetime:
    """The moment of the mail itself, so that explaining it again next year says the same."""
    return message.sent or message.arrived


def _no_stamp(key: str) -> str:
    return f"explained.{key[-24:]}"


def _failed(source: Source, error: Unreadable | None) -> dict[str, Any]:
    why = source.error or str(error)
    return {
        "path": source.path,
        "message_id": None,
        "from": None,
        "subject": "",
        "text": "",
        "quoted": "",
        "screen": "unreadable",
        "may_reply": False,
        "is_bounce": False,
        "bounced": [],
        "intent": "none",
        "reason": None,
        "subreason": None,
        "confidence": 0.0,
        "intent_confidence": 0.0,
        "language": "en",
        "dates": [],
        "sensitive": None,
        "opt_out": False,
        "firm": False,
        "plan": [],
        "why": [source.error or f"It can't be read, so it is held for a person: {why}"],
        "error": why,
    }


def _told(path: str, plan: Plan, rules: Rules) -> dict[str, Any]:
    message, screening, verdict = plan.message, plan.screening, plan.verdict
    assert verdict is not None, "flow.answer always gives a verdict"
    text, quoted = _said(message, whole=not flow.matters(screening))
    return {
        "path": path,
        "message_id": message.message_id,
        "from": message.sender.address if message.sender else None,
        "subject": message.subject,
        "text": text,
        "quoted": quoted,
        "screen": screening.check,
        "may_reply": screening.may_reply,
        "is_bounce": screening.is_bounce,
        "bounced": list(screening.bounced),
        "intent": verdict.intent,
        "reason": verdict.reason,
        "subreason": verdict.subreason,
        "confidence": round(verdict.confidence, 4),
        "intent_confidence": round(verdict.intent_confidence, 4),
        "language": verdict.language,
        "dates": [{"text": day.text, "date": day.day.isoformat(), "kind": day.kind} for day in verdict.dates],
        "sensitive": verdict.sensitive,
        "opt_out": verdict.opt_out,
        "firm": verdict.firm,
        "plan": _steps(plan, rules),
        "why": list(plan.decision.why),
        "error": None,
    }


def _said(message: Message, *, whole: bool) -> tuple[str, str]:
    """The new words and the history. A machine's mail is told whole: no customer's new words stand in it."""
    if whole:
        return "\n\n".join(filter(None, (message.text, message.quoted))), ""
    return message.text, message.quoted


def _steps(plan: Plan, rules: Rules) -> list[dict[str, Any]]:
    if plan.draft is None:
        return []
    first = {
        "kind": plan.draft.kind,
        "template": plan.draft.template,
        "due": _now(plan.message).isoformat(),
        "review": plan.draft.review,
    }
    review = rules.answers.follow_ups != "when_sure"
    later = [
        {"kind": "follow_up", "template": step.template, "due": step.due.isoformat(), "review": review}
        for step in plan.decision.steps
    ]
    return [first, *later]


def with_own(rules: Rules, own: Sequence[str]) -> Rules:
    """The rules with other own addresses; the single word `unknown` means that they are not known."""
    if not own:
        return rules
    if list(own) == ["unknown"]:
        return replace(rules, own_addresses=None)
    given = [address for address in own if address != "unknown"]
    # The configured sender is an own address too, so it is replaced as well.
    sender = replace(rules.business.sender, address=given[0])
    return replace(
        rules,
        business=replace(rules.business, sender=sender),
        own_addresses=frozenset(address.lower() for address in given),
    )
