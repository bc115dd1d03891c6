from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, date, datetime, time
from email import policy
from email.message import EmailMessage

import pytest

from pipeline.core import compose
from pipeline.core.records import (
    Address,
    Business,
    Case,
    DateKind,
    Draft,
    FollowUp,
    FollowUpRules,
    FoundDate,
    Intent,
    Kind,
    Message,
    Reason,
    Rules,
    Sensitive,
    Span,
    Text,
    Verdict,
)
from pipeline.errors import TextRefused

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MARIA = Address(name="María López", address="maria@example.org")
BUSINESS = Business(
    name="Bluedoor Studio",
    sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
    address="1 Blue Street, Springfield",
    phone="+1 555 0100",
    timezone="America/New_York",
    domain="bluedoor.example",
)
RULES = Rules(business=BUSINESS)
VERDICT = Verdict(
    intent=Intent.CANCEL,
    reason=Reason.PRICE,
    subreason="price_rise",
    confidence=0.97,
    runner_up="cancel/other",
    language="en",
    evidence=(Span(text="too expensive", start=3),),
    dates=(FoundDate(text="in March", day=date(2027, 3, 1), kind=DateKind.RETURN, start=0, end=8),),
)
MESSAGE = Message(
    key="m1",
    message_id="<m2@example.org>",
    thread=("<m1@example.org>",),
    sender=MARIA,
    subject="Re: RE: Your\tinvoice",
    text="It is too expensive.\n\nPlease stop.",
    arrived=NOW,
    sent=NOW,
)
OURS = Text(subject="Your message", body="Hi,\n\nThank you. What made you decide?\n\nDana\n")


def draft(**more: object) -> Draft:
    made = compose.acknowledgment(MESSAGE, VERDICT, "price", OURS, key="d" * 24, review=False, why=("Sure.",), rules=RULES)
    return replace(made, **more)


def frozen(made: Draft, *, automatic: bool = True) -> EmailMessage:
    sent = compose.outgoing(made, compose.whole_body(made), made.subject, "ab" * 16, automatic=automatic, rules=RULES, now=NOW)
    return email.message_from_bytes(sent.data, policy=policy.default)


def test_an_acknowledgment_is_threaded_under_the_customers_mail():
    mail = frozen(draft())
    assert mail["In-Reply-To"] == "<m2@example.org>"
    assert mail["References"] == "<m1@example.org> <m2@example.org>"
    assert mail["Subject"] == "Re: Your invoice"


def test_an_acknowledgment_goes_to_the_customer_from_the_named_sender():
    mail = frozen(draft())
    assert [(a.display_name, a.addr_spec) for a in mail["To"].addresses] == [("María López", "maria@example.org")]
    assert mail["From"].addresses[0].addr_spec == "dana@bluedoor.example"


def test_an_automatic_answer_says_that_it_is_one():
    mail = frozen(draft())
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_an_automatic_follow_up_is_generated_not_replied():
    assert frozen(draft(kind=Kind.FOLLOW_UP))["Auto-Submitted"] == "auto-generated"


def test_what_a_rep_released_is_not_marked_as_automatic():
    mail = frozen(draft(), automatic=False)
    assert mail["Auto-Submitted"] is None


def test_the_message_id_is_made_from_the_stamp():
    mail = frozen(draft())
    assert mail["Message-ID"] == f"<{'ab' * 16}@bluedoor.example>"
    assert mail["X-Winback-Id"] == "ab" * 16


def test_the_customers_words_stand_below_ours():
    body = frozen(draft()).get_content().replace("\r\n", "\n")
    assert body.startswith("Hi,\n\nThank you.")
    assert "On 22 November 2026, María López wrote:\n> It is too expensive.\n>\n> Please stop." in body


def test_a_long_mail_is_quoted_in_part():
    made = compose.quote(MARIA, "\n".join(map(str, range(100))), NOW, "es", BUSINESS)
    assert made.startswith("El 22 de noviembre de 2026, María López escribió:\n> 0\n")
    assert made.endswith("> 59\n> [...]")


def test_the_notes_tell_a_rep_what_was_understood():
    notes = dict(draft().notes)
    assert notes["Reason"] == "price (price_rise)"
    assert notes["Confidence"] == "0.97"
    assert notes["Evidence"] == '"too expensive"'
    assert notes["Date"] == '"in March": 2027-03-01 (return)'
    assert notes["Why"] == "Sure."


