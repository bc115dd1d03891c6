from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core import decide
from pipeline.core.records import (
    Address,
    AnswerRules,
    Business,
    Calendar,
    ContactState,
    FollowUp,
    History,
    Intent,
    Message,
    Outcome,
    Reason,
    Rules,
    Screening,
    Sensitive,
    Verdict,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MESSAGE = Message(key="m1", sender=Address(address="maria@example.org"), arrived=NOW)
TRUSTED = Screening(authenticated=True)
SURE = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, confidence=0.99, intent_confidence=0.99)
NONE = Verdict(intent=Intent.NONE, confidence=0.98, intent_confidence=0.98)
RULES = Rules(business=Business(name="Bluedoor", sender=Address(address="dana@bluedoor.example")))
STEP = FollowUp(key="s", case="m1", address="a", track="price", number=1, template="price_1", due=NOW)


def decided(
    verdict: Verdict = SURE, screening: Screening = TRUSTED, message: Message = MESSAGE, history: History = History()
) -> decide.Decision:
    return decide.answer(message, screening, verdict, history, RULES)


def stopped(check: str) -> Screening:
    return Screening(check=check, may_reply=False)


def test_a_sure_cancellation_is_answered_at_once():
    decision = decided()
    assert (decision.outcome, decision.template, decision.review) == (Outcome.ANSWER, "price", False)


def test_what_is_not_a_cancellation_is_left_alone():
    decision = decided(NONE)
    assert (decision.outcome, decision.cause) == (Outcome.IGNORE, "not_a_cancellation")


def test_trouble_that_may_be_a_cancellation_reaches_a_person():
    legal = replace(NONE, sensitive=Sensitive.LEGAL)
    assert decided(replace(legal, intent_confidence=0.84)).outcome is Outcome.HOLD
    assert decided(legal).outcome is Outcome.IGNORE
    in_plain_words = decided(replace(legal, grave=True))
    assert (in_plain_words.outcome, in_plain_words.cause) == (Outcome.HOLD, "trouble")


def test_an_opt_out_alone_is_obeyed_and_not_answered():
    decision = decided(replace(NONE, opt_out=True))
    assert (decision.outcome, decision.cause) == (Outcome.IGNORE, "opt_out")


@pytest.mark.parametrize("check", sorted(decide.NOT_A_PERSON - {"bounce"}))
def test_a_machine_is_never_answered_whatever_it_says(check: str):
    decision = decided(screening=stopped(check))
    assert (decision.outcome, decision.cause) == (Outcome.IGNORE, check)


def test_a_bounce_is_ignored_whatever_it_returns():
    assert decided(screening=Screening(check="bounce", may_reply=False, is_bounce=True)).cause == "bounce"


@pytest.mark.parametrize("check", sorted(decide.HELD_IF_CANCELLED))
def test_a_cancellation_that_mail_may_not_answer_reaches_a_person(check: str):
    decision = decided(screening=stopped(check))
    assert (decision.outcome, decision.cause) == (Outcome.HOLD, check)


@pytest.mark.parametrize("check", sorted(decide.HELD_IF_CANCELLED))
def test_a_harmless_mail_that_may_not_be_answered_bothers_nobody(check: str):
    assert decided(NONE, screening=stopped(check)).outcome is Outcome.IGNORE


def test_another_check_silences_even_a_cancellation():
    decision = decided(screening=stopped("too_often"))
    assert (decision.outcome, decision.cause) == (Outcome.IGNORE, "too_often")


def test_unsure_whether_it_is_a_cancellation_is_a_persons_matter():
    decision = decided(replace(NONE, unsure=True, intent_confidence=0.4))
    assert (decision.outcome, decision.cause) == (Outcome.HOLD, "unsure")


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        (Sensitive.BEREAVEMENT, "sensitive_grief"),
        (Sensitive.ILLNESS, "sensitive_care"),
        (Sensitive.HARDSHIP, "sensitive_care"),
        (Sensitive.LEGAL, "sensitive_human"),
        (Sensitive.MINOR, "sensitive_human"),
        (Sensitive.ABUSE, "sensitive_human"),
        (Sensitive.ANGER, "sensitive_human"),
    ],
)
def test_who_is_in_trouble_gets_a_human_text_that_a_person_releases(kind: Sensitive, template: str):
    decision = decided(replace(SURE, sensitive=kind))
    assert (decision.template, decision.review) == (template, True)


