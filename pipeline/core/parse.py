"""Read the bytes of a mail into a Message. Asks nobody, believes nothing, and keeps every word a person could have read.

mail-parser reads addresses and date from a lean copy of the headers, the standard library divides a lean copy of the
body: trace headers and attachments cost most of the time and hold no word, and mail-parser loses text, mixes in that of
attached mails, and on some structures raises. `Message.defects` names what was lost, and what was recovered how.
"""

from __future__ import annotations

import binascii
import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, message_from_string
from email.message import Message as Part
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, NamedTuple

import mailparser
from lxml import etree  # type: ignore[import-untyped, unused-ignore]

from pipeline.core.records import Address, Calendar, Failure, Message, Raw
from pipeline.errors import Unreadable

# In bytes unless named otherwise. An honest mail is far below each of them.
MAX_HEAD = 1_000_000  # in which the empty line below the headers is looked for
MAX_HEADERS = 100_000
MAX_HEADER = 20_000
MAX_PARTS = 1_000  # parts
MAX_DEPTH = 100  # multiparts inside each other
MAX_TEXT = 4_000_000  # all text parts together
MAX_LINES = 100_000  # lines of one part
MAX_ATTACHED = 64_000  # a text attachment, which is read only if there is no other text
MAX_CALENDAR = 200_000
MAX_FAILURES = 1_000  # recipients of a delivery report
MAX_SHEET = 50_000  # the style sheets of an HTML text
MAX_RULES = 200  # rules in them
MAX_TAGS = 40_000  # tags of an HTML text: libxml2 looks for the start of an end tag in all that are open
MAX_THREAD = 20  # Message-IDs
MAX_DEFECTS = 50
MAX_NAME = 128  # characters
MAX_SUBJECT = 1_000  # characters

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=2)  # a Date may lie so far behind the arrival and still be believed

Fields = list[tuple[str, str]]

# A server strips what claims to come from itself (RFC 8601 section 5), and reads no encoded words while it looks for that.
_UNDECODED = frozenset({"authentication-results"})


def parse(raw: Raw) -> Message:
    """The message in a raw mail: `text` is all of its visible text, history included, and `quoted` is empty.

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
    """What was lost or recovered: each thing once, in the order it was met."""

    def note(self, defect: str) -> None:
        defect = _line(defect)
        if len(self) < MAX_DEFECTS and defect not in self:
            self.append(defect)


def _message(raw: Raw) -> Message:
    defects = _Defects()
    head, body = _divided(raw.data)
    fields, stray = _fields(head, defects)
    body = b"\n\n" + stray + body if stray else body
    if not raw.whole:
        body = b""
        defects.note("too big")
    if not fields and (not body or body.isspace()):
        raise Unreadable("the mail is empty: there is nothing to answer")
    top = message_from_bytes(_lean_mail(fields, body, defects))
    writer = _mail_parser(fields, ("from", "reply-to", "cc", "date"), mailparser.parse_from_bytes, defects)
    addressee = _mail_parser(fields, ("to",), _as_before, defects)
    found = _Found(defects)
    text = found.text(top) if raw.whole else ""
    headers = tuple((name, _line(value if name in _UNDECODED else _words(value, defects))) for name, value in fields)
    senders = _mailboxes(writer, fields, "from", defects)
    return Message(
        key=raw.key,
        message_id=_message_id(_first(headers, "message-id")),
        sender=_sender(fields, senders, defects, checked=writer is not None),
        senders=senders,
        reply_to=_mailboxes(writer, fields, "reply-to", defects),
        recipients=_mailboxes(addressee, fields, "to", defects) + _mailboxes(writer, fields, "cc", defects),
        subject=_first(headers, "subject")[:MAX_SUBJECT],
        text=text,
        headers=headers,
        thread=_thread(headers),
        calendar=found.calendar(),
        sent=_sent(writer, _first(headers, "date"), raw.arrived, defects),
        arrived=raw.arrived,
        content_type=top.get_content_type(),
        report_type=_parameters(top).get("report-type", "").lower(),
        failures=found.failures(),
        returned_id=found.returned_id(),
        defects=tuple(defects),
        old=raw.old,
    )


# --- headers


def _divided(data: bytes) -> tuple[bytes, bytes]:
    """Header block with `\\n` line ends, and the rest from the empty line on, as it is."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.find(b"\n", 0, MAX_HEAD) < 0:
        data = data.replace(b"\r", b"\n")
    elif data.find(b"\r\r\n", 0, MAX_HEADER) >= 0:
        data = data.replace(b"\r\r\n", b"\n")
    data = data.lstrip(b"\r\n")
    end = _blank_line(data, 0, MAX_HEAD)
    end = min(MAX_HEAD, len(data)) if end < 0 else end
    return data[:end].replace(b"\r\n", b"\n"), data[end:]


def _blank_line(data: bytes, start: int, end: int) -> int:
    """Where the line above the first empty line ends, or -1. The usual kind of line end is looked for first."""
    line_end = data.find(b"\n", start, end)
    first, second = (b"\n\r\n", b"\n\n") if data[line_end - 1 : line_end] == b"\r" else (b"\n\n", b"\n\r\n")
    found = data.find(first, start, end)
    other = data.find(second, start, end if found < 0 else found)
    return found if other < 0 else other


_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_KNOWN_FIELD = re.compile(rb"(?:from|to|subject|date|message-id|mime-version|content-[a-z-]+|received|x-[a-z-]+):", re.I)


def _fields(head: bytes, defects: _Defects) -> tuple[Fields, bytes]:
    """The headers in their order, as (lower-case name, one line), and the lines that already belong to the text.

    A line that is no header ends the block, as in every parser; but if known headers follow it, only the line is
    dropped, for those headers may say how to read the text.
    """
    lines = head.split(b"\n")
    last_known: int | None = None
    found: list[list[bytes]] = []
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and found:
            found[-1].append(line)
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _FIELD_NAME.fullmatch(name):
            found.append([name, value])
            continue
        if number == 0 and line.startswith((b"From ", b">From ")):
            continue  # the line between two mails in an mbox file
        if last_known is None:
            last_known = max((n for n, known in enumerate(lines) if _KNOWN_FIELD.match(known)), default=-1)
        if last_known < number:
            defects.note("no empty line below the headers" if found else "no headers")
            return _limited(found, defects), b"\n".join(lines[number:])
        defects.note(f"a line among the headers is none: {_line(_guessed(line[:80]))!r}")
    return _limited(found, defects), b""


