from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from costs import seconds

from pipeline.core.cut import cut
from pipeline.core.parse import parse
from pipeline.core.records import Address, Business, Failure, History, Message, Place, Raw, Rules, Screening
from pipeline.core.screen import CHECKS, screen
from pipeline.errors import Unreadable

MAILS = Path(__file__).parents[1] / "mails"
TRAINING = Path(__file__).parents[2] / "models" / "corpus"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "mime"

ARRIVED = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
OWN = "dana@bluedoor.example"
BUSINESS = Business(name="Blue Door", sender=Address(address=OWN))
OURS = Rules(
    business=BUSINESS,
    own_addresses=frozenset({OWN}),
    trusted_authserv=frozenset({"MX.bluedoor.example", "mx2.bluedoor.example"}),
)
NOTHING = History()
VOUCHED = "Authentication-Results: mx.bluedoor.example; dmarc=pass header.from=example.org"


def read(data: bytes, key: str = "m") -> Message:
    raw = Raw(key=key, place=Place(folder="inbox", epoch="1", uid=key), arrived=ARRIVED, data=data)
    message = parse(raw)
    text, quoted = cut(message.text)
    return replace(message, text=text, quoted=quoted)


def mail(name: str, *headers: str) -> Message:
    """A mail of tests/mails with these headers on top, in place of its own of the same names."""
    head, _, body = (MAILS / f"screen-{name}.eml").read_text(encoding="utf-8").partition("\n\n")
    replaced = {header.partition(":")[0].lower() for header in headers}
    kept = [line for line in head.split("\n") if line.partition(":")[0].lower() not in replaced]
    return read("\n".join([*headers, *kept, "", body]).encode("utf-8"))


def screened(name: str, *headers: str, rules: Rules = OURS, history: History = NOTHING) -> Screening:
    return screen(mail(name, *headers), rules, history)


def customer(*headers: str, rules: Rules = OURS, history: History = NOTHING) -> Screening:
    return screened("customer", *headers, rules=rules, history=history)


def written(text: str, subject: str = "Hello") -> Message:
    maria = Address(address="maria.lopez@example.org")
    to = (Address(address=OWN),)
    return Message(key="m", sender=maria, senders=(maria,), recipients=to, subject=subject, text=text, arrived=ARRIVED)


def check_of(text: str, subject: str = "Hello") -> str | None:
    return screen(written(text, subject), OURS, NOTHING).check


def test_a_customer_whom_a_trusted_server_vouches_for_may_be_answered_without_doubt():
    assert customer(VOUCHED) == Screening(authenticated=True)


def test_every_check_has_a_name_of_its_own():
    names = [name for name, _ in CHECKS]
    assert len(names) == len(set(names))


def test_a_report_names_the_failed_and_the_delayed_but_not_the_delivered():
    screening = screened("bounce-report")
    assert (screening.check, screening.is_bounce, screening.may_reply) == ("bounce", True, False)
    assert screening.bounced == ("nobody@example.org", "full@example.net", "slow@example.com")


def test_only_a_mailbox_that_does_not_exist_is_dead():
    assert screened("bounce-report").dead == ("nobody@example.org",)


@pytest.mark.parametrize(
    ("status", "diagnostic", "dead"),
    [
        ("5.1.1", "", True),
        ("5.1.10", "", True),
        ("5.1.2", "550 host unknown", True),
        ("5.4.4", "Host or domain name not found", True),
        ("5.0.0", "550 This address does not exist", True),
        ("5.1.0", "550 address rejected", False),
        ("5.1.8", "553 domain of sender address does not exist", False),
        ("5.1.1", "550 5.1.1 sent to too many recipients this hour", False),
        ("5.2.2", "552 mailbox is full", False),
        ("5.7.1", "554 message blocked by policy", False),
        ("5.7.26", "550 unauthenticated mail fails DMARC", False),
        ("4.1.1", "450 user unknown, try again", False),
    ],
)
def test_the_status_and_the_words_of_a_failure_tell_whether_it_is_dead(status: str, diagnostic: str, dead: bool):
    failure = Failure(recipient="x@example.org", action="failed", status=status, diagnostic=diagnostic)
    screening = screen(replace(written("Not delivered."), failures=(failure,)), OURS, NOTHING)
    assert screening.bounced == ("x@example.org",)
    assert screening.dead == (("x@example.org",) if dead else ())