def test_a_sensitive_wish_for_another_date_is_reviewed_too():
    decision = decided(replace(SURE, intent=Intent.RESCHEDULE, reason=None, sensitive=Sensitive.ILLNESS))
    assert (decision.template, decision.review) == ("sensitive_care", True)


@pytest.mark.parametrize(
    ("verdict", "template"),
    [
        (replace(SURE, intent=Intent.RESCHEDULE, reason=None), "reschedule"),
        (replace(SURE, reason=Reason.OTHER, subreason="moved"), "ended"),
        (replace(SURE, reason=Reason.OTHER, subreason="competitor"), "competitor"),
        (replace(SURE, reason=Reason.NOT_READY), "not_ready"),
        (replace(SURE, reason=Reason.UNSPECIFIED), "unspecified"),
    ],
)
def test_each_reading_has_its_own_text(verdict: Verdict, template: str):
    assert decide.template_of(verdict) == template


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verdict": replace(SURE, confidence=0.9)}, "90% is below 95%"),
        ({"verdict": replace(SURE, unsure=True)}, "the reading is unsure"),
        ({"verdict": replace(SURE, reason=Reason.SERVICE)}, "a complaint about service is always for a person"),
        ({"verdict": replace(SURE, question=True)}, "it asks something that wants an answer"),
        ({"verdict": replace(SURE, opt_out=True)}, "it asks for no more mail"),
        (
            {"verdict": replace(SURE, delicate="in the hospital")},
            '"in the hospital" may tell of grief, illness or other trouble',
        ),
        ({"screening": Screening()}, "no trusted server vouches for the sender"),
        ({"screening": Screening(authenticated=True, doubt="Reply-To elsewhere")}, "Reply-To elsewhere"),
        ({"message": replace(MESSAGE, old=True)}, "it came before winback was started"),
        ({"history": History(answered_thread=True)}, "this conversation had an automatic answer already"),
        (
            {"history": History(last_automatic=NOW - timedelta(days=6))},
            "this customer had an automatic answer within the last 7 days",
        ),
    ],
)
def test_any_doubt_makes_it_a_draft(changes: dict[str, object], why: str):
    decision = decided(**changes)
    assert decision.review
    assert why in decision.why[-1]


def test_asking_for_another_date_is_answered_by_the_text_itself():
    assert not decided(replace(SURE, intent=Intent.RESCHEDULE, reason=None, question=True)).review


def test_an_answer_of_eight_days_ago_is_no_doubt():
    assert not decided(history=History(last_automatic=NOW - timedelta(days=8))).review


def test_how_long_an_address_rests_is_the_business_s_own_choice():
    rested = replace(RULES, answers=AnswerRules(rest=timedelta(days=30)))
    history = History(last_automatic=NOW - timedelta(days=8))
    assert decide.answer(MESSAGE, TRUSTED, SURE, history, rested).review


def test_what_is_a_hair_below_the_bound_is_not_told_as_the_bound():
    found = decide.answer(MESSAGE, TRUSTED, replace(SURE, confidence=0.9496), History(), RULES)
    assert found.review
    assert found.why[-1] == "Goes to review: 94% is below 95%."


def test_acknowledgments_wait_when_the_admin_says_so():
    rules = replace(RULES, answers=AnswerRules(acknowledgments="review"))
    assert decide.answer(MESSAGE, TRUSTED, SURE, History(), rules).review


@pytest.mark.parametrize(
    ("screening", "verdict", "cause"),
    [
        (TRUSTED, NONE, "reply"),
        (TRUSTED, SURE, "new_cancellation"),
        (TRUSTED, replace(SURE, asked="Why?"), "told_why"),
        (TRUSTED, replace(NONE, opt_out=True), "opt_out"),
        (TRUSTED, replace(NONE, intent=Intent.RESCHEDULE), "rebooked"),
        (Screening(is_bounce=True, check="bounce"), NONE, "bounce"),
        (stopped("feedback"), NONE, "complaint"),
        (stopped("own"), NONE, "human"),
        (stopped("automatic"), NONE, None),
        (stopped("list"), NONE, None),
        (stopped("spoofed"), SURE, None),
        (TRUSTED, None, "reply"),
    ],
)
def test_what_ends_running_follow_ups(screening: Screening, verdict: Verdict | None, cause: str | None):
    assert decide.stop_cause(MESSAGE, screening, verdict) == cause


