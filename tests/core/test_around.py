"""What a mail is about, and what a rep is told of it; calendars go before words, forgers count for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fakes import make_rules

from pipeline.core import around
from pipeline.core.appointments import key_of
from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentRules,
    AppointmentState,
    Calendar,
    Charge,
    DateKind,
    FoundDate,
    History,
    Intent,
    Message,
    Policy,
    Reason,
    Screening,
    Sensitive,
    Verdict,
)

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
START = datetime(2026, 11, 24, 9, 0, tzinfo=MADRID)
POLICY = Policy(currency="EUR", notice=timedelta(days=1), fees=(Charge(percent=Decimal(50), within=timedelta(days=1)),))
RULES = replace(make_rules(), policy=POLICY, appointments=AppointmentRules(tools=frozenset({"calendly.com"})))
MARIA = Address(name="Maria Lopez", address="maria@example.org")
MAIL = Message(key="m", sender=MARIA, arrived=NOW, sent=NOW)
TOMORROW = FoundDate(text="tomorrow", day=date(2026, 11, 24), kind=DateKind.CANCELLED, start=0, end=8)
CANCEL = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, dates=(TOMORROW,))
BOOKED = Appointment(key=key_of(MARIA.key, START, "uid"), address=MARIA.key, start=START, price=Decimal(80), paid=Decimal(0))
KNOWN = History(appointments=(BOOKED,))
VOUCHED = Screening(authenticated=True)


def calendar(method: str, **more: object) -> Message:
    return replace(MAIL, calendar=Calendar(method=method, uid="uid", start=START, organizer=MARIA.address, **more))


def matter(mail: Message = MAIL, verdict: Verdict = CANCEL, history: History = KNOWN, rules=RULES) -> around.Matter:
    return around.matter(mail, verdict, around.told_of(mail, VOUCHED, rules), history, rules, NOW)


def test_a_cancellation_by_calendar_knows_the_price_of_what_was_booked():
    found = matter(calendar("CANCEL"))
    assert "Fee: 50% of the price of 80.00 EUR = 40.00 EUR." in found.money
    assert found.late is True
    told = around.told_of(calendar("CANCEL"), VOUCHED, RULES)
    assert [one.state for one in found.changed(told)] == [AppointmentState.CANCELLED]


def test_a_booking_is_never_called_off_by_how_its_words_are_read():
    invitation = calendar("REQUEST")
    found = matter(invitation)
    assert (found.money, found.freed, found.late) == ((), (), None)
    assert [one.state for one in found.changed(around.told_of(invitation, VOUCHED, RULES))] == [AppointmentState.BOOKED]


def test_nothing_is_believed_that_no_server_vouches_for():
    assert around.told_of(calendar("CANCEL"), Screening(), RULES) == ()


def test_a_weekday_before_a_date_is_not_another_day():
    text = "Invitee Email: ann@example.org\nEvent Date/Time: 10:30 - Tuesday, December 1, 2026\n"
    mail = replace(MAIL, sender=Address(address="no-reply@calendly.com"), subject="Event cancelled", text=text)
    (found,) = around.told_of(mail, VOUCHED, RULES)
    assert found.start == datetime(2026, 12, 1, 10, 30, tzinfo=MADRID)


def test_the_words_alone_call_off_what_is_known():
    found = matter()
    assert found.appointment is not None
    assert (found.appointment.key, found.appointment.state) == (BOOKED.key, AppointmentState.CANCELLED)
    assert found.freed == ("Free again: Tuesday 24 November at 09:00.",)


def test_a_wish_for_another_date_calls_off_nothing_and_costs_nothing():
    found = matter(verdict=replace(CANCEL, intent=Intent.RESCHEDULE))
    assert found.appointment == BOOKED
    assert (found.why, found.late) == ((), None)


def test_in_trouble_no_amount_is_named():
    found = matter(verdict=replace(CANCEL, sensitive=Sensitive.LEGAL))
    assert found.money == ("A person decides here; money comes last, if at all.",)


def test_without_a_policy_the_slot_alone_is_told():
    assert matter(rules=replace(RULES, policy=Policy())).why == ("Free again: Tuesday 24 November at 09:00.",)


def test_an_appointment_that_has_passed_frees_nothing():
    past = replace(BOOKED, start=NOW - timedelta(hours=2))
    today = replace(CANCEL, dates=(replace(TOMORROW, day=NOW.date()),))
    assert matter(verdict=today, history=History(appointments=(past,))).freed == ()
