from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from costs import seconds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core import parse as parsing
from pipeline.core.parse import parse
from pipeline.core.records import Address, Failure, Message, Place, Raw
from pipeline.errors import Unreadable

MAILS = Path(__file__).parents[1] / "mails"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "mime"

ARRIVED = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
FROM = b"From: maria@example.org\n"


def raw(data: bytes, *, whole: bool = True, old: bool = False) -> Raw:
    place = Place(folder="inbox", epoch="1", uid="7")
    return Raw(key=place.key, place=place, arrived=ARRIVED, data=data, whole=whole, old=old)


def read(data: bytes | str) -> Message:
    return parse(raw(data.encode("utf-8") if isinstance(data, str) else data))


def mail(name: str, *, line_end: bytes = b"\n") -> Message:
    return read((MAILS / f"parse-{name}.eml").read_bytes().replace(b"\n", line_end))


def with_from(value: str) -> Message:
    return read(f"From: {value}\nTo: dana@bluedoor.example\n\nHello\n")


def with_body(body: bytes | str, *headers: str) -> Message:
    data = body.encode("utf-8") if isinstance(body, str) else body
    return read(FROM + "".join(f"{header}\n" for header in headers).encode("utf-8") + b"\n" + data)


def html(body: str) -> str:
    return with_body(body, "Content-Type: text/html; charset=utf-8").text


# --- a whole mail


def test_a_reply_is_read_whole():
    message = mail("gmail-reply")
    assert message.sender == Address(name="María López", address="maria.lopez@example.org")
    assert message.senders == (message.sender,)
    assert message.recipients == (
        Address(name="Blue Door", address="dana@bluedoor.example"),
        Address(name="Ruiz, Pablo", address="pablo@example.org"),
        Address(address="ana@example.org"),
    )
    assert message.subject == "Re: Tu clase del jueves – recordatorio y dirección"
    assert message.message_id == "<CAF1+reply@mail.example.org>"
    assert message.thread == ("<first@bluedoor.example>", "<second@bluedoor.example>")
    assert message.sent == datetime(2026, 11, 17, 16, 11, 54, tzinfo=UTC)
    assert message.arrived == ARRIVED
    assert message.content_type == "multipart/alternative"
    assert message.text.startswith("Hola Dana:\n\nTengo que cancelar la clase del jueves")
    assert "> Tu clase es el jueves a las 19:00." in message.text
    assert message.quoted == ""
    assert message.defects == ()


@pytest.mark.parametrize("name", sorted(path.stem.removeprefix("parse-") for path in MAILS.glob("parse-*.eml")))
def test_line_ends_make_no_difference(name: str):
    assert mail(name, line_end=b"\r\n") == mail(name)


def test_the_key_and_what_the_server_knows_are_handed_on():
    given = raw(FROM + b"\nHello\n", old=True)
    message = parse(given)
    assert (message.key, message.arrived, message.old) == (given.key, ARRIVED, True)


def test_a_mail_that_was_too_big_has_headers_and_no_text():
    message = parse(raw(FROM + b"Subject: Films\nContent-Type: multipart/mixed; boundary=b\n\n", whole=False))
    assert (message.subject, message.text, message.content_type) == ("Films", "", "multipart/mixed")
    assert message.defects == ("too big",)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n\r\n", b"\xef\xbb\xbf"])
def test_nothing_is_unreadable(data: bytes):
    with pytest.raises(Unreadable, match="empty"):
        read(data)


# --- headers


def test_headers_keep_their_order_unfolded_and_decoded():
    message = read(
        "Received: from a\n\tby b;\n\tnow\nReceived: from c\nX-Odd : spaced\n"
        "Subject: =?utf-8?q?caf=C3=A9?=\nFrom: a@b.example\n\nHello"
    )
    assert message.headers == (
        ("received", "from a by b; now"),
        ("received", "from c"),
        ("x-odd", "spaced"),
        ("subject", "café"),
        ("from", "a@b.example"),
    )


def test_trace_headers_are_kept_although_mail_parser_never_sees_them():
    assert mail("gmail-reply").header("authentication-results") == (
        "mx.bluedoor.example; dkim=pass header.i=@example.org header.s=s1; dmarc=pass (p=NONE) header.from=example.org"
    )


def test_raw_8_bit_headers_lose_no_letter():
    message = mail("raw-latin1")
    assert message.subject == "Cancelación de la cita"
    assert message.sender == Address(name="José Muñoz", address="jose@example.org")
    assert "a header with raw 8-bit characters" in message.defects


