"""Mails that nobody would write: real ones with their structure mangled, each made from a number alone."""

from __future__ import annotations

import email
import os
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from email import policy
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fakes import MONDAY, ROOT, WordModel, make_rules

from pipeline.core import flow
from pipeline.core.records import History, Message, Place, Plan, Raw
from pipeline.edges.templates import Templates
from pipeline.errors import Unreadable
from reliability.attacked import CANCEL, leaves_by_itself

CORPUS = Path(os.environ.get("MAIL_CORPUS", ROOT / ".." / "shared" / "corpus" / "mime"))
LARGEST = 20_000  # bytes of a mail that mutation begins with; big ones cost time and bring nothing new
RULES = make_rules(acknowledgments="when_sure", sure_at=0.0)
VOUCHED = b"Authentication-Results: mx.bluedoor.example; dmarc=pass\n"

# What has broken parsers: each may be put anywhere.
TOKENS: Sequence[bytes] = (
    *(b"\n", b"\n\n", b"\r\n", b"\r", b"\x00", b"\x0b", b"\xff", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b$B"),
    *(b" ", b"\t", b";", b":", b",", b'"', b"\\", b"(", b")", b"<", b">", b"@", b"<>", b"=", b"=3D", b"=\n", b"+", b"--"),
    *(b"=?utf-8?q?", b"=?utf-8?b?", b"?=", b"=?", b"=?utf-8?q?=0D=0ABcc:_v@evil.example?=", b"=?x?z?y?=", b"{{7*7}}"),
    *(b"From: a@b.example\n", b"From: Eve <eve@evil.example>, Bob <bob@b.example>\n", b"To: dana@bluedoor.example\n"),
    *(b"Content-Type: text/html\n", b"Content-Type: multipart/mixed; boundary=b\n", b"--b\n", b"--b--\n"),
    *(
        b"Content-Type: multipart/alternative;\n boundary*0=b\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/calendar\n",
    ),
    *(b"Content-Type: message/delivery-status\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: 7bit\n"),
    *(b"Content-Type: text/plain; charset=utf-16\n", b"Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\n"),
    *(b"charset=", b"boundary=", b"name*0*=utf-8''%ff", b"filename=../../x", b"Content-Disposition: attachment\n"),
    *(b"BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=DECLINED:mailto:a@b\n", b"END:VCALENDAR\n"),
    *(b"<div style='display:none'>", b"<style>", b"</p>", b"<!--", b"&#x", b"&amp;", b"<blockquote>", b"<pre>", b"\xc2\xa0"),
    *(
        b"> ",
        b"On Mon, 1 Jan 2026, a@b.example wrote:\n",
        b"-- \n",
        b"-----Original Message-----\n",
        b"Please cancel my membership.",
    ),
    *(b"Date: Mon, 99 Foo 20266 99:99:99 +9999\n", b"References: <a@b> <c@d>\n", b"Message-ID: <\xff@>\n", b"Action: failed\n"),
    *(b"next monday", b"the 31st of february", b"0", b"99999999999999999999", b"-1"),
)


@cache
def seeds() -> Sequence[bytes]:
    """The mails that all others are made of: our samples, those of the tests, and the corpus of real mail where it is.

    A trusted server vouches for half of them.
    """
    files = [*(ROOT / "samples").rglob("*.eml"), *(ROOT / "tests" / "mails").glob("*.eml"), *CORPUS.rglob("*.eml")]
    found = (file.read_bytes() for file in sorted(files) if file.stat().st_size <= LARGEST)
    return [VOUCHED + data if number % 2 else data for number, data in enumerate(found)]


@cache
def answered() -> Sequence[bytes]:
    """Cancellations that are answered at once: what a mutation must not turn into an answer to somebody else."""
    words = CANCEL.encode()
    page = b"<html><body><p>%s</p></body></html>" % words
    several = b"--b\n\n%s\n--b\nContent-Type: text/html\n\n%s\n--b--\n" % (words, page)
    head = (
        b"From: =?utf-8?q?Mar=C3=ADa?= Lopez <maria@example.org>\nTo: Dana <dana@bluedoor.example>\nSubject: Membership\n"
        b"Message-ID: <1@example.org>\nReferences: <0@example.org>\nReply-To: maria@example.org\nMIME-Version: 1.0\n"
    )
    kinds = ((b"text/plain", words), (b"text/html", page), (b"multipart/alternative; boundary=b", several))
    return [VOUCHED + head + b"Content-Type: %s\n\n%s\n" % each for each in kinds]


def mail(number: int) -> bytes:
    """The mail of this number: the same one wherever the same seeds are."""
    luck = random.Random(number)
    data = luck.choice(luck.choice((seeds(), answered())))
    for _ in range(luck.choice((1, 1, 2, 3, 5, 8))):
        data = luck.choice(MUTATIONS)(data, luck)[: 4 * LARGEST]
    return data


def _place(data: bytes, luck: random.Random) -> int:
    """Anywhere, but as often among the headers as below them."""
    head = data.find(b"\n\n") if luck.random() < 0.5 else -1
    return luck.randrange((head if head > 0 else len(data)) + 1)


def insert(data: bytes, luck: random.Random) -> bytes:
    """A token somewhere, or many of it."""
    at = _place(data, luck)
    return data[:at] + luck.choice(TOKENS) * luck.choice((1, 1, 1, 2, 50, 500)) + data[at:]


def insert_line(data: bytes, luck: random.Random) -> bytes:
    """A token between two lines."""
    lines = data.split(b"\n")
    lines.insert(luck.randrange(len(lines) + 1), luck.choice(TOKENS).rstrip(b"\n"))
    return b"\n".join(lines)


def overwrite(data: bytes, luck: random.Random) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(luck.choice((1, 3, 30))):
        if changed:
            changed[luck.randrange(len(changed))] = luck.randrange(256)
    return bytes(changed)


def remove(data: bytes, luck: random.Random) -> bytes:
    """A piece is missing."""
    at = _place(data, luck)
    return data[:at] + data[at + luck.choice((1, 2, 20, 500)) :]


def repeat(data: bytes, luck: random.Random) -> bytes:
    """A piece is there many times."""
    at = _place(data, luck)
    piece = data[at : at + luck.choice((1, 8, 80, 800))]
    return data[:at] + piece * luck.choice((2, 3, 40)) + data[at:]


def cut_off(data: bytes, luck: random.Random) -> bytes:
    return data[: _place(data, luck)]


def shuffle_lines(data: bytes, luck: random.Random) -> bytes:
    """Lines change places: headers fall among the parts and parts among the headers."""
    lines = data.split(b"\n")
    for _ in range(luck.choice((1, 2, 5))):
        one, other = luck.randrange(len(lines)), luck.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def change_value(data: bytes, luck: random.Random) -> bytes:
    """A header has another value."""
    head, empty, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    at = luck.randrange(len(lines))
    lines[at] = lines[at].partition(b":")[0] + b": " + luck.choice(TOKENS) * luck.choice((1, 1, 3))
    return b"\n".join(lines) + empty + body


def swap_delimiters(data: bytes, luck: random.Random) -> bytes:
    """A delimiter closes, opens, or is another one's."""
    found = re.findall(rb"\n--[^\n]{1,80}", data)
    return data.replace(luck.choice(found), luck.choice((*found, b"\n--b", b"\n--", b"\n"))) if found else insert(data, luck)


def join(data: bytes, luck: random.Random) -> bytes:
    """The beginning of one mail and the end of another."""
    other = luck.choice(seeds())
    return data[: _place(data, luck)] + other[_place(other, luck) :]


def wrap(data: bytes, luck: random.Random) -> bytes:
    """It is part of another mail."""
    head = luck.choice(seeds()).partition(b"\n\n")[0]
    kind = luck.choice(
        (b"message/rfc822", b"multipart/mixed; boundary=b", b"multipart/report; report-type=delivery-status; boundary=b")
    )
    around = b"\n\n--b\nContent-Type: message/rfc822\n\n" if b"boundary" in kind else b"\n\n"
    return head + b"\nContent-Type: " + kind + around + data + b"\n--b--\n"


def other_line_ends(data: bytes, luck: random.Random) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", luck.choice((b"\r\n", b"\r", b"\r\r\n", b"\n\r")))


MUTATIONS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    *(insert, insert, insert_line, insert_line, change_value, change_value, overwrite, remove, repeat, cut_off),
    *(shuffle_lines, swap_delimiters, join, wrap, other_line_ends),
)