def test_a_report_of_a_delivery_is_no_bounce_and_gets_no_answer():
    screening = screened("delivered-report")
    assert (screening.check, screening.is_bounce, screening.bounced) == ("receipt", False, ())


def test_a_block_without_an_action_is_a_bounce_only_if_its_status_is_permanent():
    def with_status(status: str) -> bool:
        failures = (Failure(recipient="x@example.org", action="", status=status),)
        return screen(replace(written("."), failures=failures), OURS, NOTHING).is_bounce

    assert with_status("5.1.1")
    assert not with_status("4.7.0")


def test_a_bounce_in_plain_words_names_its_recipients_and_no_one_else():
    assert screened("bounce-words").bounced == ("gone@example.org", "heavy@example.net")


def test_a_bounce_in_plain_words_says_of_each_recipient_whether_it_is_dead():
    assert screened("bounce-words").dead == ("gone@example.org",)


@pytest.mark.parametrize("said", ["'SMTP=gone@example.org' was not found", "To gone@example.org: 550", "(gone@example.org)."])
def test_a_recipient_is_read_from_any_of_the_usual_places(said: str):
    message = replace(mail("bounce-words"), text=said, quoted="")
    assert screen(message, OURS, NOTHING).bounced == ("gone@example.org",)


def test_a_recipient_that_was_a_program_is_read_from_its_line():
    failure = Failure(recipient='"|/usr/bin/filter" Gone@example.org', action="failed", status="5.3.0")
    assert screen(replace(written("."), failures=(failure,)), OURS, NOTHING).bounced == ("gone@example.org",)


def test_a_bounce_that_names_a_crowd_is_believed_for_twenty():
    message = replace(mail("bounce-words"), text="\n".join(f"<x{number}@example.org>" for number in range(500)), quoted="")
    assert len(screen(message, OURS, NOTHING).bounced) == 20


def test_bounces_are_recognised_in_other_languages():
    spanish, japanese = screened("bounce-spanish"), screened("bounce-japanese")
    assert (spanish.check, spanish.bounced, spanish.dead) == ("bounce", ("pilar@example.es",), ("pilar@example.es",))
    assert (japanese.check, japanese.bounced, japanese.dead) == ("bounce", ("hanako@example.jp",), ("hanako@example.jp",))


def test_failed_recipients_in_a_header_make_a_bounce():
    screening = customer("X-Failed-Recipients: Gone@example.org, heavy@example.net")
    assert (screening.check, screening.bounced) == ("bounce", ("gone@example.org", "heavy@example.net"))


def test_a_bounce_is_a_bounce_before_it_is_automatic_or_without_sender():
    assert screened("bounce-words", "Auto-Submitted: auto-replied", "Return-Path: <>").check == "bounce"


def test_a_bounce_that_names_nobody_is_about_whom_we_wrote_to():
    message = replace(mail("bounce-japanese"), text="配信できませんでした。宛先不明", quoted="")
    screening = screen(message, OURS, History(counterpart="hanako@example.jp"))
    assert (screening.bounced, screening.dead) == (("hanako@example.jp",), ("hanako@example.jp",))


def test_a_customer_whose_parcel_was_not_delivered_is_no_mail_server():
    assert screened("parcel").check is None


def test_a_bounce_from_a_server_of_no_known_name_is_told_by_subject_and_address():
    message = written("Your message could not be delivered to: <gone@example.net>\nNo such user.", "Delivery failure")
    screening = screen(message, OURS, NOTHING)
    assert (screening.check, screening.dead) == ("bounce", ("gone@example.net",))