@pytest.mark.parametrize(
    "subject",
    ["Cancel=0D=0ABcc:_v@evil.example", "Cancel=00_=E2=80=AE_x", "a=E2=80=A8b", "=0A", "a=E2=80=8Bb=F3=A0=81=81"],
)
def test_a_subject_never_becomes_a_second_line(subject: str):
    decoded = with_body("Hello", f"Subject: =?utf-8?q?{subject}?=").subject
    assert decoded.isprintable()


def test_what_a_server_says_of_the_sender_is_never_decoded():
    forged = "=?utf-8?q?mx.bluedoor.example?=; dmarc=pass"
    assert read(f"From: a@b.example\nAuthentication-Results: {forged}\n\nx").header("authentication-results") == forged


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?b?w6E=?= c", "á c"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A1?=", "á"),
        ("=?iso-8859-1?q?it=92s?=", "it’s"),
        ("=?utf-8*es?q?hola?=", "hola"),
        ("=?utf-8?q?con espacios?=", "con espacios"),
        ("=?utf-8?b?!!!?= =?utf-8?q?ok?=", "ok"),
        ("=?nonsense?q?plain?=", "plain"),
        ("=?utf-8?x?what?=", "=?utf-8?x?what?="),
    ],
)
def test_encoded_words_are_decoded_as_people_meant_them(encoded: str, decoded: str):
    assert with_body("Hello", f"Subject: {encoded}").subject == decoded


def test_a_line_among_the_headers_that_is_none_costs_only_itself():
    message = read("From: a@b.example\nthis is no header\nContent-Type: text/html\n\n<p>Please <b>cancel</b></p>")
    assert message.text == "Please cancel"
    assert message.defects == ("a line among the headers is none: 'this is no header'",)


def test_text_without_an_empty_line_above_it_is_text():
    message = read("From: a@b.example\nPlease cancel my class.\nThank you")
    assert message.text.strip() == "Please cancel my class.\nThank you"
    assert message.defects == ("no empty line below the headers",)


def test_text_without_headers_is_read_and_has_no_sender():
    message = read("Please cancel.\n\nThank you")
    assert (message.text.strip(), message.sender) == ("Please cancel.\n\nThank you", None)


def test_the_separator_of_an_mbox_file_is_no_header():
    assert read("From maria@example.org Tue Nov 17 2026\nFrom: maria@example.org\n\nHello").sender is not None


def test_too_many_headers_make_a_mail_unreadable():
    with pytest.raises(Unreadable, match="headers are longer than 100 kB"):
        read(FROM + b"X-Filler: of some length, but none that is too long by itself\n" * 2000 + b"\nHello")


def test_one_long_header_is_cut_and_the_mail_is_read():
    message = read(FROM + b"Subject: " + b"=?utf-8?q?a?= " * 40_000 + b"\n\nHello")
    assert message.text == "Hello"
    assert set(message.subject) == {"a"}
    assert message.defects == ("subject is cut, it has 559999 bytes",)


# --- addresses


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("maria@Example.ORG", "maria@example.org"),
        ("Maria <maria@example.org>", "maria@example.org"),
        ('"Lopez, Maria" <maria@example.org>', "maria@example.org"),
        ("Lopez, Maria <maria@example.org>", "maria@example.org"),
        ("maria@example.org (Maria)", "maria@example.org"),
        ("María <maría@bücher.example>", "maría@bücher.example"),
        ("Maria < maria @ example.org >", "maria@example.org"),
    ],
)
def test_one_valid_mailbox_is_the_sender(value: str, address: str):
    message = with_from(value)
    assert message.sender is not None
    assert message.sender.address == address
    assert message.defects in ((), ("a header with raw 8-bit characters",))


@pytest.mark.parametrize(
    "value",
    [
        "a@b)c@d",
        "alice@example.org)bob@evil.example",
        "a@b.example, c@d.example",
        "a@b.example; c@d.example",
        "<a@b.example> <c@d.example>",
        "<>",
        "MAILER-DAEMON",
        "maria@example..org",
        "maria lopez@example.org",
        '"maria lopez"@example.org',
        "maria@[192.0.2.1]",
        "maria@exam\u200bple.org",
        "maria@example.org\u202e",
        "a" * 65 + "@example.org",
        "maria@" + "a." * 200 + "example",
    ],
)
def test_a_sender_in_doubt_is_none_and_a_defect_says_so(value: str):
    message = with_from(value)
    assert message.sender is None
    assert message.defects