@pytest.mark.parametrize(
    ("calendar", "cause"),
    [
        (Calendar(method="REPLY", partstat="ACCEPTED"), "rebooked"),
        (Calendar(method="REQUEST"), "rebooked"),
        (Calendar(method="REPLY", partstat="DECLINED"), "reply"),
    ],
)
def test_a_calendar_answer_that_accepts_is_a_booking(calendar: Calendar, cause: str):
    assert decide.stop_cause(replace(MESSAGE, calendar=calendar), stopped("calendar"), NONE) == cause


def test_whose_follow_ups_end():
    history = History(counterpart="old@example.org")
    assert decide.stopped_addresses(MESSAGE, TRUSTED, history) == ("maria@example.org", "old@example.org")


def test_a_bounce_ends_those_of_its_recipients():
    bounce = Screening(check="bounce", is_bounce=True, bounced=("gone@example.org",))
    assert decide.stopped_addresses(MESSAGE, bounce, History()) == ("gone@example.org",)


def test_our_own_mail_to_a_customer_means_that_a_person_took_over():
    ours = replace(MESSAGE, recipients=(Address(address="Maria@example.org"),))
    assert decide.stopped_addresses(ours, stopped("own"), History()) == ("maria@example.org",)


def test_who_is_never_written_to_again():
    opted_out = replace(NONE, opt_out=True)
    history = History(counterpart="old@example.org")
    assert decide.suppressed_addresses(MESSAGE, TRUSTED, opted_out, history) == {
        "maria@example.org": "opt_out",
        "old@example.org": "opt_out",
    }
    assert decide.suppressed_addresses(MESSAGE, stopped("feedback"), NONE, history) == {"old@example.org": "complaint"}
    gone = Screening(check="bounce", is_bounce=True, dead=("old@example.org",))
    assert decide.suppressed_addresses(MESSAGE, gone, None, history) == {"old@example.org": "bounce"}


def test_a_forged_bounce_silences_nobody():
    gone = Screening(check="bounce", is_bounce=True, dead=("maria@example.org",))
    assert decide.suppressed_addresses(MESSAGE, gone, None, History()) == {}


def test_a_mail_that_was_too_big_to_read_is_a_persons_matter():
    decision = decided(NONE, screening=stopped("too_big"))
    assert (decision.outcome, decision.cause) == (Outcome.HOLD, "too_big")


def test_a_doubt_of_the_screening_is_told_once():
    decision = decided(screening=Screening(doubt="no trusted server vouches for the sender; Reply-To elsewhere"))
    assert decision.why[-1].count("vouches") == 1


@pytest.mark.parametrize("check", sorted(decide.NOT_BELIEVED))
def test_nobody_opts_out_in_anothers_name(check: str):
    assert decide.suppressed_addresses(MESSAGE, stopped(check), replace(SURE, opt_out=True), History()) == {}


def test_a_newsletters_unsubscribe_footer_opts_nobody_out():
    assert decide.suppressed_addresses(MESSAGE, stopped("list"), replace(NONE, opt_out=True), History()) == {}


@pytest.mark.parametrize(
    ("verdict", "planned", "state"),
    [
        (SURE, (STEP,), ContactState.IN_FOLLOW_UP),
        (SURE, (), ContactState.CLOSED),
        (replace(SURE, opt_out=True), (), ContactState.SUPPRESSED),
        (replace(SURE, intent=Intent.RESCHEDULE), (), ContactState.RESCHEDULED),
        (NONE, (), None),
    ],
)
def test_where_the_customer_stands_afterwards(verdict: Verdict, planned: tuple[FollowUp, ...], state: ContactState | None):
    assert decide.contact_state(verdict, decided(verdict), planned) == state


@pytest.mark.parametrize(
    "words", ["cancel " * 30, "Please cancel. " * 20, "Hello, I write about my membership. " + "too expensive " * 80]
)
def test_who_says_the_same_words_again_and_again_speaks_to_a_program(words: str):
    assert decided(message=replace(MESSAGE, text=words)).review


def test_a_person_repeats_a_word_now_and_then():
    text = "Hi, I would like to cancel my class, please. It is just that the class is too late for me, and I work late too."
    assert not decided(message=replace(MESSAGE, text=text)).review
