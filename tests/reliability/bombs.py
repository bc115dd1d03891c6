"""Mails that are made to take a reader's time, memory or stack, each under the name of what it abuses."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

HEAD = (
    b"Authentication-Results: mx.bluedoor.example; dmarc=pass header.from=example.org\n"
    b"From: Maria Lopez <maria@example.org>\nTo: dana@bluedoor.example\nMessage-ID: <bomb@example.org>\n"
    b"Date: Mon, 23 Nov 2026 10:30:00 +0100\nMIME-Version: 1.0\n"
)
MIXED = b"multipart/mixed; boundary=b"
FAILED = b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n"
WORDS = b"Please cancel my membership, it is too expensive for me.\n"


def plain(body: bytes) -> bytes:
    return HEAD + b"Subject: Hello\n\n" + body


def typed(kind: bytes, body: bytes, encoding: bytes = b"8bit") -> bytes:
    return HEAD + b"Subject: Hello\nContent-Type: " + kind + b"\nContent-Transfer-Encoding: " + encoding + b"\n\n" + body


def subject(value: bytes) -> bytes:
    return HEAD + b"Subject: " + value + b"\n\n" + WORDS


def headed(*lines: bytes) -> bytes:
    return HEAD + b"Subject: Hello\n" + b"\n".join(lines) + b"\n\n" + WORDS


def sent_by(value: bytes) -> bytes:
    return re.sub(rb"From: .*\n", lambda _: b"From: " + value + b"\n", HEAD, count=1) + b"Subject: Hello\n\n" + WORDS


def nested(depth: int, *, same: bool = False) -> bytes:
    """Multiparts inside each other."""
    names = [b"b" if same else b"b%d" % level for level in range(depth)]
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (name, name) for name in names)
    return HEAD + b"Subject: Hello\n" + opened + b"\n" + WORDS


def attached_in_each_other(depth: int) -> bytes:
    return HEAD + b"Subject: Hello\n" + b"Content-Type: message/rfc822\n\n" * depth + b"Subject: inside\n\n" + WORDS


def parts(count: int, part: bytes) -> bytes:
    return typed(MIXED, b"--b\n\n" + WORDS + (b"--b\n" + part) * count + b"--b--\n")


def page(body: bytes) -> bytes:
    return typed(b"text/html; charset=utf-8", body)


def calendar(body: bytes) -> bytes:
    return typed(b"text/calendar; method=REPLY", b"BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n" + body + b"END:VEVENT\n")


BILLION_LAUGHS = (
    b"<!DOCTYPE lolz [<!ENTITY l0 'ha'>"
    + b"".join(b"<!ENTITY l%d '%s'>" % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 12))
    + b"]><html><body>&l11;</body></html>"
)

BOMBS: Mapping[str, bytes] = {
    # structure
    "multiparts 10,000 deep": nested(10_000),
    "multiparts 5,000 deep with one boundary": nested(5_000, same=True),
    "attached mails 20,000 deep": attached_in_each_other(20_000),
    "a hundred thousand empty parts": parts(100_000, b"\n\n"),
    "thirty thousand attachments": parts(30_000, b"Content-Type: image/png\nContent-Disposition: attachment\n\nx\n"),
    "a boundary of 20,000 characters": typed(b"multipart/mixed; boundary=" + b"b" * 20_000, b"--" + b"b" * 20_000 + WORDS),
    "lines that look like boundaries": typed(MIXED, b"--c\n" * 500_000),
    "a multipart that contains itself": typed(MIXED, (b"--b\nContent-Type: " + MIXED + b"\n\n") * 20_000),
    # headers
    "80,000 encoded words in the subject": subject(b"=?utf-8?q?a?=\n " * 80_000),
    "encoded words that never end": subject(b"=?utf-8?q?" * 50_000),
    "headers of 1.8 MB": headed(*(b"X-%d: y" % n for n in range(140_000))),
    "one header of 20 MB": headed(b"X-Long: " + b"y" * 20_000_000),
    "a header in a million folds": headed(b"X-Folded: y" + b"\n y" * 1_000_000),
    "RFC 2231 chains": headed(b"Content-Type: text/plain;" + b"".join(b" name*%d*=utf-8''a;" % n for n in range(30_000))),
    "RFC 2231 with numbers that can't be": headed(b"Content-Type: text/plain; name*99999999999999999999*=a; name*-1=b"),
    "five million Message-IDs": headed(b"References: " + b"<a@b> " * 5_000_000),
    "20,000 brackets in From": sent_by(b"(" * 20_000 + b"maria@example.org"),
    "20,000 quotes in From": sent_by(b'"\\' * 10_000 + b" <maria@example.org>"),
    "100,000 recipients": HEAD.replace(b"To: ", b"To: " + b"a@b.example, " * 100_000) + b"Subject: Hello\n\n" + WORDS,
    "a date that is one bracket": HEAD.replace(b"Date: ", b"Date: " + b"(" * 90_000) + b"Subject: Hello\n\n" + WORDS,
    "Authentication-Results of 90 kB": b"Authentication-Results: mx.bluedoor.example" + b"; (" * 30_000 + b"\n" + plain(WORDS),
    "junk between the headers": HEAD + b"junk\n" * 400_000 + b"Subject: Hello\n\n" + WORDS,
    # size and encoding
    "20 MB of base64": typed(b"text/plain", base64.encodebytes(b"cancel " * 2_200_000), b"base64"),
    "20 MB on one line": plain(b"a" * 20_000_000),
    "20 MB of empty lines": plain(b"\n" * 20_000_000),
    "base64 that is broken on each line": typed(b"text/plain", b"QUJD=\n*!\n" * 700_000, b"base64"),
    "quoted-printable of equal signs": typed(b"text/plain", b"=" * 4_000_000, b"quoted-printable"),
    "bytes that are no text": plain(b"\xe9\xff" * 2_000_000),
    "NULs": plain(b"\x00" * 5_000_000),
    "charsets nobody knows": parts(900, b"Content-Type: text/plain; charset=x-\xff-no\n\n\xff\xfe\n"),
    "punycode as a charset": typed(b"text/plain; charset=punycode", b"a-" * 1_000_000),
    "UTF-7 with an open shift": typed(b"text/plain; charset=utf-7", b"+" * 2_000_000),
    "a stateful charset that changes at each letter": typed(b"text/plain; charset=iso-2022-jp", b"\x1b$BA\x1b(B" * 400_000),
    "lone surrogates": plain("\ud800\udfff".encode("utf-8", "surrogatepass") * 500_000),
    "a million combining marks": plain(b"e" + "\u0301".encode() * 1_000_000),
    # HTML
    "tags 100,000 deep": page(b"<div>" * 100_000 + WORDS),
    "50,000 attributes": page(b"<p " + b"".join(b"a%d=1 " % n for n in range(50_000)) + b">" + WORDS),
    "a million angle brackets": page(b"<" * 1_000_000),
    "entities that multiply": page(BILLION_LAUGHS),
    "style sheets without end": page(b"<style>" + b".a{color:red}/*" * 200_000 + b"</style>" + WORDS),
    "a comment that never closes": page(b"<!--" * 500_000),
    "a table of 300,000 cells": page(b"<table>" + b"<tr><td>x" * 300_000),
    # what else is read
    "100,000 events": calendar(b"BEGIN:VEVENT\nEND:VEVENT\n" * 100_000),
    "an event that repeats for ever": calendar(b"RRULE:FREQ=SECONDLY;COUNT=999999999\nDTSTART:20260101T000000Z\n"),
    "a report on 100,000 recipients": typed(b"message/delivery-status", FAILED * 100_000),
    # words that pump the patterns with which winback reads them
    "attributions": plain(b"On Mon, 1 Jan 2026, 10:00, a@b.c wrote:\n" * 40_000),
    "headers of earlier mails": plain(b"From: a\nDate: 1/1/2020 10:00\nTo: b\n" * 60_000),
    "dates": plain(b"from monday the 3rd of march 2027 to " * 30_000),
    "signatures": plain(b"-- \nthanks,\nM\n" * 100_000),
    "quotes that change at each line": plain(b"> a\nb\n>> c\n" * 100_000),
    "negations": plain(b"do not cancel if you can not cancel and " * 30_000),
    "openings of a plain statement": plain(b"and,,,, " * 30_000),
    "openings of a plain statement in Spanish": plain(b"hola ,,, " * 30_000),
    "addresses": plain(b"a@b.c" * 200_000),
    "links": plain(b"http://a.b/" * 100_000),
}  # fmt: skip