def test_sensitive_and_opt_out_are_noted():
    verdict = replace(VERDICT, sensitive=Sensitive.ILLNESS, opt_out=True, reason=None, runner_up=None)
    notes = dict(compose.notes(verdict, Kind.ACKNOWLEDGMENT, 0, ()))
    assert notes["Sensitive"] == "illness"
    assert "Opt-Out" in notes
    assert "Reason" not in notes


def test_the_notes_never_leave():
    assert not [name for name in frozen(draft()).keys() if name.startswith("X-Winback-") and name != "X-Winback-Id"]


def test_a_mail_without_message_id_is_answered_without_a_thread():
    assert compose.threading(None, ("<a@b>",)) == ()


def test_a_long_thread_keeps_its_first_and_last_ids():
    line = dict(compose.threading("<z@x>", tuple(f"<{n}@x>" for n in range(30))))["References"].split()
    assert len(line) == 10
    assert (line[0], line[-1]) == ("<0@x>", "<z@x>")


@pytest.mark.parametrize(
    ("subject", "reply"),
    [("Cancel", "Re: Cancel"), ("RE: re[2]: Fwd: Cancel", "Re: Cancel"), ("RV: Cita", "Re: Cita"), ("", ""), ("Re:", "")],
)
def test_reply_subjects_carry_one_re(subject: str, reply: str):
    assert compose.reply_subject(subject, "en") == reply


def test_without_a_subject_the_template_gives_one():
    made = compose.acknowledgment(
        replace(MESSAGE, subject=""), VERDICT, "price", OURS, key="k", review=True, why=(), rules=RULES
    )
    assert made.subject == "Your message"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Maria Lopez", "Maria"),
        ("lopez, maria", "Maria"),
        ("MARIA LOPEZ", "Maria"),
        ("Dr. Anna-Lena Berg", "Anna-Lena"),
        ("Sra. Ibáñez", "Ibáñez"),
        ("", ""),
        ("info@shop.example", ""),
        ("WIN $1000 www.evil.example", ""),
        ("http://evil.example", ""),
        ("12345", ""),
        ("Mаria", ""),  # the second letter is Cyrillic
        ("x" * 40, ""),
    ],
)
def test_only_a_plain_first_name_is_greeted(name: str, first: str):
    assert compose.first_name(Address(name=name, address="a@b.example")) == first


def test_template_values_greet_in_the_customers_language():
    values = compose.values(MARIA, "es", NOW, date(2027, 3, 1), RULES)
    assert values["hello"] == "Hola, María:"
    assert values["received"] == "22 de noviembre"
    assert values["wished"] == "1 de marzo"
    assert compose.values(Address(address="a@b.example"), "en", NOW, None, RULES)["hello"] == "Hello,"


STEP = FollowUp(key="s", case="m1", address=MARIA.key, track="price", number=1, template="price_1", due=NOW)
CASE = Case(
    message="m1",
    recipient=MARIA,
    message_id="<m2@example.org>",
    thread=(),
    subject="x",
    text="It is too expensive.",
    sent=NOW,
    language="es",
    reason=Reason.PRICE,
)


TICKET = "0123456789abcdef" * 4


def followed_up(rules: Rules = RULES, **case: object) -> Draft:
    return compose.touch(
        STEP,
        replace(CASE, **case),
        replace(OURS, name="price_1.2"),
        key="k",
        review=True,
        why=("Due.",),
        rules=rules,
        ticket=TICKET,
    )


def test_a_follow_up_carries_address_opt_out_and_list_unsubscribe():
    made = followed_up()
    assert made.text.endswith("--\nBluedoor Studio, 1 Blue Street, Springfield\n" + made.text.splitlines()[-1])
    assert "baja" in made.text.splitlines()[-1]
    mail = frozen(made)
    assert mail["List-Unsubscribe"] == f"<mailto:dana@bluedoor.example?subject=unsubscribe%20{TICKET}>"
    assert mail["List-Unsubscribe-Post"] is None
    assert dict(made.notes)["Why"] == "Due."


