"""What the store tells for the report: real rows, written by the same methods that the daemon uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.core.figures import ALARM_WINDOW, Corrected, Facts, Period, Price, Settled
from pipeline.core.records import (
    Address,
    Batch,
    ContactState,
    Intent,
    Outcome,
    Reason,
    Screening,
    Sensitive,
    Span,
    Verdict,
)
from pipeline.store import Correction, Store, schema
from store.world import DAY, MARIA, NOW, VERDICT, batch, cancelled, draft, mail, message, nothing, plan, sent, touched

PERIOD = Period(start=NOW - 30 * DAY, end=NOW + DAY)
PEDRO = Address(name="Pedro", address="pedro@example.org")
MINUTE = timedelta(minutes=1)


def read_as(store: Store, uid: str, verdict: Verdict, sender: Address = MARIA, *, arrived: timedelta = timedelta()) -> str:
    """A mail that arrived so long after NOW, and was understood like this."""
    mails = batch(uid, last=int(uid))
    store.intake.take(Batch(mails=tuple(replace(one, arrived=NOW + arrived) for one in mails.mails), cursor=mails.cursor), NOW)
    of = message(uid, sender)
    made = replace(plan(of, store), verdict=verdict)
    if verdict.intent is Intent.RESCHEDULE:
        made = replace(made, contact=ContactState.RESCHEDULED)
    store.plans.decided([made], NOW + arrived + MINUTE)
    return of.key


def facts(store: Store, period: Period = PERIOD) -> Facts:
    return store.report.facts(period)


def test_an_empty_store_has_no_facts(store: Store):
    assert facts(store) == Facts()


def test_a_cancellation_is_told_with_reason_words_and_track_but_no_address(store: Store):
    said = replace(
        VERDICT, subreason="price_rise", evidence=(Span(text="Cancel, please.", start=0), Span(text="Too dear.", start=9))
    )
    key = read_as(store, "1", said)
    (matter,) = facts(store).matters
    assert (matter.key, matter.arrived, matter.intent) == (key, NOW, Intent.CANCEL)
    assert (matter.reason, matter.subreason, matter.words) == (Reason.PRICE, "price_rise", ("Cancel, please.", "Too dear."))
    assert matter.tracks == ("price",)
    assert matter.price is None
    assert "maria" not in repr(facts(store)).lower()


def test_one_customer_has_one_name_in_all_facts(store: Store):
    read_as(store, "1", VERDICT)
    read_as(store, "2", replace(VERDICT, intent=Intent.RESCHEDULE), arrived=DAY / 2)
    read_as(store, "3", VERDICT, PEDRO)
    found = facts(store)
    assert len({one.who for one in found.matters}) == 2
    assert {one.who for one in found.cancelled} == {one.who for one in found.matters}
    (back,) = found.came_back
    assert back.who == next(one.who for one in found.matters if one.intent is Intent.RESCHEDULE)
    assert back.at == NOW + DAY / 2  # its arrival, not when it was read


def test_words_of_the_sick_and_the_grieving_are_not_handed_out(store: Store):
    read_as(store, "1", replace(VERDICT, sensitive=Sensitive.ILLNESS, evidence=(Span(text="I am ill.", start=0),)))
    assert facts(store).matters[0].words == ()


def test_a_mail_outside_the_period_is_no_matter_of_it_but_its_customer_is_known_to_have_cancelled(store: Store):
    read_as(store, "1", VERDICT, arrived=-40 * DAY)
    found = facts(store)
    assert found.matters == ()
    assert len(found.cancelled) == 1


def test_a_short_period_comes_with_what_the_alarm_looks_at(store: Store):
    read_as(store, "1", VERDICT, arrived=-9 * DAY + MINUTE)
    read_as(store, "2", VERDICT, PEDRO, arrived=-9 * DAY - MINUTE)
    week = Period(start=NOW - 6 * DAY, end=NOW + DAY)
    assert week.end - ALARM_WINDOW == NOW - 9 * DAY
    assert len(facts(store, week).matters) == 1


def test_what_is_no_cancellation_is_no_matter(store: Store):
    store.intake.take(batch("1", last=1), NOW)
    store.plans.decided([nothing(message("1"))], NOW)
    assert facts(store) == Facts()


def test_a_held_cancellation_is_counted_apart(store: Store):
    store.intake.take(batch("1", last=1), NOW)
    made = plan(message("1"), store)
    held = replace(made, decision=replace(made.decision, outcome=Outcome.HOLD, cause="spoofed"), draft=None, contact=None)
    store.plans.decided([replace(held, screening=Screening(check="spoofed"))], NOW)
    assert (facts(store).matters, facts(store).held) == ((), 1)


def test_a_case_whose_new_reading_is_held_is_counted_once_as_held(store: Store):
    of = cancelled(store)
    made = plan(of, store)
    held = replace(made, decision=replace(made.decision, outcome=Outcome.HOLD, cause="text_refused"), draft=None, contact=None)
    store.plans.corrected(held, Correction(intent=Intent.CANCEL, reason="price", by="outbox"), NOW)
    assert (facts(store).matters, facts(store).cancelled, facts(store).held) == ((), (), 1)


def test_answers_and_texts_are_told_when_they_are_sent(store: Store):
    of = cancelled(store, automatic=True)
    assert facts(store).matters[0].answered is None
    assert facts(store).texts == ()
    sent(store, NOW + MINUTE)
    touched(store, of)
    sent(store, NOW + 8 * DAY)
    found = facts(store)
    assert found.matters[0].answered == NOW + MINUTE
    assert [(text.template, text.matter, text.at) for text in found.texts] == [
        ("price", of.key, NOW + MINUTE),
        ("price_1", of.key, NOW + 8 * DAY),
    ]


def test_what_reps_did_with_drafts_is_told(store: Store):
    for uid, sender in (("1", MARIA), ("2", PEDRO), ("3", Address(address="ana@example.org"))):
        cancelled(store, uid, sender=sender)
    first, second, third = (draft(message(uid)) for uid in ("1", "2", "3"))
    store.drafts.approve(first.key, mail(first, store, automatic=False), None, by="outbox", now=NOW)
    store.drafts.approve(second.key, mail(second, store, automatic=False), ("Re: Cancel", "Dear Pedro"), by="outbox", now=NOW)
    store.drafts.reject(third.key, by="terminal", now=NOW)
    cancelled(store, "4", sender=Address(address="eva@example.org"), automatic=True)
    assert sorted(facts(store).settled, key=repr) == sorted(
        (
            Settled(template="price"),
            Settled(template="price", edited=True),
            Settled(template="price", rejected=True),
            Settled(template="price", automatic=True),
        ),
        key=repr,
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Correction(intent=Intent.CANCEL, reason="service", by="outbox"), Corrected(was="price", became="service")),
        (Correction(intent=Intent.NONE, reason=None, by="outbox"), Corrected(was="price", became="none")),
    ],
)
def test_a_correction_is_told_and_counts_from_then_on(store: Store, said: Correction, told: Corrected):
    of = cancelled(store)
    verdict = Verdict(intent=said.intent, reason=Reason(said.reason) if said.reason else None)
    made = plan(of, store) if said.reason else nothing(of)
    store.plans.corrected(replace(made, verdict=verdict), said, NOW)
    found = facts(store)
    assert found.corrected == (told,)
    assert [one.reason for one in found.matters] == ([Reason.SERVICE] if said.reason else [])


def test_what_is_forgotten_is_in_no_report(store: Store):
    cancelled(store)
    store.people.erase(MARIA.address, NOW)
    assert facts(store) == Facts()


def test_a_price_is_known_only_where_appointments_are_kept(store: Store):
    of = cancelled(store)
    assert facts(store).matters[0].price is None
    booked = schema.metadata.tables.get("appointment")
    if booked is not None:
        told = {"key": "a", "address": MARIA.address, "start": NOW, "since": NOW, "seen": NOW, "source": "file"}
        with store.database.writing() as connection:
            connection.execute(booked.insert().values(**told, price="60.50", currency="USD"))
            connection.execute(schema.case.update().where(schema.case.c.message == of.key).values(appointment="a"))
        assert facts(store).matters[0].price == Price(amount=Decimal("60.50"), currency="USD")


def test_the_facts_take_the_same_few_queries_however_many_mails_there_are(store: Store):
    counted: list[str] = []
    sa.event.listen(store.database._engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    cancelled(store)
    counted.clear()
    facts(store)
    few = len(counted)
    for uid in range(2, 30):
        cancelled(store, str(uid), sender=Address(address=f"c{uid}@example.org"))
    counted.clear()
    facts(store)
    assert len(counted) == few <= 10