def test_two_from_headers_are_no_sender():
    message = read("From: a@b.example\nFrom: c@d.example\n\nHello")
    assert (message.sender, len(message.senders)) == (None, 2)
    assert message.defects == ("several From addresses",)


@pytest.mark.parametrize(
    "value",
    [
        "bob@bank.example <evil@x.example>",
        '"bob@bank.example" <evil@x.example>',
        "=?utf-8?q?bob=40bank.example?= <evil@x.example>",
        "evil@x.example (bob@bank.example)",
    ],
)
def test_a_display_name_that_is_another_address_is_reported(value: str):
    message = with_from(value)
    assert message.sender is not None
    assert message.sender.address == "evil@x.example"
    assert message.defects == ("display name looks like another address",)


def test_what_makes_mail_parser_raise_is_read_all_the_same():
    message = with_from("=?utf-8?b?abcde?= <maria@example.org>")
    assert message.sender is not None
    assert message.sender.address == "maria@example.org"
    assert message.defects == ("mail-parser failed (HeaderParseError), the standard library read the addresses",)


def test_a_name_is_one_visible_line():
    message = with_from('"Mari\u0061\u0301 \u202eLópez\u200b" <maria@example.org>')
    assert message.sender is not None
    assert message.sender.name == "Mariá López"


def test_a_long_name_is_cut():
    sender = with_from(f"{'Maria ' * 300}<maria@example.org>").sender
    assert sender is not None
    assert len(sender.name) <= 128


def test_repeated_address_headers_are_all_read():
    message = read("From: a@b.example\nTo: one@x.example\nTo: two@x.example\nReply-To: r@x.example\n\nHello")
    assert [address.address for address in message.recipients] == ["one@x.example", "two@x.example"]
    assert [address.address for address in message.reply_to] == ["r@x.example"]


# --- identities and times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b>", "<a@b>"),
        ("<a@b> (added by postmaster)", "<a@b>"),
        ("a@b", None),
        ("<a b@c>", None),
        ("<ab>", None),
        ("<a@b\x01>", None),
        ("=?utf-8?q?=3Ca=0D=0A=40b=3E?=", None),
        ("<" + "a" * 500 + "@b>", None),
    ],
)
def test_a_message_id_has_its_shape_or_is_none(value: str, expected: str | None):
    assert with_body("Hello", f"Message-ID: {value}").message_id == expected


def test_a_long_thread_keeps_its_first_id_and_the_last_ones():
    ids = [f"<{number}@example.org>" for number in range(50)]
    message = with_body("Hello", f"References: {' '.join(ids)}", "In-Reply-To: <49@example.org>")
    assert message.thread == (ids[0], *ids[31:])


def test_in_reply_to_stands_last_in_the_thread():
    assert with_body("Hello", "In-Reply-To: <b@x>", "References: <a@x>").thread == ("<a@x>", "<b@x>")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Wed, 18 Nov 2026 09:30:00 +0100", datetime(2026, 11, 18, 8, 30, tzinfo=UTC)),
        ("Wed, 18 Nov 2026 09:30:00", datetime(2026, 11, 18, 9, 30, tzinfo=UTC)),
        ("Wed, 18 Nov 2026 09:30:00 +0000 (UTC)", datetime(2026, 11, 18, 9, 30, tzinfo=UTC)),
        ("Tue, 01 Jan 1980 00:00:00 +0000", None),
        ("Fri, 18 Nov 2044 09:30:00 +0000", None),
        ("Foo, 99 Zzz 2026 09:30:00 +0000", None),
        ("", None),
    ],
)
def test_a_date_is_utc_or_none(value: str, sent: datetime | None):
    assert with_body("Hello", f"Date: {value}").sent == sent


def test_a_clock_that_is_a_little_ahead_is_believed():
    tomorrow = ARRIVED + timedelta(days=1)
    assert with_body("Hello", f"Date: {tomorrow:%a, %d %b %Y %H:%M:%S +0000}").sent == tomorrow


# --- which text


def test_the_text_of_attached_mails_is_not_this_mails_text():
    message = mail("attached-mail")
    assert message.text == "Look what I found."
    assert message.calendar is None


def test_a_lone_text_attachment_is_the_text():
    message = mail("named-text")
    assert message.text.strip() == "I hereby cancel the contract."
    assert message.defects == ("the text is an attachment",)