def _limited(found: list[list[bytes]], defects: _Defects) -> Fields:
    """The fields as text. One that is too long is cut, too many make the mail Unreadable."""
    fields = []
    total = 0
    for name, *values in found:
        key = name.decode("ascii").lower()
        value = b" ".join(part.strip(b" \t") for part in values)
        if len(value) > MAX_HEADER:
            defects.note(f"{key[:40]} is cut, it has {len(value)} bytes")
            value = value[:MAX_HEADER]
            value = value[: max(value.rfind(b","), value.rfind(b" "))]  # not inside an address or an encoded word
        total += len(name) + len(value) + 4  # colon, space, line end
        if total > MAX_HEADERS:
            raise Unreadable(f"its headers are longer than {MAX_HEADERS // 1000} kB; look at it in a mail program")
        # What is hidden in it stays: an address with something hidden in it is no address.
        text = _header_text(value, defects)
        fields.append((key, text if text.isprintable() else _SPACE_IN_LINE.sub(" ", text).strip()))
    return fields


def _header_text(value: bytes, defects: _Defects) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        defects.note("a header with raw 8-bit characters")
        return _guessed(value)


def _first(fields: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in fields if key == name), "")


_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")


def _words(value: str, defects: _Defects | None = None) -> str:
    """A header value with its encoded words decoded (RFC 2047). Broken ones stay as they are; linear, never raises."""
    if "=?" not in value:
        return value
    out: list[str] = []
    run: list[bytes] = []
    charset = ""
    end = 0
    for word in _WORD.finditer(value):
        gap = value[end : word.start()]
        data = _word_bytes(word[2], word[3])
        if data is None:
            continue
        name = word[1].partition("*")[0].lower()
        # Neighbours of one charset are decoded together: mailers split characters between them.
        if run and (gap.strip() or name != charset):
            out.append(_decoded(b"".join(run), charset, defects))
            run = []
        if gap.strip() or end == 0:
            out.append(gap)
        run.append(data)
        charset = name
        end = word.end()
    if run:
        out.append(_decoded(b"".join(run), charset, defects))
    return "".join(out) + value[end:]


def _word_bytes(encoding: str, text: str) -> bytes | None:
    raw = text.encode("utf-8")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None


# What a reader can't see or what reorders it: zero widths, bidi controls, tags, lone surrogates, and NUL.
_HIDDEN = "\x00\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f"
_BREAKS = "\r\x0b\x0c\x85\u2028\u2029"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_HIDDEN_IN_LINE = re.compile(f"[{_HIDDEN}]")
_SPACE_IN_LINE = re.compile(f"[\x01-\x1f\x7f-\x9f{_BREAKS}{_SPACES}]")
_ODD_IN_TEXT = re.compile(f"\r\n?|[\x01-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}{_BREAKS}{_SPACES}]")


def _line(text: str) -> str:
    """One line of what can be shown, so that a value never becomes a second header."""
    if text.isprintable():
        return text.strip()
    spaced = _SPACE_IN_LINE.sub(" ", _HIDDEN_IN_LINE.sub("", text))
    return "".join(character for character in spaced if character.isprintable()).strip()


def _tidy(text: str) -> str:
    """Body text with `\\n` line ends and plain spaces, without what can't be seen."""
    return _ODD_IN_TEXT.sub(_tidied, text)


def _tidied(odd: re.Match[str]) -> str:
    if odd[0][0] in _BREAKS:
        return "\n"
    return " " if odd[0].isspace() else ""


# --- addresses, identities, times


def _mail_parser(fields: Fields, names: Iterable[str], read: Callable[[bytes], Any], defects: _Defects) -> Any:
    """What mail-parser makes of these headers, or None. A repeated one is read as one, so that no address is overlooked."""
    wanted = {name: [value for key, value in fields if key == name] for name in names}
    lean = "".join(f"{name}: {', '.join(values)}\n" for name, values in wanted.items() if values)
    try:
        return read(f"{lean}\n".encode())
    except Exception as error:  # noqa: BLE001 - it raises whatever its own bugs raise
        defects.note(f"mail-parser failed ({type(error).__name__}), the standard library read the addresses")
        return None


_as_before = lru_cache(maxsize=64)(mailparser.parse_from_bytes)  # the mails of a mailbox have nearly always the same To

# Local part: dot-atom (RFC 5322 section 3.2.3); domain: labels (RFC 1123), both also in other scripts (RFC 6532).
_LABEL = r"(?:[0-9A-Za-z_-]|[^\x00-\x7f]){1,63}"
_MAILBOX = re.compile(rf"[\w!#$%&'*+/=?^`{{|}}~.\x80-\U0010ffff-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_LIKE_ADDRESS = re.compile(r"[^\s<>()\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,255}")


def _mailboxes(parser: Any, fields: Fields, header: str, defects: _Defects) -> tuple[Address, ...]:
    if parser is None:
        found = getaddresses([value for name, value in fields if name == header])
    else:
        found = getattr(parser, header.replace("-", "_") + "_")
    addresses = []
    for name, spec in found:
        address = _address(name, spec)
        if address is not None:
            addresses.append(address)
        elif spec:
            defects.note(f"{header}: {_line(spec)[:80]!r} is no address")
    return tuple(addresses)


def _address(name: str, spec: str) -> Address | None:
    spec = unicodedata.normalize("NFC", spec)
    local, _, domain = spec.rpartition("@")
    if len(domain) > 253 or "=?" in spec or not spec.isprintable() or not _MAILBOX.fullmatch(spec):
        return None  # an encoded word in an address (RFC 2047 section 5 forbids it) is a trap for whoever decodes it
    return Address(name=_name(name), address=f"{local}@{domain.lower()}")


def _name(name: str) -> str:
    """A display name on one line: NFC, nothing invisible, at most MAX_NAME characters."""
    # mail-parser leaves encoded words that hold line breaks as they are.
    plain = _line(unicodedata.normalize("NFC", _words(name[: 4 * MAX_NAME])))
    return " ".join("".join(c for c in plain if c.isprintable()).split())[:MAX_NAME].strip()


def _sender(fields: Fields, senders: tuple[Address, ...], defects: _Defects, *, checked: bool) -> Address | None:
    """The one mailbox in From, or None: whoever is answered must be beyond doubt (CVE-2023-27043).

    `checked`: mail-parser found them; the standard library is the second reader then, and else whatever looks like one.
    """
    values = [value for name, value in fields if name == "from"]
    if len(values) != 1 or len(senders) != 1:
        defects.note("several From addresses" if len(values) > 1 or len(senders) > 1 else "no valid From address")
        return None
    sender = senders[0]
    if set(_LIKE_ADDRESS.findall(sender.name.lower())) - {sender.key}:
        defects.note("display name looks like another address")
        return sender
    second = {spec.lower() for _, spec in getaddresses(values) if "@" in spec}
    if not checked:
        second.update(_LIKE_ADDRESS.findall(values[0].lower()))
    if second != {sender.key}:
        defects.note("two readings of From disagree")
        return None
    return sender


_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,400}@[!-;=?-~]{1,400}>")


