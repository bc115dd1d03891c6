"""Understand a mail: what the writer wants, why, and how it is meant. Decides nothing of what follows from it."""

from __future__ import annotations

import re

from pipeline.core.records import FoundDate, Intent, Message, Rules, Scores, Sensitive, Span, Verdict

SEEN = 4_000  # characters of a mail that the model is asked about


def joined(subject: str, text: str) -> str:
    """Subject and new words as the model sees them."""
    return f"{subject}\n{text}".strip()[:SEEN]


def for_model(message: Message) -> str:
    """The text that the model is asked about."""
    return joined(message.subject, message.text)


def understand(message: Message, scores: Scores, rules: Rules, dates: tuple[FoundDate, ...] = ()) -> Verdict:
    """Say how a mail is to be read."""
    text = for_model(message)
    intent = max(scores.intent, key=lambda each: scores.intent[each])
    reason = max(scores.reason, key=lambda each: scores.reason[each]) if intent is Intent.CANCEL else None
    sure_intent = scores.intent[intent]
    sure = sure_intent * (scores.reason[reason] if reason else 1.0)
    return Verdict(
        intent=intent,
        reason=reason,
        subreason=_subreason(scores) if reason else None,
        confidence=sure,
        intent_confidence=sure_intent,
        language=_language(text, rules),
        dates=dates,
        sensitive=_sensitive(scores),
        opt_out=scores.opt_out >= 0.5,
        firm=scores.firm >= 0.5,
        question="?" in message.text,
        unsure=sure_intent < 0.6,
        evidence=_evidence(message),
    )


def _subreason(scores: Scores) -> str | None:
    best = max(scores.subreason, key=lambda each: scores.subreason[each], default="none")
    return None if best == "none" else best


def _sensitive(scores: Scores) -> Sensitive | None:
    best = max(scores.sensitive, key=lambda each: scores.sensitive[each], default="none")
    return None if best == "none" else Sensitive(best)


_SPANISH = re.compile(r"[ñ¿¡áéíóú]|\b(?:el|la|los|las|que|de|para|por|una?|no puedo|quiero|gracias|hola|cita|mi|es|y|se|con)\b", re.I)
_ENGLISH = re.compile(r"\b(?:the|and|to|of|for|my|is|it|you|we|can't|please|thanks|hi|have|with|not|be|are|this|on)\b", re.I)


def _language(text: str, rules: Rules) -> str:
    spoken = "es" if len(_SPANISH.findall(text)) > len(_ENGLISH.findall(text)) else "en"
    offered = rules.business.languages
    return spoken if spoken in offered else offered[0]


def _evidence(message: Message) -> tuple[Span, ...]:
    first = re.search(r"\S[^.!?\n]*[.!?]?", message.text)
    return (Span(text=first[0], start=first.start()),) if first else ()