def test_a_mail_that_was_cut_off_keeps_its_words():
    message = mail("cut-off")
    assert message.text == "please cancel"
    assert message.defects == ("the last boundary is missing: the mail may be cut off",)


def test_parts_are_joined_and_alternatives_are_not():
    assert mail("attachments").text == (
        "The doctor's letter is attached, I have to stop the lessons.\n\nSent by the family tablet"
    )


def test_attachments_are_cut_out_without_any_effect_on_the_text(monkeypatch: pytest.MonkeyPatch):
    lean = mail("attachments")
    monkeypatch.setattr(parsing, "_wanted", lambda section, body: len(body))
    assert mail("attachments") == lean


def alternatives(plain: str, rich: str) -> Message:
    return with_body(
        f"--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n{rich}\n--b--\n",
        "Content-Type: multipart/alternative; boundary=b",
    )


@pytest.mark.parametrize(
    "plain", ["", "   \n\n", "***", "Your mail client does not support HTML.", "Abra este correo en su navegador"]
)
def test_an_alternative_that_says_nothing_gives_way(plain: str):
    assert alternatives(plain, "<p>Please cancel my class</p>").text == "Please cancel my class"


def test_the_plain_alternative_is_preferred():
    assert alternatives("Please cancel", "<p>Please cancel</p><p>and more</p>").text == "Please cancel"


def test_html_beside_plain_text_is_read_too_unless_it_repeats_it():
    def mixed(rich: str) -> str:
        body = f"--b\n\nPlease cancel\n--b\nContent-Type: text/html\n\n{rich}\n--b--\n"
        return with_body(body, "Content-Type: multipart/mixed; boundary=b").text

    assert mixed("<p>Please <i>cancel</i></p>") == "Please cancel"
    assert mixed("<p>and refund me</p>") == "Please cancel\n\nand refund me"


def test_a_boundary_that_never_occurs_is_guessed():
    message = with_body(
        "--real\nContent-Type: text/plain\n\nPlease cancel\n--real--\n", 'Content-Type: multipart/mixed; boundary="wrong"'
    )
    assert message.text == "Please cancel"
    assert message.defects == ("the boundary was guessed",)


def test_a_multipart_without_parts_is_one_text():
    message = with_body("Please cancel\n", 'Content-Type: multipart/mixed; boundary="x"')
    assert message.text.strip() == "Please cancel"


def test_text_outside_of_the_parts_is_found_when_there_is_no_other():
    message = with_body(
        "Please cancel\n--b\nContent-Type: image/png\n\nxxx\n--b--\n", 'Content-Type: multipart/mixed; boundary="b"'
    )
    assert message.text == "Please cancel"
    assert message.defects == ("the text stands outside of the parts",)


def test_more_parts_than_anybody_sends_are_left_out():
    body = b"--b\n\nPlease cancel\n" + b"--b\n\nx\n" * 2000 + b"--b--\n"
    message = with_body(body, "Content-Type: multipart/mixed; boundary=b")
    assert message.text.startswith("Please cancel\n\nx")
    assert "more than 1000 parts" in message.defects


def test_deep_nesting_is_cut_and_what_lies_above_is_read():
    deep = b"--b\n\nPlease cancel\n--b\n"
    for number in range(300):
        deep += b"Content-Type: multipart/mixed; boundary=c%d\n\n--c%d\n" % (number, number)
    message = with_body(deep + b"\nhidden", "Content-Type: multipart/mixed; boundary=b")
    assert message.text == "Please cancel"
    assert "parts more than 100 levels deep" in message.defects


# --- characters


def test_windows_text_that_claims_to_be_utf_8_keeps_its_letters():
    assert mail("raw-latin1").text.strip() == "No podré ir mañana – lo siento. It’s too much."