def _message_id(value: str) -> str | None:
    found = _MESSAGE_ID.match(value)
    return found[0] if found else None


def _thread(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """References, then In-Reply-To, each id once. A long thread keeps its first id, which names it, and the last ones."""
    values = [_first(headers, "references"), _first(headers, "in-reply-to")]
    ids = list(dict.fromkeys(found for value in values for found in _MESSAGE_ID.findall(value)))
    if len(ids) > MAX_THREAD:
        ids = [ids[0], *ids[1 - MAX_THREAD :]]
    return tuple(ids)


def _sent(parser: Any, value: str, arrived: datetime, defects: _Defects) -> datetime | None:
    sent: datetime | None = parser.date if parser is not None else None
    if sent is None and value:
        sent = _lenient_date(value)
        defects.note("a Date that breaks the rules" if sent else "a Date that can't be read")
    if sent is not None and not EARLIEST <= sent <= arrived + CLOCK_SKEW:
        defects.note("a Date that can't be true")
        return None
    return sent


def _lenient_date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value[:100])
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


# --- the lean mail

_STRUCTURE = frozenset({"content-type", "content-transfer-encoding", "content-disposition"})
_CONTENT_TYPE = re.compile(rb"^content-type[ \t]*:((?:.*\n[ \t])*.*)", re.I | re.M)
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext"})
_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})


class _Section(NamedTuple):
    """A part as it lies in the bytes: its delimiter line, its headers, and from where to where the rest goes."""

    delimiter: bytes
    head: bytes
    kind: str
    start: int
    end: int


def _lean_mail(fields: Fields, body: bytes, defects: _Defects) -> bytes:
    """The mail without what holds no text of its own (other headers, attachments, attached mails) or too much of it."""
    structure = {name: value for name, value in reversed(fields) if name in _STRUCTURE}
    content_type = structure["content-type"] = _with_boundary(structure.get("content-type", ""), body, defects)
    lean = [b"MIME-Version: 1.0", *(f"\n{name}: {value}".encode() for name, value in structure.items() if value)]
    room = MAX_TEXT
    for section in _sections(content_type, body, defects):
        most = min(room, _wanted(section, body))
        kept = _first_bytes(body, section.start, section.end, most)
        if section.kind in _TEXTS and len(kept) < section.end - section.start:
            defects.note("more text than is read")
        room -= len(kept)
        lean += [section.delimiter, section.head, kept]
    return b"".join(lean).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _first_bytes(body: bytes, start: int, end: int, most: int) -> bytes:
    """The whole lines in the first bytes of a part, with the line ends that separate it from its headers."""
    if end - start <= most and body.count(b"\n", start, end) <= MAX_LINES:
        return body[start:end]
    lines = body[start : min(end, start + most)].lstrip(b"\r\n").split(b"\n", MAX_LINES)[:MAX_LINES]
    kept = b"\n".join(lines)
    return b"\n\n" + (kept[: kept.rfind(b"\n") + 1] or kept)


_LIKELY_DELIMITER = re.compile(rb"\n--([!-~]{1,200})[ \t]*\r?\nContent-", re.I)


def _with_boundary(content_type: str, body: bytes, defects: _Defects) -> str:
    """The Content-Type of the mail. If its boundary never occurs, but another one does, it has that."""
    kind, boundary = _kind(content_type)
    if not kind.startswith("multipart/") or (boundary and b"\n--" + boundary in body):
        return content_type
    likely = _LIKELY_DELIMITER.search(body)
    if likely is None:
        return content_type
    defects.note("the boundary was guessed")
    part = Part()
    part["content-type"] = content_type
    part.set_param("boundary", likely[1].decode("ascii"))
    return str(part["content-type"])


def _wanted(section: _Section, body: bytes) -> int:
    """How many bytes of a part may matter."""
    head = section.head.lower()
    if section.kind in ("text/calendar", "application/ics") or b".ics" in head:
        return MAX_CALENDAR
    if section.kind in _TEXTS:
        return MAX_ATTACHED if b"attachment" in head else MAX_TEXT
    if section.kind in _REPORTS or section.kind.startswith("multipart/"):
        return MAX_TEXT
    if section.kind in _RETURNED:
        end = _blank_line(body, section.start + 3, min(section.end, section.start + MAX_HEADERS))
        return end + 1 - section.start if end >= 0 else MAX_HEADERS  # its Message-ID matters, its text was not said to us
    return 0


def _sections(content_type: str, body: bytes, defects: _Defects) -> Iterator[_Section]:
    """The parts of a body, preambles and epilogues too, divided as the standard library divides; one pass.

    `body` begins with an empty line, so that every delimiter has a line end before it.
    """
    kind, boundary = _kind(content_type)
    inside = [boundary] if boundary else []
    delimiter = head = b""
    begin = parts = 0
    following = body.find(b"\n--") if inside else -1
    while inside and following >= 0:
        at = following
        stop = _or_end(body.find(b"\n", at + 1), body)
        following = body.find(b"\n--", stop)
        boundary, closes = _delimiter(body[at + 3 : stop].rstrip(b" \t\r"), inside)
        if boundary is None:
            continue
        yield _Section(delimiter, head, kind, begin, at)
        while inside[-1] != boundary:
            inside.pop()
        delimiter = body[at:stop]
        if closes:
            inside.pop()
            head, kind, begin = b"", "multipart/epilogue", stop
            continue
        parts += 1
        if parts > MAX_PARTS:
            defects.note(f"more than {MAX_PARTS} parts")
            return
        end = _or_end(following, body)
        begin = _blank_line(body, stop, end + 1)
        begin = end if begin < 0 else begin
        head = body[stop:begin][:MAX_HEADER]
        found = _CONTENT_TYPE.search(head)
        kind, boundary = _kind(found[1].decode("ascii", "surrogateescape") if found else "")
        if boundary and len(inside) >= MAX_DEPTH:
            defects.note(f"parts more than {MAX_DEPTH} levels deep")
            kind = "application/too-deep"
        elif boundary and boundary not in inside:
            inside.append(boundary)
    yield _Section(delimiter, head, kind, begin, len(body))