def test_a_person_who_tells_of_a_bounce_in_a_conversation_is_no_mail_server():
    message = written("My letter could not be delivered to <tom@example.net>. Please cancel.", "Re: Undelivered mail")
    assert screen(replace(message, thread=("<ours-1@bluedoor.example>",)), OURS, NOTHING).check is None


def test_a_postmaster_who_writes_about_something_else_is_no_bounce():
    assert customer("From: Pat <postmaster@example.org>").check == "role"


def test_our_own_mark_stops_a_loop():
    assert customer("X-Winback-Id: 7f3a").check == "loop"


def test_a_mail_that_went_through_too_many_servers_is_a_loop():
    received = "\n".join("Received: from a by b; Fri, 20 Nov 2026 09:12:04 +0000" for _ in range(51))
    assert customer(received).check == "loop"


def test_a_very_deep_thread_gets_no_automatic_answer():
    def references(number: int) -> str:
        return "References: " + "\n ".join(f"<{each}@example.org>" for each in range(number))

    assert customer(references(20)).check is None
    assert customer(references(21)).check == "deep_thread"


def test_our_own_letters_are_never_answered():
    assert screened("own-copy").check == "own"


def test_a_name_of_ours_with_a_detail_is_ours_too():
    assert customer("From: dana+sales@BlueDoor.example").check == "own"


def test_own_mail_is_not_looked_for_when_our_addresses_are_not_known():
    for unknown in (None, frozenset[str]()):
        assert screened("own-copy", rules=replace(OURS, own_addresses=unknown)).check is None


def test_two_senders_are_no_sender():
    assert screened("two-senders").check == "no_sender"


def test_a_mail_without_a_way_back_is_not_answered():
    assert customer("Return-Path: <>").check == "null_sender"


def test_a_mail_without_a_return_path_is_not_taken_for_one_without_a_way_back():
    assert screened("two-senders", "From: maria.lopez@example.org").check is None


@pytest.mark.parametrize(
    "sender",
    [
        "noreply@example.org",
        "No-Reply <service@example.org>",
        "do_not.reply@example.org",
        "no-responder@example.org",
        "ne-pas-repondre@example.org",
        "nicht.antworten@example.org",
        "nao-responda@example.org",
        "non_rispondere@example.org",
    ],
)
def test_who_wants_no_reply_gets_none(sender: str):
    assert customer(f"From: {sender}").check == "no_reply"


def test_a_reply_to_that_nobody_reads_is_respected():
    assert customer("Reply-To: noreply@example.org").check == "no_reply"


def test_a_request_not_to_reply_is_respected():
    assert check_of("Your visit on Monday is off.\nPlease do not reply to this message.") == "no_reply"


@pytest.mark.parametrize("sender", ["root@example.org", "www-data@example.org", "notify@example.org", "a@lists.example.org"])
def test_accounts_of_programs_are_not_answered(sender: str):
    assert customer(f"From: {sender}").check == "role"


@pytest.mark.parametrize("sender", ["info@example.org", "store-owner@example.org", "x@bounce-house.example"])
def test_people_write_from_shared_accounts_and_are_answered(sender: str):
    assert customer(f"From: {sender}", f"Return-Path: <{sender}>").check is None


def test_a_suppressed_address_is_never_written_to():
    assert customer(VOUCHED, history=History(suppressed="opt_out")).check == "suppressed"


def test_mail_to_nobody_in_particular_is_not_answered():
    assert screened("undisclosed").check == "no_recipient"
    assert customer("To: undisclosed recipients <list@example.net>").check == "no_recipient"
    assert screened("undisclosed", "To: ", rules=replace(OURS, own_addresses=None)).check == "no_recipient"


def test_mail_that_is_not_addressed_to_us_is_not_answered():
    assert customer("To: list@example.net").check == "not_to_us"
    assert customer("To: list@example.net", rules=replace(OURS, own_addresses=None)).check is None
    assert customer("To: list@example.net", rules=replace(OURS, own_addresses=frozenset())).check is None