def test_seven_bit_japanese_is_decoded():
    message = mail("japanese-7bit")
    assert message.text.strip() == "キャンセルをお願いします。\n山田"
    assert (message.sender and message.sender.name, message.subject) == ("山田", "キャンセル")


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("utf-7", b"Cancelaci+APM-n", "Cancelación"),
        ("iso-8859-1", "cancelación".encode("cp1252"), "cancelación"),
        ("iso-8859-1", b"it\x92s \x80 5", "it’s € 5"),
        ("iso-8859-1", "cancelación".encode(), "cancelación"),
        ("us-ascii", "cancelación".encode(), "cancelación"),
        ("us-ascii", b"cancelaci\xf3n", "cancelación"),
        ("x-unknown", "cancelación".encode(), "cancelación"),
        ("utf-8", b"cancelaci\xc3\xb3n \x96 ma\xf1ana", "cancelación – mañana"),
        ("gb2312", "取消".encode("gb18030"), "取消"),
        ("punycode", b"cancel-", "cancel-"),
        ("base64", b"Y2FuY2Vs", "Y2FuY2Vs"),
        ('"u\x00"', b"cancel", "cancel"),
        ("koi8-r", "отмена".encode("koi8-r"), "отмена"),
    ],
)
def test_text_is_decoded_whatever_its_label_says(charset: str, body: bytes, text: str):
    assert with_body(body, f"Content-Type: text/plain; charset={charset}").text == text


def test_html_without_a_label_is_decoded_by_its_own():
    body = b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>' + "отмена".encode("cp1251")
    assert with_body(body, "Content-Type: text/html").text == "отмена"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"UGxlYXNlIGNhbmNlbC4=", "Please cancel."),
        (b"UGxlYXNlIGNhbmNlbC4", "Please cancel."),
        (b"UGxlYXNl\n===not base64===\nIGNhbmNlbC4=", "Please cancel."),
        (b"UGxlYXNlIA==\nY2FuY2VsLg==", "Please cancel."),
        (b"Please do cancel.", "Please do cancel."),
    ],
)
def test_broken_base64_gives_what_can_be_read(body: bytes, text: str):
    assert with_body(body, "Content-Transfer-Encoding: base64").text == text


def test_a_transfer_encoding_with_something_behind_it_counts():
    assert with_body("caf=C3=A9", "Content-Transfer-Encoding: quoted-printable ; x").text == "café"


def test_line_ends_inside_of_encoded_text_are_line_ends():
    assert with_body(b"b25lDQp0d28NdGhyZWU=", "Content-Transfer-Encoding: base64").text == "one\ntwo\nthree"


@pytest.mark.parametrize("tag", ["s", "strike", "del"])
def test_what_was_struck_out_is_said_no_more(tag: str):
    assert html(f"<p><{tag}>Please cancel Friday.</{tag}> See you on Friday.</p>").strip() == "See you on Friday."


def test_what_cannot_be_seen_is_not_in_the_text():
    assert with_body("can\u200bcel\u202e \x00now\u00a0please\ufeff").text == "cancel now please"


def test_flowed_text_is_unfolded_and_keeps_quotes_and_signature():
    assert mail("flowed").text.strip() == (
        "Please cancel my appointment on Tuesday, because the trip to my parents takes until Thursday.\n"
        "A line of its own.\n"
        "From here on nothing changes.\n"
        "\n"
        "> You asked us to remind you of the appointment.\n"
        ">> And so we did.\n"
        "\n"
        "-- \n"
        "Maria"
    )


def test_flowed_text_with_delsp_joins_words():
    assert mail("flowed-delsp").text.strip() == "Please cancel my appointment on Tuesday."


# --- HTML


def test_an_html_mail_becomes_lines_and_its_history_is_quoted():
    assert mail("outlook-html").text == (
        "Hi Dana,\n"
        "\n"
        "We are moving house, so please cancel the service on 3 December.\n"
        "\n"
        "- The gate code changes\n"
        "- The key is with Mrs Hall\n"
        "Peter\n"
        "\n"
        "> From: Dana <dana@bluedoor.example>\n"
        "> Sent: 16 November 2026 10:00\n"
        "> To: Peter Marsh\n"
        "> Subject: Your boiler service\n"
        "\n"
        "> Your engineer comes on 3 December."
    )


def test_words_that_a_reader_does_not_see_are_left_out():
    text = mail("hidden-words").text
    assert text.split("\n") == ["Seen in the cell White on blue", "", "Seen in the paragraph"]


def test_white_text_is_read_when_there_is_no_other():
    assert html('<body><p style="color:#ffffff">Please cancel</p></body>') == "Please cancel"