def _delimiter(line: bytes, inside: list[bytes]) -> tuple[bytes | None, bool]:
    """Which open multipart a line after `--` divides, and whether it ends it."""
    if line in inside:
        return line, False
    if line.endswith(b"--") and line[:-2] in inside:
        return line[:-2], True
    return None, False


def _or_end(position: int, body: bytes) -> int:
    return len(body) if position < 0 else position


def _kind(content_type: str) -> tuple[str, bytes | None]:
    """The type in a Content-Type, `text/plain` if it is none, and the boundary of a multipart."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.count("/") != 1:
        return "text/plain", None
    if not kind.startswith("multipart/"):
        return kind, None
    part = Part()
    part["content-type"] = content_type
    boundary = part.get_boundary()
    return kind, boundary.encode("utf-8", "surrogateescape") if boundary else None


# --- the parts

_STRUCTURE_DEFECTS = {
    "CloseBoundaryNotFoundDefect": "the last boundary is missing: the mail may be cut off",
    "NoBoundaryInMultipartDefect": "a multipart without boundary",
    "StartBoundaryNotFoundDefect": "a multipart whose boundary never occurs",
}
_UNREAD = {
    "application/ms-tnef": "winmail.dat is not read",
    "application/pkcs7-mime": "S/MIME is not read",
    "application/x-pkcs7-mime": "S/MIME is not read",
}
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([a-z0-9_-]{1,40})", re.I)
_MIME_NOTICE = re.compile(r"this is a (?:multi-?part|cryptographically signed) message.*", re.I)


class _Leaf:
    """A text part of this mail, decoded when its words are asked for."""

    def __init__(self, part: Part, defects: _Defects) -> None:
        self._part = part
        self._defects = defects
        self._parameters = _parameters(part)
        self.html = part.get_content_type() in ("text/html", "text/enriched", "text/richtext")
        disposition = part.get_content_disposition()
        self.attached = disposition == "attachment" or (disposition is None and "name" in self._parameters)

    @cached_property
    def text(self) -> str:
        """What a reader sees of it."""
        octets = _octets(self._part, self._defects)
        charset = self._parameters.get("charset", "")
        if self.html and not charset and (meta := _META_CHARSET.search(octets, 0, 2000)):
            charset = meta[1].decode("ascii")
        text = _decoded(octets, charset, self._defects)
        if self.html and re.search("[<&]", text):
            tags = text.split("<", MAX_TAGS)
            if len(tags) > MAX_TAGS:
                self._defects.note("more HTML than is read")
            return _tidy(_visible("<".join(tags[:MAX_TAGS]), self._defects))
        if self._parameters.get("format", "").lower() == "flowed":
            return _unflowed(_tidy(text), self._parameters.get("delsp", "").lower() == "yes")
        return _tidy(text)


class _Found:
    """What a walk over the parts finds: the text, and beside it calendars, delivery reports and returned mails.

    It never goes into an attached mail: what stands there was said by someone else, or long ago.
    """

    def __init__(self, defects: _Defects) -> None:
        self._defects = defects
        self._attached: list[_Leaf] = []
        self._calendars: list[Part] = []
        self._reports: list[Part] = []
        self._returned: list[Part] = []

    def text(self, top: Part) -> str:
        """The visible text; if there is none, that of text attachments, or of what lies outside of the parts."""
        if text := _joined(self._leaves(top)):
            return text
        if text := _joined(self._attached):
            self._defects.note("the text is an attachment")
            return text
        outside = f"{top.preamble or ''}\n{top.epilogue or ''}".encode("utf-8", "surrogateescape")
        text = _tidy(_MIME_NOTICE.sub("", _guessed(outside))).strip()
        if text:
            self._defects.note("the text stands outside of the parts")
        return text

    def _leaves(self, part: Part) -> list[_Leaf]:
        for defect in part.defects:
            if known := _STRUCTURE_DEFECTS.get(type(defect).__name__):
                self._defects.note(known)
        kind = part.get_content_type()
        if kind in _REPORTS:
            self._reports.append(part)
        elif kind in _RETURNED:
            self._returned.append(part)
        elif kind.startswith("multipart/"):
            return self._inside(part, kind)
        elif kind in _TEXTS:
            return self._leaf(part)
        elif kind in ("text/calendar", "application/ics") or _file_name(part).endswith(".ics"):
            self._calendars.append(part)
        elif unread := _UNREAD.get(kind):
            self._defects.note(unread)
        return []

    def _inside(self, part: Part, kind: str) -> list[_Leaf]:
        children = part.get_payload()
        if not isinstance(children, list):
            return self._leaf(part)  # its boundary never occurs: the text stands there in one piece
        if kind == "multipart/encrypted":
            self._defects.note("encrypted")
        leaves = [leaf for child in children if isinstance(child, Part) for leaf in self._leaves(child)]
        return _best(leaves) if kind == "multipart/alternative" else leaves

    def _leaf(self, part: Part) -> list[_Leaf]:
        leaf = _Leaf(part, self._defects)
        if leaf.attached:
            self._attached.append(leaf)
            return []
        return [leaf]

    def calendar(self) -> Calendar | None:
        """The first calendar part that says what it wants."""
        found = (_calendar(part, self._defects) for part in self._calendars)
        return next((calendar for calendar in found if calendar), None)

    def failures(self) -> tuple[Failure, ...]:
        """The recipients in the delivery reports."""
        all_of_them = (failure for part in self._reports for block in _blocks(part) if (failure := _failure(block)))
        found = list(islice(all_of_them, MAX_FAILURES + 1))
        if len(found) > MAX_FAILURES:
            self._defects.note(f"more than {MAX_FAILURES} recipients in a report")
        return tuple(found[:MAX_FAILURES])

    def returned_id(self) -> str | None:
        """The Message-ID of the first mail that is returned or attached."""
        return next((found for part in self._returned if (found := _returned_id(part, self._defects))), None)


_STUB = re.compile(r"\b(?:html|browser|web ?mail|mail (?:client|program|reader)|navegador|cliente de correo)\b", re.I)


def _best(leaves: list[_Leaf]) -> list[_Leaf]:
    """Of alternatives the plain one, unless it is empty or only says that there is a better one."""
    plain = [leaf for leaf in leaves if not leaf.html]
    html = [leaf for leaf in leaves if leaf.html]
    text = _joined(plain)
    if not html or ((len(text) > 400 or not _STUB.search(text)) and any(map(str.isalnum, text))):
        return plain
    return html if _joined(html) else plain


def _joined(leaves: list[_Leaf]) -> str:
    """The texts one below the other. HTML that repeats a text beside it is left out."""
    if len(leaves) == 1:
        return "" if leaves[0].text.isspace() else leaves[0].text.strip("\n")
    texts = []
    words: set[str] = set()
    for leaf in leaves:
        squeezed = "".join(leaf.text.split())
        if squeezed and not (leaf.html and squeezed in words):
            texts.append(leaf.text.strip("\n"))
            words.add(squeezed)
    return "\n\n".join(texts)


def _file_name(part: Part) -> str:
    return (_parameters(part, "content-disposition").get("filename") or _parameters(part).get("name", "")).lower()


def _parameters(part: Part, header: str = "content-type") -> dict[str, str]:
    """The parameters of a MIME header, decoded, each on one line."""
    try:
        found = part.get_params([], header)
        return {name.lower(): _line(_words(collapse_rfc2231_value(value))) for name, value in found[1:]}
    except (ValueError, TypeError, LookupError):  # a NUL in a charset, numbers that can't be (RFC 2231)
        return {}


# --- octets and characters


def _octets(part: Part, defects: _Defects) -> bytes:
    """The body of a part without its transfer encoding. Broken base64 gives what can be read of it."""
    encoding = re.match(r"[\w-]*", str(part.get("content-transfer-encoding", "")).strip().lower())
    name = encoding[0] if encoding else ""
    if name in ("base64", "quoted-printable"):
        del part["content-transfer-encoding"]  # else the library decodes it, and gives up where we need not
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b""
    if name == "quoted-printable":
        return binascii.a2b_qp(data)
    return _from_base64(data, defects) if name == "base64" else data


_BASE64_LINE = re.compile(rb"^[A-Za-z0-9+/]+=*[ \t]*$", re.M)


def _from_base64(data: bytes, defects: _Defects) -> bytes:
    try:
        return binascii.a2b_base64(b"".join(data.split()), strict_mode=True)
    except binascii.Error:
        defects.note("broken base64")
    lines = b"".join(line.strip() for line in _BASE64_LINE.findall(data))
    if not lines:
        return data  # it is no base64 at all
    # What was put together from several pieces has padding in the middle; what was cut off has none at its end.
    pieces = (piece[: len(piece) - (len(piece) % 4 == 1)] for piece in re.split(rb"=+", lines))
    return b"".join(binascii.a2b_base64(piece + b"=" * (-len(piece) % 4)) for piece in pieces)


# Mailers label a superset with the name of its oldest part.
_SUPERSETS = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "cp950",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
}
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"})


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """Python's name of a charset, or None if it knows none, or one that decodes something else than characters."""
    try:
        name = codecs.lookup(_SUPERSETS.get(charset, charset)).name
        b"any".decode(name, "ignore")
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def _decoded(data: bytes, charset: str, defects: _Defects | None = None) -> str:
    """Text by its declared charset, else as UTF-8, else as Windows-1252; never raises.

    What claims to be Western and is valid UTF-8 is UTF-8: the other way round nobody writes.
    """
    charset = charset.strip("'\"").lower()
    if b"\x1b$" in data and charset in ("", "us-ascii", "utf-8"):
        charset = "iso-2022-jp"
    codec = _codec(charset or "utf-8")
    if codec is None and defects is not None:
        defects.note(f"unknown charset {charset[:40]!r}")
    if codec and data.isascii() and codec.startswith(("utf-7", "iso2022", "hz")):
        return data.decode(codec, "replace")  # as UTF-8 it would look right, and be unreadable
    for candidate in ("utf-8", codec) if codec in ("cp1252", "iso8859-15") else (codec, "utf-8"):
        try:
            return data.decode(candidate or "utf-8")
        except UnicodeError:
            continue
    if defects is not None:
        defects.note(f"text that is not {charset[:40] or 'utf-8'}")
    return _guessed(data)