def test_a_follow_up_names_the_variant_that_was_rendered():
    assert followed_up().template == "price_1.2"


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://bluedoor.example/unsubscribe", f"https://bluedoor.example/unsubscribe?t={TICKET}"),
        ("https://bluedoor.example/page?id=7", f"https://bluedoor.example/page?id=7&t={TICKET}"),
    ],
)
def test_with_a_page_one_click_is_enough(page: str, link: str):
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, unsubscribe_url=page))
    data = compose.outgoing(followed_up(rules), "text", "Hi", "ab", automatic=True, rules=rules, now=NOW).data
    mail = email.message_from_bytes(data, policy=policy.default)
    assert mail["List-Unsubscribe"].split(", ")[0] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # RFC 2047 section 5: a program that looks for a URL finds none in an encoded word.
    assert f"List-Unsubscribe: <{link}>".encode() in data


def test_a_long_message_id_is_answered_as_it_is():
    long = f"<{'x' * 120}@mail.example.org>"
    made = compose.acknowledgment(
        replace(MESSAGE, message_id=long), VERDICT, "price", OURS, key="k", review=False, why=(), rules=RULES
    )
    data = compose.outgoing(made, "text", "Hi", "ab", automatic=True, rules=RULES, now=NOW).data
    assert f"In-Reply-To: {long}".encode() in data


@pytest.mark.parametrize(("form", "words"), [("usted", "Si prefiere"), ("tu", "Si prefieres ")])
def test_the_footer_addresses_people_as_the_texts_do(form: str, words: str):
    assert words in compose.footer("es", replace(BUSINESS, address_form=form))


@pytest.mark.parametrize(
    ("read", "next_one"),
    [
        ((), "price"),
        (("price",), "price.2"),
        (("price", "timing", "price.2"), "price.3"),
        (("price", "price.2", "price.3"), "price"),
        (("price.2", "price.3", "price"), "price.2"),
        (("price", "price.3", "price.2", "price"), "price.3"),
    ],
)
def test_a_customer_reads_what_was_not_read_yet_else_what_was_read_longest_ago(read: tuple[str, ...], next_one: str):
    assert compose.unread(("price", "price.2", "price.3"), read) == next_one


def test_a_header_value_with_a_line_break_is_refused_not_sent():
    with pytest.raises(TextRefused, match="can't be made into a mail"):
        compose.outgoing(draft(), "text", "Hello\r\nBcc: all@example.org", "ab", automatic=True, rules=RULES, now=NOW)


def test_the_same_draft_freezes_to_the_same_bytes():
    made = draft()
    first, second = (compose.outgoing(made, "text", "Hi", "ab", automatic=True, rules=RULES, now=NOW).data for _ in range(2))
    assert first == second


def test_a_moment_is_said_as_people_say_it():
    at = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
    assert compose.moment_in_words(at, "en") == "Thursday 26 November at 15:00"
    assert compose.moment_in_words(at, "es") == "el jueves 26 de noviembre a las 15:00"
    assert compose.moment_in_words(at.replace(hour=1, minute=30), "es") == "el jueves 26 de noviembre a la 01:30"
    assert compose.moment_in_words(at, "es", timed=False) == "el jueves 26 de noviembre"


@pytest.mark.parametrize(
    ("days", "quiet", "said"),
    [
        ({0, 1, 2, 3, 4}, (18, 9), ("Monday to Friday, 09:00 to 18:00", "de lunes a viernes, de 09:00 a 18:00")),
        ({0, 2}, (18, 9), ("Monday and Wednesday, 09:00 to 18:00", "lunes y miércoles, de 09:00 a 18:00")),
        ({5}, (14, 10), ("Saturday, 10:00 to 14:00", "sábado, de 10:00 a 14:00")),
        ({0, 1, 3}, (18, 9), ("Monday, Tuesday and Thursday, 09:00 to 18:00", "lunes, martes y jueves, de 09:00 a 18:00")),
        ({0}, (8, 9), ("", "")),
        (set(), (18, 9), ("", "")),
    ],
)
def test_when_the_business_can_be_reached_follows_from_its_quiet_hours(
    days: set[int], quiet: tuple[int, int], said: tuple[str, str]
):
    rules = FollowUpRules(days=frozenset(days), quiet_from=time(quiet[0]), quiet_to=time(quiet[1]))
    assert (compose.hours_in_words("en", rules), compose.hours_in_words("es", rules)) == said