@pytest.mark.parametrize(
    "history",
    [
        "<blockquote>old</blockquote>",
        '<blockquote type="cite">old</blockquote>',
        '<div class="gmail_quote"><div class="gmail_attr">old</div><blockquote class="gmail_quote">old</blockquote></div>',
        '<div class="gmail_quote">old</div>',
        '<div class="yahoo_quoted"><div>old</div></div>',
        '<div class="moz-cite-prefix">old</div><blockquote type="cite">old</blockquote>',
        '<div id="appendonsend"></div><hr><div>old</div>',
        '<hr><div id="divRplyFwdMsg">old</div><p>old</p>',
        '<blockquote style="border:none;border-left:solid #CCCCCC 1.0pt">old</blockquote>',
        '<div class="protonmail_quote">old</div>',
    ],
)
def test_history_of_every_mail_program_is_quoted(history: str):
    lines = html(f"<html><body><div>new</div>{history}</body></html>").split("\n")
    assert lines[0] == "new"
    assert {line for line in lines[1:] if line} == {"> old"}


def test_an_answer_between_two_quotations_is_not_quoted():
    text = html(
        '<div class="gmail_quote"><div class="gmail_attr">On Monday Dana wrote:</div>'
        '<blockquote class="gmail_quote">one</blockquote><div>my answer</div><blockquote>two</blockquote></div>'
    )
    assert [line for line in text.split("\n") if line] == ["> On Monday Dana wrote:", "> one", "my answer", "> two"]


def test_an_indented_paragraph_is_no_quotation():
    assert html('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">Please cancel</blockquote>') == "Please cancel"


def test_lines_of_preformatted_text_stay_lines():
    assert html("<pre>one\n  two</pre><p>three</p>") == "one\n  two\n\nthree"


def test_html_without_tags_is_plain_text():
    assert html("Please cancel.\nThank you") == "Please cancel.\nThank you"


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "table><tr><td", "ul><li"])
def test_html_may_nest_as_deep_as_it_likes(tag: str):
    assert html(f"<{tag}>" * 5000 + "cancel").endswith("cancel")


# --- calendars and reports


def test_a_declined_invitation_is_understood_from_an_attached_file():
    calendar = mail("decline").calendar
    assert calendar is not None
    assert (calendar.method, calendar.partstat) == ("REPLY", "DECLINED")
    assert (calendar.attendee, calendar.organizer) == ("maria.lopez@example.org", "dana@bluedoor.example")
    assert (calendar.summary, calendar.uid) == ("Class on Tuesday", "class-77@bluedoor.example")
    assert calendar.start == datetime(2026, 11, 24, 17, tzinfo=UTC)


EVENT = "BEGIN:VCALENDAR\nVERSION:2.0\n{}BEGIN:VEVENT\nUID:1\n{}END:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("parameter", "line"), [("; method=cancel", ""), ("", "METHOD:CANCEL\n"), ("; method=CANCEL", "METHOD:REQUEST\n")]
)
def test_the_method_may_stand_in_either_place(parameter: str, line: str):
    message = with_body(EVENT.format(line, "DTSTART;VALUE=DATE:20261124\n"), f"Content-Type: text/calendar{parameter}")
    assert message.calendar is not None
    assert message.calendar.method == "CANCEL"
    assert message.calendar.local == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("begin", "start", "local"),
    [
        ("DTSTART:20261124T233000Z", datetime(2026, 11, 24, 23, 30, tzinfo=UTC), None),
        ("DTSTART;TZID=America/Chicago:20261124T173000", datetime(2026, 11, 24, 23, 30, tzinfo=UTC), None),
        ("DTSTART:20261124T173000", datetime(2026, 11, 24, 10, tzinfo=UTC), datetime.fromisoformat("2026-11-24T17:30")),
        ("DTSTART;VALUE=DATE:20261124", datetime(2026, 11, 24, 10, tzinfo=UTC), date(2026, 11, 24)),
        ("DTSTART;VALUE=DATE:00010101", None, None),
    ],
)
def test_a_time_without_a_zone_is_kept_as_it_is_told(begin: str, start: datetime | None, local: date | datetime | None):
    message = with_body(EVENT.format("", f"{begin}\n"), "Content-Type: text/calendar; method=REQUEST")
    assert message.calendar is not None
    assert (message.calendar.start, message.calendar.local) == (start, local)


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/Chicago", "Europe/Madrid", "Asia/Tokyo", "Pacific/Auckland"])
@pytest.mark.parametrize("begin", ["DTSTART;VALUE=DATE:20261204", "DTSTART:20261204T003000", "DTSTART:20261204T233000"])
def test_what_names_no_zone_is_on_its_day_wherever_the_business_is(begin: str, zone: str):
    message = with_body(EVENT.format("", f"{begin}\n"), "Content-Type: text/calendar; method=CANCEL")
    assert message.calendar is not None
    assert message.calendar.start is not None
    assert message.calendar.start.astimezone(ZoneInfo(zone)).date() == date(2026, 12, 4)


