"""A verdict as plain values in the store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pipeline.core.records import DateKind, FoundDate, Intent, Reason, Sensitive, Span, Verdict


def plain(verdict: Verdict) -> dict[str, Any]:
    """What is kept of a verdict, ready for JSON."""
    return {
        "intent": verdict.intent,
        "reason": verdict.reason,
        "subreason": verdict.subreason,
        "confidence": round(verdict.confidence, 4),
        "intent_confidence": round(verdict.intent_confidence, 4),
        "runner_up": verdict.runner_up,
        "language": verdict.language,
        "dates": [{"text": d.text, "day": d.day.isoformat(), "kind": d.kind, "rough": d.rough} for d in verdict.dates],
        "sensitive": verdict.sensitive,
        "opt_out": verdict.opt_out,
        "firm": verdict.firm,
        "question": verdict.question,
        "asked": verdict.asked,
        "evidence": [span.text for span in verdict.evidence],
    }


def read(plain: Mapping[str, Any] | None) -> Verdict:
    """The record again; places of words and dates are not kept. That it is nothing if nothing was stored."""
    if not plain:
        return Verdict(intent=Intent.NONE)
    return Verdict(
        intent=Intent(str(plain["intent"])),
        reason=Reason(str(plain["reason"])) if plain.get("reason") else None,
        subreason=str(plain["subreason"]) if plain.get("subreason") else None,
        language=str(plain.get("language") or "en"),
        sensitive=Sensitive(str(plain["sensitive"])) if plain.get("sensitive") else None,
        opt_out=bool(plain.get("opt_out")),
        firm=bool(plain.get("firm")),
        question=bool(plain.get("question")),
        asked=str(plain["asked"]) if plain.get("asked") else None,
        dates=tuple(map(_read_day, plain.get("dates") or ())),
        evidence=tuple(Span(text=text, start=-1) for text in plain.get("evidence") or ()),
    )


def _read_day(plain: Mapping[str, Any]) -> FoundDate:
    return FoundDate(
        text=plain["text"],
        day=date.fromisoformat(plain["day"]),
        kind=DateKind(plain["kind"]),
        start=0,
        end=0,
        rough=bool(plain.get("rough")),
    )