def _guessed(data: bytes) -> str:
    """UTF-8, with every byte that is none read as Windows-1252: so mixed text keeps both."""
    if data.decode("utf-8", "ignore").isascii():
        return data.decode("cp1252", "replace")
    return data.decode("utf-8", "cp1252-in-utf-8")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("cp1252-in-utf-8", _as_cp1252)


def _unflowed(text: str, delsp: bool) -> str:
    """Paragraphs of format=flowed text in one line each, quote marks kept (RFC 3676 section 4)."""
    paragraphs: list[list[str]] = []
    depth = -1  # of the paragraph that is still open
    for line in text.split("\n"):
        content = line.lstrip(">")
        marks = len(line) - len(content)
        content = content.removeprefix(" ")
        signature = content == "-- "
        if marks == depth and not signature:
            paragraphs[-1].append(content)
        else:
            paragraphs.append([f"{'>' * marks} " if marks else "", content])
        if content.endswith(" ") and not signature:
            depth = marks
            if delsp:
                paragraphs[-1][-1] = content[:-1]
        else:
            depth = -1
    return "\n".join(map("".join, paragraphs))


# --- HTML

_UNSEEN = frozenset(
    {"head", "style", "script", "title", "template", "noscript", "noframes", "object", "svg", "select", "datalist", "iframe"}
    | {"s", "strike", "del"}  # what was struck out was said no more
    | {"audio", "video", "canvas", "dialog", "rp", "annotation"}
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "table", "hr"})
_LINES = frozenset(
    {"address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "footer", "form", "header", "html", "li"}
    | {"main", "nav", "section", "tr"}
)
_ATTRIBUTIONS = frozenset({"gmail_attr", "moz-cite-prefix", "reply-intro"})  # classes and ids
_HISTORIES = frozenset(
    {"gmail_quote", "yahoo_quoted", "moz-forward-container", "protonmail_quote", "tutanota_quote", "zmail_extra"}
    | {"olk_src_body_section", "mail-editor-reference-message-container", "ms-outlook-mobile-reference-message"}
)
_HISTORY_BELOW = frozenset({"appendonsend", "divrplyfwdmsg"})  # Outlook: all that follows is history

_CSS_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*(?:\*/)?")
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.S)
_INVISIBLE = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:(?:0*\.0\d*|0+%?)(?![.\d])|max-(?:height|width):0(?![.\d])"
    r"|(?:left|top|right|bottom|text-indent|margin):-(?:[5-9]\d\d|\d{4})|clip:rect\(0|clip-path:(?:inset\((?:50|100)%|circle\(0)"
    r"|scale[3dxy]{0,2}\(0(?![.\d])"
)
_FLAT = re.compile(r"(?<![\w-])(?:height|width):0(?![.\d])")  # which hides what is in it only if that may not flow over
_MAY_HIDE = re.compile(
    r"position:(?:absolute|fixed)|clip|transform:|filter:|mask|blend|animation|hsl|calc\(|var\(|expression\("
)
_FONT_SIZE = re.compile(r"(?<![\w-])font(?:-size)?:[^;\d.]*([\d.]+)([a-z%]*)")
_SMALLEST = {"em": 0.2, "rem": 0.2, "ex": 0.4, "%": 20.0}  # that can be read; of all other units 2
_COLOUR = re.compile(r"(?:^|;)color:([^;!]+)")
_BACKGROUND = re.compile(r"background(?:-color)?:([^;!]+)")
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,([\d.]+))?\)")
_LEAST_CONTRAST = 24  # of 255, in one of the three colours
_NO_MARGIN = re.compile(r"margin(?:-bottom)?:0")
_NO_BORDER = re.compile(r"border:(?:none|medium|0)")  # Gmail indents one's own words with such a blockquote