def test_a_calendar_that_wants_nothing_is_none():
    message = with_body(EVENT.format("", ""), "Content-Type: text/calendar")
    assert message.calendar is None
    assert message.defects == ("a calendar without METHOD",)


@pytest.mark.parametrize("body", ["BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:", "nonsense", EVENT.format("", "DTSTART:soon\n")])
def test_a_bad_calendar_is_a_defect_and_no_error(body: str):
    message = with_body(body, "Content-Type: text/calendar; method=REPLY")
    assert message.calendar is not None
    assert message.calendar.method == "REPLY"
    assert message.calendar.start is None


def test_a_delivery_report_names_its_recipients_and_the_mail_it_returns():
    message = mail("bounce")
    assert message.failures == (
        Failure(
            recipient="maria@mailbox.example.org",
            action="failed",
            status="5.1.1",
            diagnostic="550 5.1.1 <maria@mailbox.example.org>:     no such user here",
        ),
        Failure(recipient="pablo+spa@example.org", action="delayed", status="4.4.1"),
    )
    assert message.returned_id == "<ours-1@bluedoor.example>"
    assert (message.content_type, message.report_type) == ("multipart/report", "delivery-status")
    assert message.text.strip() == "Your message could not be delivered."


def test_returned_headers_alone_name_the_mail():
    message = with_body(
        "--r\nContent-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <ours@x.example>\n--r--\n",
        "Content-Type: multipart/report; boundary=r",
    )
    assert message.returned_id == "<ours@x.example>"


def test_an_international_report_is_read():
    message = with_body(
        "--r\nContent-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: utf-8; ana@x.example\n"
        "Action: failed\n\n--r--\n",
        "Content-Type: multipart/report; boundary=r",
    )
    assert message.failures == (Failure(recipient="ana@x.example", action="failed"),)


# --- hostile mails


HOSTILE: dict[str, bytes] = {
    "encoded words": FROM + b"Subject: " + b"=?utf-8?q?a?=\n " * 60_000 + b"\n\nx",
    "recipients": FROM + b"To: " + b"a@b.example, " * 20_000 + b"\n\nx",
    "brackets in From": b"From: " + b"(" * 19_000 + b"a@b.example\n\nx",
    "quotes in From": b"From: " + b'"\\' * 9_000 + b"\n\nx",
    "at signs in From": b"From: " + b"a@" * 9_000 + b" <a@b.example>\n\nx",
    "brackets in Date": FROM + b"Date: " + b"(" * 19_000 + b"\n\nx",
    "references": FROM + b"References: " + b"<a@" * 6_000 + b"\n\nx",
    "parameters": FROM + b"Content-Type: text/plain;" + b" a*1=b;" * 2_000 + b"\n\nx",
    "lines that are no headers": FROM + b"junk\n" * 150_000 + b"Subject: x\n\nx",
    "parts": FROM + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "lines that look like boundaries": FROM + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"--c\n" * 200_000,
    "empty lines": FROM + b"\n" * 3_000_000,
    "one long line": FROM + b"\n" + b"a" * 20_000_000,
    "bytes that are no text": FROM + b"\n" + b"\xe9" * 4_000_000,
    "attributes": FROM + b"Content-Type: text/html\n\n<p " + b"".join(b"a%d=1 " % n for n in range(50_000)) + b">x",
    "open tags": FROM + b"Content-Type: text/html\n\n" + b"<div>" * 100_000,
    "angle brackets": FROM + b"Content-Type: text/html\n\n" + b"<" * 500_000,
    "events": FROM + b"Content-Type: text/calendar; method=REPLY\n\n" + b"BEGIN:VEVENT\n" * 8_000,
    "recipients of a report": FROM
    + b"Content-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822; a@b.example\n\n" * 20_000,
    "punycode": FROM + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 300_000,
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_costs_little_time(name: str):
    assert seconds(lambda: read(HOSTILE[name]), enough=2.5) < 2.5  # the slowest takes a sixth of it on a quiet machine


@pytest.mark.no_cover
def test_an_attachment_of_any_size_costs_next_to_nothing():
    line = b"QUJD" * 19 + b"\n"
    body = (
        b"--b\n\nPlease cancel\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
        + line * 250_000
        + b"--b--\n"
    )
    assert with_body(body, "Content-Type: multipart/mixed; boundary=b").text == "Please cancel"
    assert seconds(lambda: with_body(body, "Content-Type: multipart/mixed; boundary=b"), enough=0.5) < 0.5


PIECES = st.sampled_from(
    [
        *(b"From: ", b"Subject: ", b"Date: ", b"To: a@b.example\n", b"Content-Type: ", b"multipart/mixed; boundary=b\n"),
        *(b"text/html\n", b"text/plain; charset=", b"text/calendar; method=REPLY\n", b"message/rfc822\n", b"--b\n", b"--b--\n"),
        *(b"Content-Transfer-Encoding: base64\n", b"quoted-printable", b"\n\n", b"\r\n", b"\r", b"\x00", b"=?utf-8?q?", b"?="),
        *(b"<", b">", b"@", b'"', b"(", b"BEGIN:VCALENDAR\n", b"\xff\xfe", b"=C3", b"utf-16", b"message/delivery-status\n"),
        *(
            b"<blockquote>",
            b"<pre>",
            b"</p>",
            b"<li>",
            b"multipart/alternative;boundary=c\n",
            b"--c\n",
            b" \t",
            b";",
            b"boundary*0=b",
        ),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=40).map(b"".join)))