@pytest.mark.parametrize("place", ["Cc: DANA@bluedoor.example", "Cc: dana+shop@bluedoor.example", f"Resent-To: <{OWN}>"])
def test_any_address_of_ours_among_the_recipients_will_do(place: str):
    assert customer("To: list@example.net", place).check is None


def test_the_address_that_we_write_from_is_ours_as_well():
    rules = replace(OURS, own_addresses=frozenset({"info@bluedoor.example"}))
    assert customer(rules=rules).check is None
    assert screened("own-copy", rules=rules).check == "own"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: Auto-Generated (vacation)",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "X-Autoreply: yes",
        "X-Autorespond: out",
        "X-Apple-Action: VACATION",
        "X-Loop: maria.lopez@example.org",
        "X-MS-Exchange-Inbox-Rules-Loop: maria.lopez@example.org",
        "Precedence: auto_reply",
    ],
)
def test_what_says_that_it_is_automatic_is_not_answered(header: str):
    assert customer(header).check == "automatic"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person wrote this)",
        "X-Auto-Response-Suppress: None",
        "X-Auto-Response-Suppress: RN, NRN",
        "X-Autoreply: no",
        "Precedence: normal",
        "X-Spam-Flag: NO",
        "X-Spam-Status: No, score=-2.1",
    ],
)
def test_a_header_that_says_no_silences_nobody(header: str):
    assert customer(header).check is None


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: We kept your place",
        "Out of Office: We kept your place",
        "[Auto-Reply] We kept your place",
        "AUTO: Maria Lopez is out of the office (returning 11/30/2026)",
        "Maria Lopez is out of the office.",
        "Respuesta automática: Su plaza",
        "Fuera de la oficina",
        "Automatische Antwort: Ihr Platz",
        "Abwesenheitsnotiz: Ihr Platz",
        "Réponse automatique : Votre place",
        "Resposta automática: O seu lugar",
        "Risposta automatica: Il suo posto",
    ],
)
def test_out_of_office_is_never_answered(subject: str):
    assert check_of("I am away until Monday.", subject) == "automatic"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Dana is out of the office",
        "Re: Automatic reply: Cancelling my class",
        "Cancelling my appointment automatically renewed?",
        "Automatic renewal: please stop it",
        "Out of office hours it is too late for me",
        "Auto: cancelar el seguro",
        "Vacation, so I cancel Tuesday",
        "Undelivered flowers",
        "Bounce house for Saturday: cancel please",
    ],
)
def test_a_persons_tricky_subject_is_answered(subject: str):
    assert check_of("Please cancel it. Maria", subject) is None


def test_a_machine_that_introduces_itself_is_not_answered():
    assert check_of("Thank you. This is an automated response, we shall write soon.") == "automatic"
    assert check_of("THIS IS AN AUTOMATED MESSAGE.") == "automatic"
    assert check_of("Gracias. Esta es una respuesta automática.") == "automatic"


def test_a_person_who_speaks_of_machines_and_mailings_is_answered():
    assert screened("about-newsletter").check is None
    assert check_of("I want to unsubscribe from this service. Take me off your mailing list, too.") is None


def test_challenges_are_told_from_other_automatic_mail():
    assert screened("challenge").check == "challenge"


@pytest.mark.parametrize(
    "header",
    [
        "List-Id: <studio.example.org>",
        "List-Unsubscribe: <https://example.org/u>",
        "Mailing-List: list studio@example.org",
        "X-BeenThere: studio@example.org",
        "Precedence: Bulk",
        "Errors-To: x@example.org",
        "Sender: owner-studio@example.org",
        "Return-Path: <studio-bounces+maria=example.org@lists.example.net>",
        "Return-Path: <m-71-dana=bluedoor.example@house.example>",
        "From: studio-request@example.org",
    ],
)
def test_lists_are_not_answered(header: str):
    assert customer(header).check == "list"


