"""Part what a customer wrote now from what stands below it: history, signature, disclaimer. Never drops a line.

A line goes to the quoted side only for a reason in the tables below. Marks with a date or an address end the new words
for good; `> ` lines do not, for answers stand between and below them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

ATTRIBUTION_LINES = 6  # mailers wrap "On ..., somebody <address> wrote:" over so many lines
ATTRIBUTION_LENGTH = 400
HEADER_BLOCK_LINES = 14  # From to Subject, with an empty line between each two
SIGNATURE_LINES = 12
SIGN_OFF_LINES = 16


def cut(text: str) -> tuple[str, str]:
    """The new words of a mail's visible text, and all the rest in its order. In linear time.

    The new words are empty only if the mail quotes or forwards and says nothing of its own.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    old = _history(lines)
    quotes = any(old)
    for start, end in _runs(old):
        for number in _closing(lines, start, end):
            old[number] = True
    new = _text(line for line, is_old in zip(lines, old, strict=True) if not is_old)
    if not new and not quotes:
        return _text(lines), ""
    return new, _text(line for line, is_old in zip(lines, old, strict=True) if is_old)


def _text(lines: Iterable[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _runs(old: Sequence[bool]) -> list[tuple[int, int]]:
    """The spans of new lines."""
    edges = [0, *(n for n in range(1, len(old)) if old[n] != old[n - 1]), len(old)]
    return [(start, end) for start, end in zip(edges, edges[1:], strict=False) if start < end and not old[start]]


# --- history


def _history(lines: Sequence[str]) -> list[bool]:
    """For each line whether somebody wrote it before."""
    old = [False] * len(lines)
    attributions = _attributions(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        end = number
        if _is_quoted(line):
            end = number + 1
        elif number in attributions:
            end = attributions[number]
        elif _DIVIDER.match(line) or _is_rule_above_headers(lines, number):
            end = _below_headers(lines, number + 1)
        elif _is_header_block(lines, number):
            end = _below_headers(lines, number)
        if end == number:
            number += 1
            continue
        following = _next_words(lines, end)
        if not _is_quoted(line) and not (following < len(lines) and _is_quoted(lines[following])):
            end = len(lines)  # nothing marks where the history ends: it goes to the end
        old[number:end] = [True] * (end - number)
        number = end
    return old


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >", "  >")) and not line.startswith(">From ")  # which an mbox file does to a new line


def _next_words(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


_WROTE = re.compile(
    r"\b(?:wrote|writes|escribi[oó]|schrieb|schreibt|a [eé]crit|escreveu|ha scritto|schreef|geschreven|skrev|kirjoitti"
    r"|napisał(?:\(a\)|a)?|написала?(?:\(а\))?|пише[т]?)(?!\w)|写道",
    re.I,
)
_BY_ONE_PRESENT = re.compile(r"\b(?:I|you|he|she|we|they|me|nos|te|le|les|lo|usted) (?:wrote|escribi[oó])\b", re.I)
_BEGINS_WITH_DATE = re.compile(
    r"\W{0,3}(?:(?:on|el|en|am|le|em|il|op|den|dnia|w dniu|in data)\b.{0,40}?\d|\d{1,4}[./-]\d{1,2}[./-]|\d{1,2}\.? \w)", re.I
)
_DATE = re.compile(r"\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d")
_TIME = re.compile(r"\d{1,2}[:.]\d{2}")
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]")


def _attributions(lines: Sequence[str]) -> dict[int, int]:
    """Where attributions begin, and the line below each. They end with a colon, so only such lines are looked at."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines):
        if line.rstrip().endswith((":", "：", ":*")):
            start = _attribution_start(lines, number)
            if start is not None:
                found.setdefault(start, number + 1)
    return found


def _attribution_start(lines: Sequence[str], last: int) -> int | None:
    """The first line of the attribution that ends on line `last`: the nearest one that begins with a date, or the nearest."""
    following = _next_words(lines, last + 1)
    quoted = following < len(lines) and _is_quoted(lines[following])
    nearest = None
    for start in range(last, max(-1, last - ATTRIBUTION_LINES), -1):
        if not lines[start].strip():
            continue
        joined = " ".join(" ".join(lines[start : last + 1]).split())
        if len(joined) > ATTRIBUTION_LENGTH or (start < last and _is_quoted(lines[start])):
            break
        if _is_attribution(joined, quoted=quoted):
            if _BEGINS_WITH_DATE.match(lines[start]):
                return start
            nearest = start if nearest is None else nearest
        if nearest is not None and start > 0 and not lines[start - 1].strip():
            break
    return nearest
