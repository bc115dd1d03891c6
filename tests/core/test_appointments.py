"""Which appointment a mail is about: the calendar's word before the customer's, and nothing where it can't be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from fakes import make_rules

from pipeline.core import appointments, dates, flow
from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentState,
    Calendar,
    DateKind,
    FoundDate,
    History,
    Intent,
    Message,
    Place,
    Raw,
    Verdict,
)

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = make_rules()
MARIA = Address(name="Maria Lopez", address="maria@example.org")
MAIL = Message(key="m", sender=MARIA, arrived=NOW, sent=NOW)
CANCEL = Verdict(intent=Intent.CANCEL)


def at(day: int, hour: int = 15) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=MADRID)


def booked(day: int, hour: int = 15, **more: object) -> Appointment:
    return Appointment(key=appointments.key_of(MARIA.key, at(day, hour)), address=MARIA.key, start=at(day, hour), **more)


def naming(day: int, intent: Intent = Intent.CANCEL, kind: DateKind = DateKind.CANCELLED) -> Verdict:
    return Verdict(intent=intent, dates=(FoundDate(text="then", day=date(2026, 11, day), kind=kind, start=0, end=4),))


def meant(verdict: Verdict, *known: Appointment, message: Message = MAIL) -> Appointment | None:
    return appointments.meant(message, verdict, known, RULES)


def test_the_day_that_the_customer_names_says_which():
    assert meant(naming(26), booked(25), booked(26), booked(27)) == booked(26)


def test_of_two_on_one_day_it_is_the_earlier():
    assert meant(naming(26), booked(26, 17), booked(26, 9)) == booked(26, 9)


def test_without_a_day_it_is_the_only_one_ahead():
    assert meant(CANCEL, booked(26)) == booked(26)
    assert meant(CANCEL, booked(26), booked(27)) is None
    assert meant(CANCEL) is None


def test_a_whole_month_that_is_called_off_is_no_appointment_on_its_first_day():
    month = replace(CANCEL, dates=(replace(naming(1).dates[0], text="for November", rough=True),))
    assert meant(month, booked(26)) is None
    mail = replace(MAIL, text="Please take us off the schedule for January.")
    (found,) = dates.find(mail, Intent.CANCEL, RULES, None)
    assert (found.day, found.rough) == (date(2027, 1, 1), True)
    (day,) = dates.find(replace(MAIL, text="Please take us off the schedule for 4 January."), Intent.CANCEL, RULES, None)
    assert not day.rough


def test_a_day_on_which_nothing_is_known_is_an_appointment_in_the_customers_words():
    found = meant(naming(26), booked(25))
    assert found is not None
    assert (found.source, found.timed, found.start, found.start_by) == (
        "words",
        False,
        at(26, 0),
        at(26, 23).replace(minute=59),
    )


@pytest.mark.parametrize(
    ("text", "day", "hour"),
    [
        ("Please cancel Thursday at 3pm.", "Thursday at 3pm", time(15)),
        ("Please cancel my 3:30 p.m. lesson on Thursday.", "on Thursday", time(15, 30)),
        ("Please cancel the 10:15 on Thursday.", "on Thursday", time(10, 15)),
        ("No puedo el jueves a las 17:30.", "el jueves a las 17:30", time(17, 30)),
        ("No puedo el jueves a las 17 h.", "el jueves", time(17)),
        ("Please cancel Thursday at 12 am.", "Thursday at 12 am", time(0)),
        ("Please cancel Thursday at 5.", "Thursday at 5", None),
        ("Please cancel Thursday, 10:15 or 15:00, I forget.", "Thursday", None),
        ("I called at 3pm. Please cancel Thursday.", "Thursday", None),
        ("Please cancel Thursday, I paid $15:30.", "Thursday", None),
        ("Please cancel Thursday at 15pm.", "Thursday at 15pm", None),
    ],
)
def test_the_hour_is_known_when_it_can_be_read_in_one_way_only(text: str, day: str, hour: time | None):
    start = text.index(day)
    named = FoundDate(text=day, day=date(2026, 11, 26), kind=DateKind.CANCELLED, start=start, end=start + len(day))
    found = meant(Verdict(intent=Intent.CANCEL, dates=(named,)), message=replace(MAIL, text=text))
    assert found is not None
    assert (found.timed, found.start.astimezone(MADRID).time()) == (hour is not None, hour or time(0))


def test_a_wish_for_another_date_makes_up_no_appointment():
    assert meant(naming(26, Intent.RESCHEDULE), booked(25)) is None
    assert meant(naming(25, Intent.RESCHEDULE), booked(25)) == booked(25)


def test_a_day_for_something_else_is_not_the_one_called_off():
    assert meant(naming(26, kind=DateKind.RETURN)) is None


def test_what_was_missed_today_can_still_be_meant_and_what_is_long_past_can_not():
    assert meant(naming(23), booked(23, 8)) == booked(23, 8)
    assert meant(naming(20), booked(20)) is None


def test_an_appointment_that_is_called_off_already_is_not_the_only_one_ahead():
    off = replace(booked(26), state=AppointmentState.CANCELLED)
    assert meant(CANCEL, off) is None
    assert meant(naming(26), off) == off


def test_the_entry_of_a_calendar_goes_before_every_word():
    known = Appointment(key=appointments.key_of(MARIA.key, at(27), "uid-1"), address=MARIA.key, start=at(27))
    mail = replace(MAIL, calendar=Calendar(method="CANCEL", uid="uid-1", start=at(27)))
    assert meant(naming(26), booked(26), known, message=mail) == known


def test_a_mail_that_cancels_nothing_is_about_no_appointment():
    assert meant(Verdict(intent=Intent.NONE), booked(26)) is None


def test_calling_off_keeps_the_cause_and_is_done_once():
    off = appointments.called_off(booked(26), Verdict(intent=Intent.CANCEL, subreason="work"), NOW)
    assert (off.state, off.cause, off.since) == (AppointmentState.CANCELLED, "work", NOW)
    assert appointments.called_off(off, CANCEL, NOW + DAY) == off


@pytest.mark.parametrize(
    ("calendar", "state"),
    [
        (Calendar(method="CANCEL", organizer="maria@example.org"), AppointmentState.CANCELLED),
        (Calendar(method="REPLY", partstat="DECLINED", attendee="Maria@example.org"), AppointmentState.CANCELLED),
        (Calendar(method="REPLY", partstat="ACCEPTED", attendee="maria@example.org"), AppointmentState.BOOKED),
        (Calendar(method="REQUEST", attendee="dana@bluedoor.example", organizer="maria@example.org"), AppointmentState.BOOKED),
        (Calendar(method="REPLY", partstat="TENTATIVE", attendee="maria@example.org"), None),
        (Calendar(method="PUBLISH", attendee="maria@example.org"), None),
    ],
)
def test_an_itip_mail_tells_who_when_and_what(calendar: Calendar, state: AppointmentState | None):
    found = appointments.of_calendar(replace(MAIL, calendar=replace(calendar, start=at(26), summary="Colour")), RULES)
    assert (found and (found.state, found.address, found.start, found.service)) == (
        state and (state, "maria@example.org", at(26), "Colour")
    )


@pytest.mark.parametrize(
    ("begin", "start", "start_by"),
    [
        ("DTSTART;VALUE=DATE:20261204", (4, 0, 0), (4, 23, 59)),
        ("DTSTART:20261204T090000", (4, 9, 0), None),
        ("DTSTART:20261204T150000Z", (4, 9, 0), None),
    ],
    ids=["a whole day", "a time without a zone", "a moment"],
)
def test_an_itip_mail_is_by_the_clock_of_the_business(
    begin: str, start: tuple[int, int, int], start_by: tuple[int, int, int] | None
):
    there = replace(RULES, business=replace(RULES.business, timezone="America/Chicago"))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\n{begin}\nEND:VEVENT\nEND:VCALENDAR\n"
    place = Place(folder="f", epoch="1", uid="1")
    head = "From: maria@example.org\nContent-Type: text/calendar; method=CANCEL\n\n"
    mail = flow.read(Raw(key=place.key, place=place, arrived=NOW, data=(head + text).encode()))
    found = appointments.of_calendar(mail, there)
    assert found is not None
    zone = ZoneInfo("America/Chicago")
    expected = [datetime(2026, 12, *when, tzinfo=zone) if when else None for when in (start, start_by)]
    assert [found.start, found.start_by] == expected
    assert found.timed is (start_by is None)
    (day,) = dates.find(mail, Intent.CANCEL, there)
    assert day.day == date(2026, 12, 4)


def test_an_itip_mail_without_a_time_or_without_a_stranger_tells_nothing():
    assert appointments.of_calendar(MAIL, RULES) is None
    assert appointments.of_calendar(replace(MAIL, calendar=Calendar(method="CANCEL")), RULES) is None
    ours = replace(MAIL, sender=Address(address="dana@bluedoor.example"), calendar=Calendar(method="CANCEL", start=at(26)))
    assert appointments.of_calendar(ours, RULES) is None


def test_what_a_file_says_of_the_customer_fills_what_is_not_known_of_the_appointment():
    history = History(package="ten", sessions_left=4)
    assert appointments.booking(None, history).package == "ten"
    assert appointments.booking(booked(26), history).sessions_left == 4
    assert appointments.booking(booked(26, package="five", sessions_left=2), history).sessions_left == 2


def test_an_appointment_with_a_price_of_its_own_belongs_to_no_package():
    assert appointments.booking(booked(26, price=Decimal(80)), History()).package == ""
    assert appointments.booking(booked(26), History()).package is None


def test_late_cancellations_are_counted_without_the_present_one():
    history = History(lateness=(("a", True), ("b", False), ("m", True)))
    assert appointments.late_before(history, "m", 1) == 1
    assert appointments.late_before(history, "new", 1) == 2


def test_an_earlier_one_that_may_have_been_late_matters_only_while_grace_lasts():
    history = History(lateness=(("a", True), ("b", None)))
    assert appointments.late_before(history, "m", 1) == 1
    assert appointments.late_before(history, "m", 2) is None


def test_free_times_are_ahead_unbooked_and_three_at_most():
    slots = [NOW + timedelta(minutes=30), *(at(24, hour) for hours in ((12, 9, 10, 11),) for hour in hours), at(24, 9)]
    taken = [booked(24, 10), replace(booked(24, 11), state=AppointmentState.CANCELLED)]
    assert appointments.free_slots(slots, taken, NOW) == (at(24, 9), at(24, 11), at(24, 12))


NEW = """A new event has been scheduled.

