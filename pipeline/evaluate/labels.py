"""Read files of labelled texts, one JSON object a line, and name every label that is none. Knows no model."""

from __future__ import annotations

import email
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from pipeline.core.records import DateKind, Intent, Reason, Sensitive
from pipeline.errors import BadFile

SUBREASONS = tuple(
    "competitor need_ended moved hardship illness bereavement emergency travel provider_side cheaper_elsewhere price_rise"
    " budget quality late unresponsive rude billing feature_gap hard_to_use still_comparing postponed work childcare weather"
    " transport schedule_conflict changed_mind not_using diy closing pregnancy wrong_person".split()
)
HARD = tuple(
    "policy_question complaint retraction negated running_late past_cancellation conditional uncertain vendor_notice"
    " calendar_notice invoice cancelar_pagar forwarded marketing_opt_out spam refund_query threat business_cancels praise"
    " other".split()
)
_SHOWN = 20  # mistakes
_QUOTED = 60  # characters of what was found

Row = dict[str, Any]
# What is expected under a key, in words, and whether a value is that.
Rule = tuple[str, Callable[[Any], bool]]
Rules = Mapping[str, Rule]


def labelled_rows(files: Sequence[Path], rules_of: Callable[[Row], Rules] | None = None) -> list[tuple[Path, Row]]:
    """The lines of the files, each with its file, every one as the rules of its format want it.

    `rules_of` says which rules hold for a line; left out, the first line tells the format of all. Raises BadFile with a
    sentence for each mistake: file, line, key, what was expected and what was found.
    """
    found: list[tuple[Path, Row]] = []
    problems: list[str] = []
    for path in files:
        for number, line in _lines(path):
            row = _row(line)
            if isinstance(row, str):
                problems.append(f"{path}:{number}: {row}")
                continue
            rules_of = rules_of or format_of(row)
            found.append((path, row))
            problems += [f"{path}:{number}: {mistake}" for mistake in _mistakes(row, rules_of(row))]
    if problems:
        more = [f"and {len(problems) - _SHOWN} more mistakes"] if len(problems) > _SHOWN else []
        told = "mend or remove these lines: models/corpus/README.md tells what they hold, models/exam/README.md for whole mails"
        raise BadFile(*problems[:_SHOWN], *more, told)
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, by number."""
    try:
        data = path.read_bytes()
    except OSError as error:
        told = "name a file of labelled texts, or a folder of them"
        raise BadFile(f"{path}: can't be read ({error.strerror}): {told}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        told = "expected one JSON object a line; save the file as UTF-8"
        raise BadFile(f"{path}:{number}: is not UTF-8 text: {told}") from error
    # Not splitlines: JSON may hold characters that Unicode takes for the end of a line.
    yield from ((number, line) for number, line in enumerate(text.split("\n"), 1) if not line.isspace() and line)


def _row(line: str) -> Row | str:
    """The object on a line, or what is wrong with it."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return f"is not JSON ({error.msg} at character {error.pos + 1}): expected one whole object, {{...}}, on the line"
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets within brackets
        return f"is not JSON that can be read ({error}): expected one whole object, {{...}}, on the line"
    return row if isinstance(row, dict) else f"expected one object, {{...}}, got {_shown(row)}"


def _mistakes(row: Row, rules: Rules) -> list[str]:
    missing = [key for key in rules if key not in row]
    if missing:
        return [f"has no {', '.join(missing)}"]
    wrong = [(key, expected) for key, (expected, allows) in rules.items() if not allows(row[key])]
    return [f"{key}: expected {expected}, got {_shown(row[key])}" for key, expected in wrong]


def _shown(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=True)
    return said if len(said) <= _QUOTED else f"{said[:_QUOTED]}..."


# --- what is expected


def _one_of(names: Sequence[str], *, or_null: bool = False) -> Rule:
    allowed: tuple[str | None, ...] = (None, *names) if or_null else tuple(names)
    *first, last = [*names, "null"] if or_null else names
    return f"{', '.join(first)} or {last}", allowed.__contains__


