"""Read the bytes of a mail into a Message. Asks nobody, believes nothing, and loses no word a person could have read.

mail-parser reads addresses, date and structure. It gets a lean copy of the mail: trace headers and the bodies of
attachments cost most of the time and carry no text, and it is quadratic or fails on some hostile ones. What it loses is
recovered from the parts themselves, and every recovery has its line in `Message.defects`.
"""

from __future__ import annotations

import binascii
import codecs
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import Message as Part
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from typing import Any

import mailparser
from lxml import etree

from pipeline.core.records import Address, Calendar, Failure, Message, Raw
from pipeline.errors import Unreadable

MAX_HEADER = 20_000  # bytes of one header field; an honest one is far below
MAX_HEADERS = 100_000  # bytes of all of them
MAX_HEAD = 1_000_000  # bytes in which the empty line below the headers is looked for
MAX_PARTS = 1_000
MAX_DEPTH = 100
MAX_TEXT = 1_000_000  # bytes of all text parts together
MAX_ATTACHED_TEXT = 64_000  # bytes of a text attachment: it is read only if the mail has no other text
MAX_CALENDAR = 200_000
MAX_THREAD = 20
MAX_NAME = 128
MAX_SUBJECT = 1_000

ADDRESS_HEADERS = ("from", "to", "cc", "reply-to")
STRUCTURE_HEADERS = ("date", "content-type", "content-transfer-encoding", "content-disposition")

STRUCTURE_DEFECTS = {
    "CloseBoundaryNotFoundDefect": "the last boundary is missing, the mail may be cut off",
    "MultipartInvariantViolationDefect": "a multipart without parts",
    "NoBoundaryInMultipartDefect": "a multipart without a boundary",
    "StartBoundaryNotFoundDefect": "the boundary of a multipart never occurs",
}


def parse(raw: Raw) -> Message:
    """The message in a raw mail; `text` is all of its visible text, `quoted` is empty (cutting comes later).

    Raises Unreadable, and nothing else, for bytes that hold no mail or too hostile a one.
    """
    try:
        return _message(raw)
    except Unreadable:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise Unreadable(f"the mail can't be read ({kind}: {error}); open it in a mail program") from error


class _Defects(list[str]):
    """What was lost or recovered, each thing once, in the order it was met."""

    def note(self, defect: str) -> None:
        if defect not in self:
            self.append(defect)


def _message(raw: Raw) -> Message:
    defects = _Defects()
    head, body = _divided(raw.data)
    fields, stray = _fields(head, defects)
    if not raw.whole:
        defects.note("too big: only the headers were taken over")
    content = b"" if not raw.whole else stray + body
    if not fields and not content.strip():
        raise Unreadable("the mail is empty; nothing is lost by deleting it")
    parsed, top = _parsed(fields, content, defects)
    found = _Found(defects)
    text = found.text(top) if raw.whole else ""
    headers = tuple((name, _line(_words(value))) for name, value in fields)
    senders = _mailboxes(parsed, "from", defects)
    return Message(
        key=raw.key,
        message_id=_message_id(_first(headers, "message-id")),
        sender=_sender(parsed, fields, senders, defects),
        senders=senders,
        reply_to=_mailboxes(parsed, "reply-to", defects),
        recipients=_mailboxes(parsed, "to", defects) + _mailboxes(parsed, "cc", defects),
        subject=_visible(_first(headers, "subject"))[:MAX_SUBJECT],
        text=text,
        headers=headers,
        thread=_thread(headers),
        calendar=found.calendar(),
        sent=_sent(parsed, _first(headers, "date"), raw.arrived, defects),
        arrived=raw.arrived,
        content_type=top.get_content_type(),
        report_type=_parameter(top, "report-type").lower(),
        failures=found.failures(),
        returned_id=found.returned_id(),
        defects=tuple(defects),
        old=raw.old,
    )


def _parsed(
    fields: Sequence[tuple[str, str]], content: bytes, defects: _Defects
) -> tuple[mailparser.MailParser | None, Part]:
    """What mail-parser makes of the lean mail, and its parts; the standard library's parts alone if it fails."""
    structure = _structure(fields)
    lean = b"".join(_lean_headers(fields)) + b"\n" + _lean_body(structure, content, defects)
    try:
        parsed = mailparser.parse_from_bytes(lean)
    except Exception as error:  # noqa: BLE001 - it raises whatever its own bugs raise: four kinds are known
        defects.note(f"mail-parser failed ({type(error).__name__}): sender and date are not known")
        return None, message_from_bytes(lean)
    return parsed, parsed.message


# Headers


def _divided(data: bytes) -> tuple[bytes, bytes]:
    """Header block and body, with `\\n` line ends. A byte order mark and empty lines at the top are no part of a mail."""
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\n")
    end = data.find(b"\n\n", 0, MAX_HEAD)
    if end < 0:
        return data[:MAX_HEAD], data[MAX_HEAD:]
    return data[:end], data[end + 2 :].replace(b"\r", b"\n")


_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_KNOWN_FIELD = re.compile(rb"(?:from|to|subject|date|message-id|mime-version|content-[a-z-]+|received|x-[a-z-]+):", re.I)


def _fields(head: bytes, defects: _Defects) -> tuple[list[tuple[str, str]], bytes]:
    """The header fields in their order: lower-case name, one-line value (encoded words not decoded), and what is none.

    A line that is no header ends the block (the text follows without an empty line), unless well-known headers come
    after it: then the line alone is dropped. Raises Unreadable if there are more than MAX_HEADERS bytes of headers.
    """
    lines = head.split(b"\n")
    found: list[tuple[bytes, list[bytes]]] = []
    stray = b""
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and found:
            found[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _FIELD_NAME.fullmatch(name):
            found.append((name, [value]))
        elif number == 0 and line.startswith((b"From ", b">From ")):
            continue  # the separator of an mbox file
        elif found and _last_known(lines) > number:
            defects.note(f"a line among the headers is none: {_line(_unlabelled(line[:80]))!r}")
        else:
            defects.note("no empty line between headers and text" if found else "no headers")
            stray = b"\n".join(lines[number:]) + b"\n\n"
            break
    return [_field(name, values, defects) for name, values in _within_limits(found, defects)], stray


def _last_known(lines: list[bytes]) -> int:
    return next((number for number in range(len(lines) - 1, -1, -1) if _KNOWN_FIELD.match(lines[number])), -1)