Colour = tuple[int, int, int] | str  # a name that is not known, and `transparent`, stay words

_WHITE: Colour = (255, 255, 255)
_COLOURS: Mapping[str, Colour | None] = {
    "white": _WHITE,
    "black": (0, 0, 0),
    **dict.fromkeys(("", "none", "inherit", "initial", "unset"), None),
}


def _colour(words: str) -> Colour | None:
    """A colour of CSS; None if the elements around decide."""
    if _HEX.fullmatch(words):
        digits = words[1:] if len(words) > 5 else "".join(digit * 2 for digit in words[1:])
        red, green, blue, alpha = bytes.fromhex(digits.ljust(8, "f"))
        return (red, green, blue) if alpha else "transparent"
    if found := _RGB.fullmatch(words):
        return "transparent" if found[4] and not found[4].strip("0.") else (int(found[1]), int(found[2]), int(found[3]))
    return _COLOURS.get(words, words)


def _alike(ink: Colour, paper: Colour) -> bool:
    if isinstance(ink, str) or isinstance(paper, str):
        return ink in ("transparent", paper)
    return all(abs(one - other) < _LEAST_CONTRAST for one, other in zip(ink, paper, strict=True))


class _Look(NamedTuple):
    """What the style of an element says; None: the elements around it decide. `doubtful`: nobody can tell what is seen."""

    invisible: bool = False
    doubtful: bool = False
    tiny: bool | None = None
    ink: Colour | None = None
    paper: Colour | None = None
    tight: bool = False
    borderless: bool = False

    def over(self, other: _Look) -> _Look:
        """This look, and where it says nothing the other."""
        return self._replace(
            invisible=self.invisible or other.invisible,
            doubtful=self.doubtful or other.doubtful,
            tiny=_or_outer(self.tiny, other.tiny),
            ink=self.ink or other.ink,
            paper=self.paper or other.paper,
        )


def _or_outer(own: bool | None, outer: bool | None) -> bool | None:
    return outer if own is None else own


def _css(source: str) -> str:
    """Style without what is there to be overlooked."""
    plain = _CSS_COMMENT.sub("", source.lower())
    if "\\" not in plain:
        return plain
    return _CSS_ESCAPE.sub(lambda escape: chr(min(int(escape[1], 16), 0x10FFFF)) if escape[1] else escape[2], plain)


@lru_cache(maxsize=1024)
def _look(style: str, colour: str, background: str) -> _Look:
    style = "".join(_css(style[:2000]).split())
    sizes = _FONT_SIZE.findall(style)
    colours = _COLOUR.findall(style) or [colour.lower()]
    backgrounds = _BACKGROUND.findall(style) or [background.lower()]
    paper = _colour(backgrounds[-1])
    return _Look(
        invisible=bool(_INVISIBLE.search(style) or (_FLAT.search(style) and "overflow:hidden" in style)),
        doubtful=bool(_MAY_HIDE.search(style)),
        tiny=_is_tiny(*sizes[-1]) if sizes else None,
        ink=_colour(colours[-1]),
        paper=None if paper == "transparent" else paper,
        tight=bool(_NO_MARGIN.search(style)),
        borderless=bool(_NO_BORDER.search(style)) and "border-left" not in style,
    )


def _is_tiny(size: str, unit: str) -> bool:
    whole, _, rest = size.partition(".")
    return float(f"{whole or 0}.{rest.partition('.')[0] or 0}") < _SMALLEST.get(unit, 2.0)


class _Rule(NamedTuple):
    """A rule of a style sheet: how elements of this tag (if one is named) look that have these classes and this id."""

    tag: str
    names: frozenset[str]
    look: _Look


_SELECTOR = re.compile(r"([a-z][a-z\d]*)?\*?((?:[.#][\w-]+)*)")
_SELECTED = re.compile(r"[.#][\w-]+")
_ALWAYS = re.compile(r"(?:\s*@media\s+(?:only\s+)?(?:screen|all)\s*)?")