def test_whatever_the_bytes_the_answer_is_a_message_or_unreadable(data: bytes):
    try:
        message = read(data)
    except Unreadable:
        return
    assert message.subject.isprintable()
    assert all(value.isprintable() for _, value in message.headers)
    assert "\x00" not in message.text
    assert "\r" not in message.text
    message.text.encode("utf-8")
    if message.sender is not None:
        assert message.sender.address.isprintable()
        assert " " not in message.sender.address


# --- real mail


def corpus() -> list[dict[str, Any]]:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"the mail corpus is not here ({manifest.resolve()})")
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").split("\n") if line]


# What the corpus's own readers could not decode: controls, U+FFFD, and UTF-8 read as Latin-1.
MANGLED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]+|Â")


def says(text: str, wanted: str) -> bool:
    """Whether a text holds these words; letters that the corpus itself lost may be anything."""
    text = " ".join(text.split())
    if " ".join(wanted.split()) in text:
        return True
    pieces = [re.escape(" ".join(piece.split())) for piece in MANGLED.split(wanted)]
    return len(pieces) > 1 and re.search(r"\s?.{0,3}\s?".join(pieces), text) is not None


def share(wrong: list[str], rows: list[dict[str, Any]]) -> float:
    return 1 - len(wrong) / len(rows)


def test_every_real_mail_is_read_or_refused_with_a_reason():
    silent = []
    for row in corpus():
        try:
            read((CORPUS / row["path"]).read_bytes())
        except Unreadable as error:
            if not str(error):
                silent.append(row["path"])
    assert silent == []


def test_no_word_of_a_real_mail_is_lost():
    rows = [row for row in corpus() if row["expected"].get("text_contains")]
    lost = []
    for row in rows:
        message = read((CORPUS / row["path"]).read_bytes())
        text = f"{message.text}\n{message.quoted}"
        lost += [f"{row['path']}: {words!r}" for words in row["expected"]["text_contains"] if not says(text, words)]
    assert lost == []


@pytest.mark.parametrize(
    ("expectation", "found"),
    [
        ("subject_decoded", lambda message: message.subject),
        ("from_addr", lambda message: message.sender.address if message.sender else ""),
    ],
)
def test_subjects_and_senders_of_real_mail_are_right(expectation: str, found: Callable[[Message], str]):
    rows = [row for row in corpus() if row["expected"].get(expectation)]
    wrong = [
        f"{row['path']}: {got!r}, not {row['expected'][expectation]!r}"
        for row in rows
        if not says(got := found(read((CORPUS / row["path"]).read_bytes())), row["expected"][expectation])
    ]
    assert share(wrong, rows) == 1, wrong


def test_real_delivery_reports_name_their_recipients():
    rows = [row for row in corpus() if row["expected"].get("bounce_recipient") and "dsn" in row["tags"]]
    wrong = []
    for row in rows:
        message = read((CORPUS / row["path"]).read_bytes())
        named = {failure.recipient.lower() for failure in message.failures}
        if named.isdisjoint(address.lower() for address in row["expected"]["bounce_recipient"]):
            wrong.append(f"{row['path']}: {named}")
    assert share(wrong, rows) >= 0.9, wrong