@cache
def _texts() -> flow.Texts:
    return Templates(ROOT / "templates")


class Judged(NamedTuple):
    """What became of a mail: whether it was read, whether it was answered without a person, and what is wrong with that."""

    read: bool = False
    answered: bool = False
    wrong: str = ""


def judge(raw: Raw) -> Judged:
    """What the product makes of the mail whose number is `raw`; of a module, so that the children can run it."""
    data = mail(int(raw.data))
    place = Place(folder="fuzz", epoch="1", uid="1")
    try:
        message = flow.read(Raw(key=place.key, place=place, arrived=MONDAY, data=data))
    except Unreadable as error:
        return Judged(wrong="" if str(error) and "RecursionError" not in str(error) else f"refused for no good reason: {error}")
    screening = flow.look(message, History(), RULES)
    (scores,) = WordModel().score([flow.words(message)])
    plan = flow.answer(message, screening, scores, History(), RULES, MONDAY, _texts(), lambda key: "stamp")
    answered = leaves_by_itself(plan, screening)
    wrong = [*_wrong_message(message), *(_wrong_answer(plan, message) if answered else ())]
    return Judged(read=True, answered=answered, wrong="; ".join(wrong))


def _is_one_line(value: str) -> bool:
    """No control, no line or paragraph separator, no half of a character."""
    return value.isprintable() or _NO_LINE.isdisjoint(map(unicodedata.category, value))


_NO_LINE = frozenset({"Cc", "Zl", "Zp", "Cs"})


def _wrong_message(message: Message) -> Iterator[str]:
    if not _is_one_line(message.subject):
        yield "the subject is not one line"
    if not all(_is_one_line(value) for _, value in message.headers):
        yield "a header is not one line"
    if "\x00" in message.text or "\r" in message.text:
        yield "the text holds controls"
    try:
        f"{message.text}{message.quoted}".encode()
    except UnicodeEncodeError:
        yield "the text holds half a character"
    sender = message.sender
    if sender is not None and not (sender.address.isprintable() and sender.name.isprintable() and " " not in sender.address):
        yield "the sender's address or name is not one line"


# All that a mail of ours may say above its text, and how often: once each.
OUR_HEADERS = frozenset(
    "From To Subject Date Message-ID In-Reply-To References Auto-Submitted X-Auto-Response-Suppress X-Winback-Id"
    " Content-Type Content-Transfer-Encoding MIME-Version".split()
)


def _wrong_answer(plan: Plan, message: Message) -> Iterator[str]:
    assert plan.outgoing is not None and message.sender is not None
    answer = email.message_from_bytes(plan.outgoing.data, policy=policy.default)
    names = [str(name) for name in answer.keys()]
    if len(names) != len(set(names)) or not OUR_HEADERS.issuperset(names):
        yield f"the answer has other headers than ours: {names}"
    if [address.addr_spec for address in answer["To"].addresses] != [message.sender.address]:
        yield f"the answer goes to {answer['To']}, not to {message.sender.address}"