def _rules(sheet: str) -> tuple[list[_Rule], bool]:
    """The rules of a style sheet that can be told, and whether it may hide something by others."""
    rules: list[_Rule] = []
    doubtful = len(sheet) > MAX_SHEET
    block = ""
    for chunk in _css(sheet[:MAX_SHEET]).split("}"):
        head, opens, declarations = chunk.rpartition("{")
        around, nests, selectors = head.rpartition("{")
        if nests or not opens:
            block = around  # `@media ... {` begins, or it ends
        look = _look(declarations, "", "")
        hides = look.invisible or look.doubtful or bool(look.tiny)
        for selector in selectors.rpartition(";")[2].split(",") if opens else ():
            plain = _SELECTOR.fullmatch(selector.strip().removeprefix("<!--").strip())
            if plain and _ALWAYS.fullmatch(block) and len(rules) < MAX_RULES:
                rules.append(_Rule(plain[1] or "", frozenset(_SELECTED.findall(plain[2])), look))
            else:
                doubtful = doubtful or hides
    return rules, doubtful


class _Frame:
    """An open element: how its text looks, and how deep in history it stands. Elements that change nothing share one."""

    __slots__ = ("depth", "faint", "history", "ink", "paper", "pre", "tiny")

    def __init__(self, outer: _Frame | None = None, look: _Look | None = None) -> None:
        look = look or _Look()
        self.depth: int = outer.depth if outer else 0
        self.history = 0  # the level of the element if it holds history, until the first quotation in it is over
        self.pre: bool = outer.pre if outer else False
        self.tiny: bool | None = _or_outer(look.tiny, outer.tiny if outer else False)
        self.ink: Colour | None = look.ink or (outer.ink if outer else None)
        self.paper: Colour = look.paper or (outer.paper if outer else _WHITE)
        self.faint = self.ink is not None and _alike(self.ink, self.paper)


class _Page:
    """A parser target that writes down what a reader sees, a line for each block; history begins with `> `."""

    def __init__(self, rules: Sequence[_Rule] = (), *, colours: bool) -> None:
        self.rules = [*rules]
        self.doubtful = False  # whether its style may hide words
        self.late = False  # whether a style sheet came below words
        self._colours = colours
        self._sheet: list[str] | None = None  # the style sheet that is being read
        self._looks: dict[tuple[str, frozenset[str]], _Look] = {}
        self._frames = [_Frame()]
        self._unseen = 0  # open elements from an unseen one on
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._gap = False  # white space since the last piece
        self._empty = False  # a no-break space, with which programs write an empty line
        self._depth = 0  # of the line that is being written
        self._below = 0  # 1 below the mark under which all is history

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        if tag == "style":
            self._sheet = []
        frame = None if self._unseen or tag in _UNSEEN else self._opened(tag, attributes)
        if frame is None:
            self._unseen += 1
        else:
            self._frames.append(frame)

    def end(self, tag: str) -> None:
        """Close it; libxml2 closes every element that it opens, in order."""
        if tag == "style":
            self._obey("".join(self._sheet or ()))
        if self._unseen:
            self._unseen -= 1
            return
        self._frames.pop()
        if tag in _PARAGRAPHS or tag in _LINES:
            self._break()
        outer = self._frames[-1]
        if tag == "blockquote" and outer.history == len(self._frames):
            outer.depth -= 1  # what stands between and below its quotations answers them
            outer.history = 0

    def data(self, text: str) -> None:
        """Write text, white space collapsed."""
        frame = self._frames[-1]
        if self._sheet is not None:
            self._sheet.append(text)
        if self._unseen or frame.tiny or (self._colours and frame.faint):
            return
        depth = frame.depth or self._below
        if depth != self._depth:
            self._break()
            self._depth = depth
        if frame.pre:
            *above, text = text.split("\n")
            for line in above:
                self._pieces.append(line)
                self._break()
            self._pieces.append(text)
            return
        words = " ".join(text.split())
        self._empty = self._empty or (not words and "\xa0" in text)
        if words:
            if self._pieces and (self._gap or text[0].isspace()):
                self._pieces.append(" ")
            self._pieces.append(words)
        self._gap = not words or text[-1].isspace()

    def close(self) -> str:
        """The text."""
        self._break()
        return "\n".join(self._lines).strip("\n")

    def _opened(self, tag: str, attributes: Mapping[str, str]) -> _Frame | None:
        """The frame of an element, or None if a reader does not see it."""
        outer = self._frames[-1]
        if not attributes and not self.rules and tag not in ("blockquote", "pre"):
            self._separate(tag)
            return outer
        look = self._look(tag, attributes)
        self.doubtful |= look.doubtful
        if look.invisible or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return None
        classes = attributes.get("class", "").lower().split()
        ident = attributes.get("id", "").lower()
        self._separate(tag, tight=look.tight or "msonormal" in classes)
        if ident in _HISTORY_BELOW:
            self._below = 1
        frame = _Frame(outer, look)
        frame.pre |= tag == "pre"
        names = {*classes, ident}
        if tag == "blockquote":
            if not look.borderless and outer.history != len(self._frames):
                frame.depth += 1
        elif not _HISTORIES.isdisjoint(names):
            frame.depth += 1
            frame.history = len(self._frames) + 1
        elif not _ATTRIBUTIONS.isdisjoint(names):
            frame.depth = max(frame.depth, 1)
        return frame

    def _look(self, tag: str, attributes: Mapping[str, str]) -> _Look:
        colour = attributes.get("color") or (attributes.get("text", "") if tag == "body" else "")
        look = _look(attributes.get("style", ""), colour, attributes.get("bgcolor", ""))
        if not self.rules:
            return look
        names = frozenset(f".{name}" for name in attributes.get("class", "").lower().split())
        if ident := attributes.get("id", "").lower():
            names |= {f"#{ident}"}
        if (tag, names) not in self._looks:
            fitting = _Look()
            for rule in self.rules:
                if rule.tag in ("", tag) and rule.names <= names:
                    fitting = rule.look.over(fitting)
            self._looks[tag, names] = fitting
        return look.over(self._looks[tag, names])

    def _obey(self, sheet: str) -> None:
        """Take over the rules of a style sheet; what stands above it must be read again with them."""
        self._sheet = None
        rules, doubtful = _rules(sheet)
        self.rules += rules[: MAX_RULES - len(self.rules)]
        self.doubtful |= doubtful or len(self.rules) == MAX_RULES
        self.late |= bool(rules) and bool(self._lines or self._pieces)
        self._looks.clear()

    def _separate(self, tag: str, *, tight: bool = False) -> None:
        if tag in _PARAGRAPHS:
            self._break()
            if not tight:
                self._append("")
        elif tag in _LINES:
            self._break()
        elif tag == "br":
            if self._pieces:
                self._break()
            else:
                self._append("")
        elif tag in ("td", "th"):
            self._gap = True
        if tag == "li":
            self._pieces.append("- ")

    def _break(self) -> None:
        if line := "".join(self._pieces).rstrip():
            self._append("> " * self._depth + line)
        elif self._empty:
            self._append("")
        self._pieces = []
        self._gap = self._empty = False

    def _append(self, line: str) -> None:
        if line or (self._lines and self._lines[-1]):
            self._lines.append(line)