@pytest.mark.parametrize(
    "envelope", ["bounces+SRS=kx3=ab@studio.onmicrosoft.example", "maria.lopez+caf_=dana=bluedoor.example@gmail.example"]
)
def test_a_forwarders_rewritten_envelope_is_no_list(envelope: str):
    assert customer(f"Return-Path: <{envelope}>").check is None


def test_a_mailing_is_told_by_its_footer_its_links_or_its_length():
    assert screened("newsletter").check == "mailing"
    assert check_of("\n".join(f"https://example.org/{number}" for number in range(11))) == "mailing"
    assert check_of("Everything that happened this year. " * 300) == "mailing"
    assert check_of("See https://example.org/me, and please cancel. " * 10) is None


@pytest.mark.parametrize("sender", ["Yarn Barn <news@yarnbarn.example>", "Yarn Barn Newsletter <kim@yarnbarn.example>"])
def test_an_account_for_mailings_is_a_mailing(sender: str):
    assert customer(f"From: {sender}").check == "mailing"


def test_calendar_mail_is_not_answered_by_mail():
    assert screened("calendar-cancel").check == "calendar"


def test_calendar_mail_that_hides_its_calendar_is_told_by_its_class():
    assert customer("Content-Class: urn:content-classes:calendarmessage").check == "calendar"


def test_a_calendar_file_without_a_method_is_just_a_file():
    message = mail("calendar-cancel")
    assert message.calendar is not None
    assert screen(replace(message, calendar=replace(message.calendar, method="")), OURS, NOTHING).check is None


def test_receipts_and_complaints_are_told_apart():
    assert screened("read-receipt").check == "receipt"
    assert screened("complaint").check == "feedback"
    assert customer("Subject: complaint about message from 192.0.2.1").check == "feedback"


def test_a_receipt_without_words_is_a_receipt_and_a_letter_about_reading_is_not():
    assert check_of("", "Read: We kept your place") == "receipt"
    assert check_of("I did, and I cancel.", "Read: We kept your place") is None
    outlook = replace(written("\x01\x02", "Read: We kept your place"), content_type="application/ms-tnef")
    assert screen(outlook, OURS, NOTHING).check == "receipt"


def test_marked_spam_is_not_answered():
    assert customer("X-Spam-Flag: YES").check == "spam"
    assert customer("X-Spam-Status: Yes, score=9.3").check == "spam"


def test_a_mail_that_was_too_big_to_read_is_not_answered():
    message = replace(written(""), defects=("too big: only the headers were taken over",))
    assert screen(message, OURS, NOTHING).check == "too_big"


def authentication(result: str, *headers: str) -> Screening:
    return customer(f"Authentication-Results: {result}", *headers)


@pytest.mark.parametrize(
    "result",
    [
        "mx.bluedoor.example; dmarc=pass header.from=example.org",
        "MX.BlueDoor.Example 1; dmarc = pass (p=reject dis=none) header.from=example.org",
        "mx2.bluedoor.example; dmarc=pass",
        "mx.bluedoor.example; spf=pass smtp.mailfrom=maria.lopez@example.org; dkim=none",
        "mx.bluedoor.example; spf=pass smtp.mailfrom=mail.example.org",
        "mx.bluedoor.example; dkim=pass header.d=other.example; dkim=pass header.d=example.org; dmarc=none",
        'mx.bluedoor.example (says "dmarc=fail;"); dkim=pass (good; dmarc=fail) header.i=@example.org',
    ],
)
def test_a_trusted_server_vouches_for_the_domain_of_the_sender(result: str):
    assert authentication(result).authenticated