Invitee: Ann Lee
Invitee Email: Ann@example.org
Event Date/Time: 09:30 - 1 December 2026
"""


def notice(text: str, subject: str = "") -> Message:
    return replace(MAIL, subject=subject, text=text)


def test_a_notice_of_a_booking_tells_who_and_when():
    said = appointments.fields_of(notice(NEW))
    (found,) = appointments.of_notice(notice(NEW), said, date(2026, 12, 1), None, RULES)
    assert (found.address, found.name, found.state) == ("ann@example.org", "Ann Lee", AppointmentState.BOOKED)
    assert found.start == datetime(2026, 12, 1, 9, 30, tzinfo=MADRID)


def test_a_notice_of_a_cancellation_calls_off():
    mail = notice("Cita cancelada\n\nCliente: Ana\nCorreo: ana@example.org\nFecha: 1 de diciembre de 2026\nHora: 10:00\n")
    (found,) = appointments.of_notice(mail, appointments.fields_of(mail), date(2026, 12, 1), None, RULES)
    assert (found.address, found.state, found.cause) == ("ana@example.org", AppointmentState.CANCELLED, "booking tool")


def test_a_notice_without_customer_day_or_news_tells_nothing():
    said = appointments.fields_of(notice(NEW))
    assert appointments.of_notice(notice(NEW), said, None, None, RULES) == ()
    assert appointments.of_notice(notice(NEW), {"when": "1 December"}, date(2026, 12, 1), None, RULES) == ()
    assert appointments.of_notice(notice("Your weekly report"), said, date(2026, 12, 1), None, RULES) == ()


@pytest.mark.parametrize(
    ("words", "hour"),
    [("3:30pm - Thursday", (15, 30)), ("12am", (0, 0)), ("12:15 PM", (12, 15)), ("15:00", (15, 0)), ("10.30", (10, 30))],
)
def test_the_hour_is_read_as_tools_write_it(words: str, hour: tuple[int, int]):
    said = {"address": "ann@example.org", "when": words}
    (found,) = appointments.of_notice(notice("Event cancelled"), said, date(2026, 12, 1), None, RULES)
    assert (found.start.hour, found.start.minute, found.timed) == (*hour, True)


@pytest.mark.parametrize("words", ["Tuesday", "25:00", "99:99"])
def test_without_an_hour_the_day_alone_is_known(words: str):
    said = {"address": "ann@example.org", "when": words}
    (found,) = appointments.of_notice(notice("Event cancelled"), said, date(2026, 12, 1), None, RULES)
    assert not found.timed


@pytest.mark.parametrize(
    ("domain", "vouched", "believed"),
    [
        ("calendly.com", True, True),
        ("mail.calendly.com", True, True),
        ("calendly.com", False, False),
        ("notcalendly.com", True, False),
    ],
)
def test_only_a_tool_that_a_server_vouches_for_is_believed(domain: str, vouched: bool, believed: bool):
    mail = replace(MAIL, sender=Address(address=f"no-reply@{domain}"))
    assert appointments.is_notice(mail, vouched, frozenset({"calendly.com"})) is believed