_LONG_TAG = re.compile(r"<(\w{1,20})[^<>]{5000,}>")  # libxml2 compares every attribute with every other


def _visible(source: str, defects: _Defects) -> str:
    """The words of an HTML text that a reader sees. Ink like the paper counts as unseen, unless nothing else is there."""
    data = _LONG_TAG.sub(r"<\1>", source.replace("\0", "")).encode("utf-8", "replace")
    page = _Page(colours=True)
    text = _seen(data, page)
    if page.late:
        text = _seen(data, page := _Page(page.rules, colours=True))
    if page.doubtful:
        defects.note("its style may hide words")
    return text or _seen(data, _Page(page.rules, colours=False))


def _seen(data: bytes, page: _Page) -> str:
    # As a target, without a tree: a tree deeper than 2,048 elements is cut off, and the words in it are lost.
    try:
        return str(etree.fromstring(data, etree.HTMLParser(encoding="utf-8", target=page)))
    except etree.XMLSyntaxError:  # there is no element in it
        return ""


# --- calendars and reports


def _calendar(part: Part, defects: _Defects) -> Calendar | None:
    """The first event of an iTIP part (RFC 5546), or None if no METHOD says that it wants something.

    RFC 6047 wants METHOD in the Content-Type and in the calendar; either is enough. A calendar that can't be read
    keeps its METHOD and leaves a defect.
    """
    parameters = _parameters(part)
    source = _tidy(_decoded(_octets(part, defects), parameters.get("charset", ""), defects))
    declared = re.search(r"^METHOD:([\w-]{1,40})", source, re.M | re.I)
    method = (parameters.get("method") or (declared[1] if declared else "")).upper()
    if not method:
        defects.note("a calendar without METHOD")
        return None
    import icalendar  # it costs 60 ms at start, and few mails have a calendar

    try:
        found = icalendar.Calendar.from_ical(source, multiple=True)
        events = [event for calendar in found for event in calendar.walk() if event.name in ("VEVENT", "VTODO")]
        return _event(method, events[0])
    except Exception as error:  # noqa: BLE001 - the library raises ValueError, IndexError, KeyError, AttributeError ...
        defects.note(f"a calendar that can't be read ({type(error).__name__})")
        return Calendar(method=method)


def _event(method: str, event: Mapping[str, Any]) -> Calendar:
    attendee, begins = _one(event.get("attendee")), _begins(getattr(_one(event.get("dtstart")), "dt", None))
    return Calendar(
        method=method,
        partstat=_line(str(getattr(attendee, "params", {}).get("PARTSTAT", ""))).upper(),
        attendee=_calendar_address(attendee),
        organizer=_calendar_address(_one(event.get("organizer"))),
        summary=_line(str(_one(event.get("summary")) or ""))[:MAX_SUBJECT],
        uid=_line(str(_one(event.get("uid")) or ""))[:MAX_SUBJECT],
        start=_start(begins),
        local=None if isinstance(begins, datetime) and begins.tzinfo else begins,
    )


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _calendar_address(value: Any) -> str:
    return re.sub(r"^mailto:\s*", "", _line(str(value or "")), flags=re.I)[:MAX_SUBJECT]


# A day holds this hour of UTC from Hawaii to Tonga: it is the same day there.
_HOUR_OF_THE_DAY = time(10)


def _begins(value: Any) -> date | datetime | None:
    """DTSTART as it is told; None for a year that no clock of the world can show."""
    return value if isinstance(value, date) and 1 < value.year < 9999 else None


def _start(value: date | datetime | None) -> datetime | None:
    """DTSTART in UTC; of what names no zone, a moment of its day."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    day = value.date() if isinstance(value, datetime) else value
    return datetime.combine(day, _HOUR_OF_THE_DAY, UTC) if day else None


def _blocks(part: Part) -> Iterator[Part]:
    """The blocks of fields in a delivery report: one for the mail, one for each recipient (RFC 3464 section 2.1)."""
    payload = part.get_payload()
    for block in payload if isinstance(payload, list) else []:
        if not isinstance(block, Part):
            continue
        yield block
        rest = block.get_payload()  # the standard library divides message/delivery-status, but no other type (RFC 6533)
        for text in rest.split("\n\n") if isinstance(rest, str) and rest else []:
            yield message_from_string(text)


def _failure(block: Part) -> Failure | None:
    recipient = _recipient(block, "final-recipient") or _recipient(block, "original-recipient")
    if not recipient:
        return None
    status = re.search(r"\b[245]\.\d{1,3}\.\d{1,3}\b", _field(block, "status"))
    return Failure(
        recipient=recipient,
        action=_field(block, "action").partition(" ")[0].lower(),
        status=status[0] if status else "",
        diagnostic=_field(block, "diagnostic-code").partition(";")[2].strip() or _field(block, "diagnostic-code"),
    )


def _field(block: Part, name: str) -> str:
    return _line(str(block.get(name, "")))[:MAX_SUBJECT]


def _recipient(block: Part, name: str) -> str:
    """The address in a recipient field: without its type, and with `+` and `=` written out again (RFC 3461 section 4)."""
    kind, typed, address = _field(block, name).partition(";")
    address = (address if typed else kind).strip().strip("<>").strip()
    return re.sub(r"\+(2B|3D)", lambda code: chr(int(code[1], 16)), address)


def _returned_id(part: Part, defects: _Defects) -> str | None:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else message_from_bytes(_octets(part, defects))
    return _message_id(_field(inner, "message-id")) if isinstance(inner, Part) else None