@pytest.mark.parametrize(
    "result",
    [
        "mx.elsewhere.example; dmarc=pass header.from=example.org",
        "spf=pass (sender IP is 192.0.2.9) smtp.mailfrom=example.org; dmarc=pass action=none header.from=example.org",
        "mx.bluedoor.example; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=notexample.org",
        "mx.bluedoor.example; dkim=pass header.d=org",
        "mx.bluedoor.example; spf=pass smtp.helo=example.org",
        "mx.bluedoor.example; dmarc=pass header.from=evil.example",
        "mx.bluedoor.example; dmarc=none; spf=softfail smtp.mailfrom=example.org",
        "mx.bluedoor.example; spf=fail (dmarc=pass; dmarc=pass header.from=example.org) smtp.mailfrom=example.org",
        'mx.bluedoor.example; spf=fail smtp.mailfrom="; dmarc=pass header.from=example.org; x"@evil.example',
        'mx.bluedoor.example; spf=pass smtp.mailfrom="x@example.org"@evil.example',
        'mx.bluedoor.example; spf=pass reason="so smtp.mailfrom=example.org" smtp.mailfrom=evil.example',
        f"mx.bluedoor.example; dmarc=pass header.from=example.org; {'x' * 4_000}",
        "mx.bluedoor.example (never closed; dmarc=pass header.from=example.org",
        "none",
        "",
    ],
)
def test_nobody_else_and_nothing_else_vouches(result: str):
    screening = authentication(result)
    assert (screening.check, screening.authenticated) == (None, False)
    assert screening.doubt == "no trusted server vouches for the sender"


def test_only_the_topmost_result_counts():
    forged = "Authentication-Results: mx.bluedoor.example; dmarc=pass header.from=example.org"
    assert not authentication(f"mx.elsewhere.example; dmarc=none\n{forged}").authenticated
    assert not authentication(f"mx.bluedoor.example; spf=none\n{forged}").authenticated


def test_a_result_without_the_name_of_a_server_is_not_trusted_even_if_configured():
    rules = replace(OURS, trusted_authserv=frozenset({"spf=pass"}))
    assert not customer("Authentication-Results: spf=pass; dmarc=pass header.from=example.org", rules=rules).authenticated


def test_what_failed_dmarc_at_a_trusted_server_is_spoofed():
    screening = authentication("mx.bluedoor.example; dkim=pass header.d=example.org; dmarc=fail header.from=example.org")
    assert (screening.check, screening.authenticated) == ("spoofed", False)


def test_a_failure_that_a_stranger_reports_stops_nothing():
    assert authentication("mx.elsewhere.example; dmarc=fail header.from=example.org").check is None


def test_a_reply_to_in_another_organisation_is_doubtful():
    assert customer(VOUCHED, "Reply-To: maria@elsewhere.example").doubt == "Reply-To is in another domain than the sender"
    assert customer(VOUCHED, "Reply-To: maria@mail.example.org").doubt is None


def test_a_name_that_looks_like_another_address_is_doubtful():
    doubt = customer(VOUCHED, 'From: "boss@bank.example" <maria.lopez@example.org>').doubt
    assert doubt == "the sender's name looks like another address"


def test_an_address_that_is_not_ascii_is_doubtful():
    doubt = customer("Authentication-Results: mx.bluedoor.example; dmarc=pass", "From: mar\u00eda@example.org").doubt
    assert doubt == "the sender's address has letters that may be taken for others"


def test_a_mail_that_parsers_read_differently_is_doubtful():
    message = replace(mail("customer", VOUCHED), defects=("two readings of From disagree",))
    assert screen(message, OURS, NOTHING).doubt == "two parsers read this mail differently"


def test_old_mail_and_answered_conversations_are_doubtful():
    message = replace(mail("customer", VOUCHED), old=True)
    screening = screen(message, OURS, History(answered_thread=True))
    assert screening.may_reply
    assert screening.doubt == "it came before winback was started; this conversation had an automatic answer already"


def test_a_mail_to_its_own_sender_is_doubtful():
    screening = customer(VOUCHED, "To: maria.lopez@example.org", rules=replace(OURS, own_addresses=None))
    assert (screening.may_reply, screening.doubt) == (True, "it is addressed to its own sender")


def test_there_is_no_doubt_about_what_is_not_answered_at_all():
    assert customer("Auto-Submitted: auto-replied").doubt is None


PUMPS = (
    *("a@", "a.", "-", "a+", "to: ", "final-recipient: ", "(", '"', '\\"', "=?", "a@b.c ", "a@b.c\n", "x-a: ", "é"),
    *("1 is out of the office ", "delivered to ", "-owner+", "unsubscribe ", "received: \n"),
)