def _is_text(value: Any) -> bool:
    """Whether it is text that can be written as UTF-8: JSON may hold half a character."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _list_of(what: str, allows: Callable[[Any], bool]) -> Rule:
    return f"a list of {what}", lambda value: isinstance(value, list) and all(map(allows, value))


def _is_mail(value: Any) -> bool:
    """Whether it is a mail that says when it was sent."""
    if not _is_text(value):
        return False
    try:
        return parsedate_to_datetime(str(email.message_from_string(value)["Date"])) is not None
    except (ValueError, OverflowError):
        return False


def _is_country(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch("(?:[A-Z]{2})?", value))


def _is_labelled_day(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("text")) and value.get("kind") in _KINDS


def _is_resolved_day(value: Any) -> bool:
    return _is_labelled_day(value) and "day" in value and _is_day(value["day"])


def _is_day(value: Any) -> bool:
    """Null, a day, or the earliest and the latest with a slash between."""
    if value is None:
        return True
    try:
        return isinstance(value, str) and len([date.fromisoformat(each) for each in value.split("/")]) <= 2
    except ValueError:
        return False


_REASONS, _INTENTS, _KINDS = tuple(map(str, Reason)), tuple(map(str, Intent)), tuple(map(str, DateKind))
_READINGS = (*_REASONS, str(Intent.RESCHEDULE), str(Intent.NONE))
_TEXT: Rule = ("text", _is_text)
_TEXT_OR_NULL: Rule = ("text or null", lambda value: value is None or _is_text(value))
_FLAG: Rule = ("true or false", lambda value: isinstance(value, bool))
_TEXTS = _list_of("texts", _is_text)
_REASON = _one_of(_REASONS)
_REASON_OR_NULL = _one_of(_REASONS, or_null=True)
_NO_REASON: Rule = ("null, for only what cancels has a reason", lambda value: value is None)
_LANG = _one_of(("en", "es"))
_DAY = f'{{"text": ..., "kind": {_one_of(_KINDS)[0]}}}'
_RESOLVED = f'{_DAY[:-1]}, "day": null, YYYY-MM-DD or two of these with a slash between}}'

_OF_ALL: Rules = {
    "id": _TEXT,
    "lang": _LANG,
    "intent": _one_of(_INTENTS),
    "reason": _REASON_OR_NULL,
    "sensitive": _one_of(tuple(map(str, Sensitive)), or_null=True),
    "opt_out": _FLAG,
}
_CORPUS: Rules = {
    **_OF_ALL,
    "subject": _TEXT,
    "text": _TEXT,
    "subreason": _one_of(SUBREASONS, or_null=True),
    "second_reason": _REASON_OR_NULL,
    "firm": _FLAG,
    "hard": _one_of(HARD, or_null=True),
    "asked": _TEXT_OR_NULL,
    "dates": _list_of(_DAY, _is_labelled_day),
}
_MAIL: Rules = {
    **_OF_ALL,
    "country": ("two letters such as US, or nothing", _is_country),
    "also": _list_of(", ".join(_READINGS), _READINGS.__contains__),
    "hard": _FLAG,
    "dates": _list_of(_RESOLVED, _is_resolved_day),
    "mail": ("a mail with a Date among its headers", _is_mail),
}
# Others label as they like: only what counts in a figure is looked at.
_OTHER: Rules = {
    "id": ("text or a number", lambda value: isinstance(value, str | int)),
    "lang": _TEXT,
    "subject": _TEXT_OR_NULL,
    "body": _TEXT,
    "label_intent": _TEXT,
    "label_reason": _TEXT_OR_NULL,
    "also": _TEXTS,
    "also_intent": _TEXTS,
    "hard_negative": _FLAG,
}


def _by_intent(rules: Rules) -> Mapping[str, Rules]:
    return {intent: {**rules, "reason": _REASON if intent == Intent.CANCEL else _NO_REASON} for intent in _INTENTS}


_OF_CORPUS, _OF_MAIL = _by_intent(_CORPUS), _by_intent(_MAIL)
_CANCELLATION_OF_OTHERS = {**_OTHER, "label_reason": _REASON}


def of_corpus(row: Row) -> Rules:
    """The rules of models/corpus/README.md for a line, as far as the program asks."""
    return _OF_CORPUS.get(str(row.get("intent")), _CORPUS)


def of_mails(row: Row) -> Rules:
    """The rules of models/exam/README.md for a line."""
    return _OF_MAIL.get(str(row.get("intent")), _MAIL)


def of_others(row: Row) -> Rules:
    """What a line in the format of others must hold: see `evaluate/others.py`."""
    return _CANCELLATION_OF_OTHERS if row.get("label_intent") == "cancel" else _OTHER


def format_of(row: Row) -> Callable[[Row], Rules]:
    """Which of the three formats a line has."""
    if "label_intent" in row:
        return of_others
    return of_mails if "mail" in row else of_corpus
