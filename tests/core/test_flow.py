"""The whole path of a message through the core, without store and outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeTexts, WordModel, mail, make_rules

from pipeline.core import compose, flow
from pipeline.core.records import (
    Address,
    Basis,
    Case,
    ContactState,
    FollowUp,
    Ground,
    History,
    Intent,
    Message,
    Outcome,
    Place,
    Plan,
    Raw,
    Reason,
    Text,
    Verdict,
)
from pipeline.edges.templates import Templates
from pipeline.errors import TextRefused

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
RULES = make_rules()
TEXTS = Templates(Path(__file__).parents[2] / "templates")
CANCEL = "Please cancel my membership, it is too expensive for me."
NOBODY = History()


def stamp(key: str) -> str:
    return f"stamp{len(key)}"


def ticket(address: str) -> str:
    return "ab" * 32


def read(data: bytes) -> Message:
    place = Place(folder="f", epoch="1", uid="1")
    return flow.read(Raw(key=place.key, place=place, arrived=NOW, data=data))


def answered(words: str, rules=RULES, texts: flow.Texts = TEXTS, history: History = NOBODY, **more: str) -> Plan:
    message = read(mail(words, **more))
    look = flow.look(message, history, rules)
    (scores,) = WordModel().score([flow.words(message)])
    return flow.answer(message, look, scores, history, rules, NOW, texts, stamp)


def test_the_same_mail_gives_the_same_plan():
    assert answered(CANCEL) == answered(CANCEL)


@pytest.mark.parametrize(
    ("past", "matters"),
    [
        ({"suppressed": "by hand"}, True),
        ({"answered_thread": True}, True),
        ({"counterpart": "maria@example.org"}, True),
        ({"address": "maria@example.org", "known": True, "touches": 2, "waiting": ()}, False),
    ],
)
def test_a_mail_is_looked_at_again_only_if_its_past_can_change_how_it_is_screened(past: dict[str, Any], matters: bool):
    assert flow.tells(History(**past)) is matters


def test_a_machines_mail_needs_no_model():
    message = read(mail(CANCEL, headers="Auto-Submitted: auto-replied\n"))
    look = flow.look(message, History(), RULES)
    assert not flow.matters(look)
    plan = flow.answer(message, look, None, History(), RULES, NOW, TEXTS, stamp)
    assert (plan.verdict, plan.decision.outcome, plan.draft) == (None, Outcome.IGNORE, None)


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_our_footer_asks_for_is_an_opt_out(language: str):
    (word,) = re.findall(r'["«](\w+)["»]', compose.footer(language, RULES.business))
    plan = answered(word.upper(), subject="Re: A smaller option", headers="In-Reply-To: <ours@bluedoor.example>\n")
    assert plan.decision.cause == "opt_out"
    assert plan.suppress == {"maria@example.org": "opt_out"}


def test_the_list_unsubscribe_link_opts_out():
    """A mail program follows it with an empty mail whose subject is the word."""
    plan = answered("", subject="unsubscribe")
    assert plan.suppress == {"maria@example.org": "opt_out"}


def test_a_lone_word_out_of_the_blue_is_also_shown_to_a_person():
    plan = answered("Baja")
    assert plan.suppress == {"maria@example.org": "opt_out"}
    assert plan.decision.outcome is Outcome.HOLD


def test_no_date_is_promised_when_no_touch_is_planned_for_it():
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, tracks={}))
    words = "I have to cancel, I am on a work trip. I will come back in March."
    assert "March" in (answered(words).draft or pytest.fail()).text
    assert "March" not in (answered(words, rules=rules).draft or pytest.fail()).text


def test_a_text_that_breaks_a_rule_holds_the_mail():
    def sells(name: str, language: str, values: Mapping[str, str]) -> Text:
        return Text(subject="x", body="Stay, and get a 20 % discount.")

    plan = answered(CANCEL, texts=FakeTexts(sells))
    assert (plan.decision.outcome, plan.decision.cause, plan.draft) == (Outcome.HOLD, "text_refused", None)


def test_who_read_a_text_before_reads_another_one():
    message = read(mail(CANCEL))
    (scores,) = WordModel().score([flow.words(message)])
    known = History(texts=("price", "timing"))
    plan = flow.answer(message, flow.look(message, known, RULES), scores, known, RULES, NOW, TEXTS, stamp)
    assert plan.draft is not None
    assert plan.draft.template == "price.2"


def test_where_the_law_asks_for_a_basis_the_plan_says_that_none_is_known():
    spain = replace(RULES, business=replace(RULES.business, country="ES"))
    plan = answered("We decline the quote and cancel, it is too expensive.", rules=spain)
    assert "no_basis" in plan.decision.why[-1]
    assert (plan.ground, [step.template for step in plan.decision.steps]) == (None, ["price_1", "price_2"])
    plan = answered(CANCEL, rules=spain)
    assert plan.ground is not None
    assert plan.ground.evidence == CANCEL
    assert not [sentence for sentence in plan.decision.why if "no_basis" in sentence]


@pytest.mark.parametrize(
    ("subject", "ticket"),
    [
        (f"unsubscribe {'ab' * 32}", "ab" * 32),
        (f"Re: Unsubscribe  {'ab' * 32}", "ab" * 32),
        (f"unsubscribe {'ab' * 33}", None),
        ("unsubscribe", None),
        ("ab" * 32, None),
    ],
)
def test_a_ticket_is_found_in_the_subject_and_the_model_is_not_asked_about_it(subject: str, ticket: str | None):
    message = read(mail("", subject=subject))
    assert flow.ticket_in(message) == ticket
    assert ticket is None or ticket not in flow.words(message)


@pytest.mark.parametrize("words", ["", "Sent by the button of my mail program."])
def test_a_mail_with_a_ticket_is_an_opt_out_that_nobody_need_look_at(words: str):
    plan = answered(words, subject=f"unsubscribe {'ab' * 32}")
    assert (plan.decision.outcome, plan.decision.cause) == (Outcome.IGNORE, "opt_out")
    assert plan.suppress == {"maria@example.org": "opt_out"}


def test_who_cancels_under_a_ticket_is_still_read():
    assert answered(CANCEL, subject=f"unsubscribe {'ab' * 32}").draft is not None


CASE = Case(
    message="m1",
    recipient=Address(name="Maria Lopez", address="maria@example.org"),
    message_id="<1@example.org>",
    thread=(),
    subject="Hello",
    text=CANCEL,
    sent=NOW - timedelta(days=30),
    language="en",
    reason=Reason.PRICE,
)
STEP = FollowUp(key="s", case="m1", address="maria@example.org", track="price", number=1, template="price_1", due=NOW)
HISTORY = History(address="maria@example.org", case="m1", acknowledged=NOW - timedelta(days=30))


def test_a_due_step_becomes_a_draft_for_review():
    plan = flow.remind(STEP, CASE, HISTORY, RULES, NOW, TEXTS, stamp, ticket)
    assert plan.draft is not None
    assert (plan.draft.review, plan.outgoing) == (True, None)


def test_a_due_step_is_dropped_or_moved_with_its_cause():
    assert flow.remind(STEP, CASE, replace(HISTORY, case=None), RULES, NOW, TEXTS, stamp, ticket).dropped == "case_closed"
    waiting, lately = replace(HISTORY, acknowledged=None), replace(CASE, opened=NOW - timedelta(days=5))
    assert flow.remind(STEP, lately, waiting, RULES, NOW, TEXTS, stamp, ticket).moved_to


def test_a_touch_that_would_go_by_itself_rests_after_another_automatic_mail():
    by_itself = make_rules(follow_ups="when_sure")
    lately = replace(HISTORY, last_automatic=NOW - timedelta(days=5))
    plan = flow.remind(STEP, CASE, lately, by_itself, NOW, TEXTS, stamp, ticket)
    assert (plan.moved_to, plan.draft) == (NOW + timedelta(days=2), None)
    for a_rep_sends_it_or_it_rested in (
        flow.remind(STEP, CASE, lately, RULES, NOW, TEXTS, stamp, ticket),
        flow.remind(STEP, CASE, lately, by_itself, NOW + timedelta(days=2), TEXTS, stamp, ticket),
    ):
        assert a_rep_sends_it_or_it_rested.draft is not None


def test_the_draft_of_a_step_has_a_key_of_its_own():
    keys = {
        draft.key
        for step in (STEP, replace(STEP, track="timing"), replace(STEP, number=2), replace(STEP, revision=1), STEP)
        if (draft := flow.remind(step, CASE, HISTORY, RULES, NOW, TEXTS, stamp, ticket).draft)
    }
    assert len(keys) == 4


def test_a_step_after_a_complaint_always_goes_to_review():
    rules = make_rules(follow_ups="when_sure")
    assert flow.remind(STEP, CASE, HISTORY, rules, NOW, TEXTS, stamp, ticket).outgoing is not None
    complaint = replace(CASE, reason=Reason.SERVICE)
    assert flow.remind(STEP, complaint, HISTORY, rules, NOW, TEXTS, stamp, ticket).outgoing is None


def test_a_broken_text_leaves_the_step_due_and_says_so():
    def broken(name: str, language: str, values: Mapping[str, str]) -> Text:
        raise TextRefused("template price_1: hellooo is undefined")

    plan = flow.remind(STEP, CASE, HISTORY, RULES, NOW, FakeTexts(broken), stamp, ticket)
    assert plan.trouble == "template price_1: hellooo is undefined"


def test_a_due_step_without_a_basis_is_dropped_with_its_cause():
    spain = replace(RULES, business=replace(RULES.business, country="ES"))
    plan = flow.remind(STEP, CASE, HISTORY, spain, NOW, TEXTS, stamp, ticket)
    assert (plan.dropped, plan.draft) == ("no_basis", None)
    assert "LSSI" in plan.why[0]
    known = replace(HISTORY, ground=Ground(basis=Basis.CONSENT, evidence="a form", since=NOW))
    assert flow.remind(STEP, CASE, known, spain, NOW, TEXTS, stamp, ticket).draft is not None


def test_a_follow_up_that_breaks_a_rule_leaves_the_step_due_and_says_so():
    def guilts(name: str, language: str, values: Mapping[str, str]) -> Text:
        return Text(subject="Hello", body="How could you leave?")

    plan = flow.remind(STEP, CASE, HISTORY, RULES, NOW, FakeTexts(guilts), stamp, ticket)
    assert plan.trouble is not None
    assert "makes the customer feel guilty" in plan.trouble


def test_a_rep_may_overrule_tone_and_truth_but_no_law():
    draft = flow.remind(STEP, CASE, HISTORY, RULES, NOW, TEXTS, stamp, ticket).draft
    assert draft is not None
    assert flow.doubts(draft, draft.text, RULES) == ()
    assert flow.doubts(draft, f"Unfortunately, yes.\n{draft.text}", RULES) == ("it speaks harshly (S0.1)",)
    with pytest.raises(TextRefused, match="postal address"):
        flow.doubts(draft, "Hello again.", RULES)


def test_the_touch_on_the_customers_own_date_says_that_they_asked_for_it():
    step = replace(STEP, template="not_ready_1", track="not_ready")
    asked = replace(CASE, reason=Reason.NOT_READY, wished=date(2026, 11, 23))
    plan = flow.remind(step, asked, HISTORY, RULES, NOW, TEXTS, stamp, ticket)
    assert plan.draft is not None
    assert "I promised to get in touch around now" in plan.draft.text


def test_a_rep_is_always_believed_and_always_asked():
    message = read(mail("Thank you!"))
    verdict = flow.corrected(Verdict(intent=Intent.NONE, subreason="budget"), Intent.CANCEL, Reason.PRICE)
    plan = flow.answer_as(message, verdict, History(), RULES, NOW, TEXTS, stamp, revision=1)
    assert plan.draft is not None
    assert (plan.draft.template, plan.draft.review, verdict.subreason) == ("price", True, None)


def test_a_correction_that_changes_nothing_keeps_the_refinement():
    verdict = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, subreason="budget")
    assert flow.corrected(verdict, Intent.CANCEL, Reason.PRICE).subreason == "budget"


WHY = "Thank you for letting us know.\n\nIf you feel like telling me: what made you decide?\n\nKind regards,\nDana"
ASKED = History(address="maria@example.org", case="m1", replies_to="mail:d1", said=WHY, acknowledged=NOW)


def test_what_is_nothing_out_of_the_blue_is_a_reason_after_our_question():
    alone, asked = answered("It was too expensive."), answered("It was too expensive.", history=ASKED)
    assert (alone.decision.outcome, asked.decision.outcome) == (Outcome.IGNORE, Outcome.ANSWER)
    assert asked.verdict is not None
    assert (asked.verdict.reason, asked.verdict.asked) == (Reason.PRICE, "what made you decide?")


def test_plain_thanks_for_our_question_are_still_nothing():
    plan = answered("Thank you!", history=ASKED)
    assert (plan.decision.outcome, plan.stop) == (Outcome.IGNORE, "reply")


@pytest.mark.parametrize(
    ("words", "template", "track"),
    [
        ("I had to cancel, it was too expensive.", "told_why", "price"),
        ("I cancelled because your people were rude.", "told_why_service", "service"),
    ],
)
def test_who_tells_why_is_thanked_not_asked_again_and_followed_up_for_that_reason(words: str, template: str, track: str):
    plan = answered(words, history=ASKED)
    assert plan.draft is not None
    assert (plan.draft.template, plan.draft.review, plan.stop) == (template, True, "told_why")
    assert "?" not in plan.draft.text
    assert {step.track for step in plan.decision.steps} == {track}
    assert ("Answers", '"what made you decide?"') in plan.draft.notes
    assert any(name == "Evidence" and "cancel" in value for name, value in plan.draft.notes)


def test_who_would_not_say_why_is_left_in_peace():
    tracks = {**RULES.follow_ups.tracks, "unspecified": RULES.follow_ups.tracks["timing"]}
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, tracks=tracks))
    plan = answered("I cancelled and that is that.", history=ASKED, rules=rules)
    assert plan.draft is not None
    assert (plan.draft.template, plan.decision.steps, plan.contact) == ("told_why", (), ContactState.CLOSED)
    assert answered("Please cancel it.", rules=rules).decision.steps != ()


def test_a_sensitive_answer_to_our_question_is_for_a_person_like_any_other():
    message = read(mail("I cancelled because my husband died."))
    scores = replace(WordModel().score(["cancel"])[0], sensitive={"bereavement": 0.9, "none": 0.1})
    plan = flow.answer(message, flow.look(message, ASKED, RULES), scores, ASKED, RULES, NOW, TEXTS, stamp)
    assert plan.draft is not None
    assert (plan.draft.template, plan.decision.steps) == ("sensitive_grief", ())