@pytest.mark.no_cover
@pytest.mark.parametrize("pump", PUMPS)
def test_hostile_words_cost_no_more_than_others(pump: str):
    long = pump * (200_000 // len(pump))
    daemon = Address(name="Mail Delivery System", address="mailer-daemon@example.org")
    headers = tuple((name, long[:20_000]) for name in ("from", "return-path", "authentication-results", "references", "sender"))
    headers = (*headers, ("authentication-results", "mx.bluedoor.example; " + long[:3_900]))
    message = replace(written(long, long[:1_000]), sender=daemon, senders=(daemon,), quoted=long, headers=headers)
    vouched = replace(message, headers=(headers[-1], ("from", "mailer-daemon"), *headers[1:]))
    assert seconds(lambda: (screen(message, OURS, NOTHING), screen(vouched, OURS, NOTHING)), enough=1) < 1


def customers_of_the_training_corpus() -> Iterator[dict[str, str]]:
    for path in sorted(TRAINING.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").strip().split("\n"):
            each = json.loads(line)
            if each["intent"] != "none":
                yield each


def test_no_words_of_a_cancelling_customer_silence_us():
    customers = list(customers_of_the_training_corpus())
    assert customers
    assert [each["id"] for each in customers if check_of(each["text"], each["subject"])] == []


NEVER = {
    "bounce": {"bounce"},
    "automatic reply": {"auto_reply", "out_of_office"},
    "feedback report": {"feedback_report"},
    "receipt": {"read_receipt"},
    "own mail": {"own_mail"},
    "calendar": {"calendar_cancel", "calendar_decline", "calendar_accept", "calendar_other"},
    "list": {"list"},
}
LIMITS = dict.fromkeys(NEVER, 0.0) | {
    "other that must not be answered": 0.01,
    "silenced": 0.03,
    "bounce missed": 0.02,
    "bounce invented": 0.003,
    "recipient missed": 0.10,
}


def errors(entry: dict, screening: Screening) -> Iterator[tuple[str, bool]]:
    """Which figures an entry of the corpus counts for, and whether it counts against them."""
    expected, tags = entry["expected"], set(entry["tags"])
    if expected["may_auto_reply"] is False:
        kinds = [kind for kind, marks in NEVER.items() if marks & tags]
        for kind in kinds or ["other that must not be answered"]:
            yield kind, screening.may_reply
    if expected["may_auto_reply"] is True:
        yield "silenced", not screening.may_reply
    if expected.get("is_bounce") is True:
        yield "bounce missed", not screening.is_bounce
    if expected.get("is_bounce") is False:
        yield "bounce invented", screening.is_bounce
    if expected.get("bounce_recipient"):
        yield "recipient missed", {each.lower() for each in expected["bounce_recipient"]}.isdisjoint(screening.bounced)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mail is not beside the repository (../shared/corpus/mime)")
def test_real_mail_is_screened_as_people_labelled_it():
    counted, wrong, names = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    for line in (CORPUS / "manifest.jsonl").read_text(encoding="utf-8").strip().split("\n"):
        entry = json.loads(line)
        own = entry.get("context", {}).get("own_addresses")
        rules = Rules(business=BUSINESS, own_addresses=None if own is None else frozenset(map(str.lower, own)))
        try:
            message = read((CORPUS / entry["path"]).read_bytes(), entry["path"])
        except Unreadable:
            continue
        for figure, is_wrong in errors(entry, screen(message, rules, NOTHING)):
            counted[figure] += 1
            wrong[figure] += is_wrong
            names[figure] += [entry["path"]] * is_wrong
    table = [f"{wrong[figure]:4} of {counted[figure]:4} {figure} {names[figure][:9]}" for figure in LIMITS]
    assert all(wrong[figure] <= limit * counted[figure] for figure, limit in LIMITS.items()), "\n" + "\n".join(table)
