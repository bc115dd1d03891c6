"""S1.1: between a cancelled date and the next something useful is sent; a reschedule is never a loss."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playbook.site import HOUR, MARIA, TOM, Town

from pipeline.core.records import AppointmentState, ContactState

MADRID = ZoneInfo("Europe/Madrid")
THURSDAY = datetime(2026, 11, 26, 15, 0, tzinfo=MADRID)
MOVE = "Could you move my appointment to another day?"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_s1_1_a_wish_for_another_date_gets_the_link_and_up_to_three_free_times(town: Town):
    slots = tuple(THURSDAY + hours * HOUR for hours in range(5))
    town.works(free=lambda now: slots)
    town.books(THURSDAY, TOM)
    town.writes(MOVE)
    text = town.draft("reschedule").text
    assert "https://bluedoor.example/book" in text
    assert [line for line in text.splitlines() if line.startswith("- ")] == [
        "- Thursday 26 November at 16:00",
        "- Thursday 26 November at 17:00",
        "- Thursday 26 November at 18:00",
    ]


def test_s1_1_without_a_calendar_of_free_times_the_link_is_enough(town: Town):
    town.writes(MOVE)
    assert "- " not in town.draft("reschedule").text
    assert "https://bluedoor.example/book" in town.draft("reschedule").text


def test_s1_1_a_reschedule_never_starts_a_win_back(town: Town):
    town.writes(MOVE)
    town.reps_approve()
    town.days_pass(120, stride=5)
    assert len(town.sent()) == 1
    assert town.state() == (ContactState.RESCHEDULED, "wants another date")


def test_s1_1_once_the_new_date_is_known_something_useful_comes_before_it(town: Town):
    town.writes(MOVE)
    town.reps_approve()
    town.forward(HOUR)
    town.books(datetime(2026, 12, 10, 12, 0, tzinfo=MADRID), service="Coaching")
    town.days_pass(16)
    assert town.sent()[1:] == ["Before we meet"]
    assert "Thursday 10 December at 12:00" in town.last_sent()
    assert "three months from now" in town.last_sent()


def test_s1_1_the_piece_is_chosen_by_service_and_sent_two_days_before(town: Town):
    town.writes(MOVE)
    town.reps_approve()
    town.forward(HOUR)
    town.books(datetime(2026, 12, 10, 12, 0, tzinfo=MADRID), service="Massage")
    town.works()
    town.forward(datetime(2026, 12, 8, 11, 59, tzinfo=MADRID) - town.now)
    town.works()
    assert town.drafts() == []
    town.forward(timedelta(minutes=2))
    town.works()
    assert "wear something comfortable" in town.draft("prepare").text


def prepared(town: Town) -> None:
    """The piece for Thursday noon waits since Tuesday noon."""
    town.writes(MOVE)
    town.reps_approve()
    town.forward(HOUR)
    town.books(datetime(2026, 12, 10, 12, 0, tzinfo=MADRID))
    town.works()
    town.forward(datetime(2026, 12, 8, 12, 1, tzinfo=MADRID) - town.now)
    town.works()


def test_s1_1_a_piece_that_is_released_at_night_leaves_at_once_for_the_morning_would_be_late(town: Town):
    prepared(town)
    town.forward(datetime(2026, 12, 9, 23, 0, tzinfo=MADRID) - town.now)
    town.reps_approve()
    assert town.sent()[1:] == ["Before we meet"]


def test_s1_1_a_piece_that_nobody_released_is_gone_when_the_appointment_begins(town: Town):
    prepared(town)
    town.forward(datetime(2026, 12, 10, 12, 1, tzinfo=MADRID) - town.now)
    town.works()
    assert town.drafts("prepare") == []
    town.reps_approve()
    assert len(town.sent()) == 1


def test_s1_1_a_date_that_is_called_off_again_gets_nothing_useful(town: Town):
    town.writes(MOVE)
    town.reps_approve()
    town.forward(HOUR)
    booked = town.books(datetime(2026, 12, 10, 12, 0, tzinfo=MADRID), uid="a")
    town.works()
    town.books(booked.start, uid="a", state=AppointmentState.CANCELLED)
    town.days_pass(20)
    assert len(town.sent()) == 1


def test_s1_1_a_customer_who_cancelled_and_booked_again_is_won_back_and_prepared(town: Town):
    town.writes("Please cancel, too expensive.")
    town.reps_approve()
    town.forward(HOUR)
    town.books(datetime(2026, 12, 10, 12, 0, tzinfo=MADRID))
    assert town.state() == (ContactState.WON_BACK, "has a new date")
    town.days_pass(60, stride=2)
    assert town.sent()[1:] == ["Before we meet"]


NOTICE = """Hi Dana,

An event has been canceled and rescheduled.

Invitee: Maria Lopez
Invitee Email: maria@example.org
Former Time: 3:00pm - Thursday, November 26, 2026
Updated Date/Time: 10:30am - Tuesday, December 1, 2026
Event Type: Coaching
"""


def test_s1_1_a_reschedule_that_a_tool_flags_as_a_cancellation_is_a_reschedule(town: Town):
    town.books(THURSDAY)
    town.writes(NOTICE, "Calendly <no-reply@calendly.com>", subject="Canceled: Coaching with Maria Lopez")
    assert town.drafts() == []
    assert town.world.site.store.overview.causes() == {"rescheduled": 1}
    known = town.world.site.store.bookings.of(MARIA)
    assert [(one.start.astimezone(MADRID), one.state, one.cause) for one in known] == [
        (THURSDAY, AppointmentState.CANCELLED, "rescheduled"),
        (datetime(2026, 12, 1, 10, 30, tzinfo=MADRID), AppointmentState.BOOKED, "rescheduled"),
    ]


def test_s1_1_a_notice_that_nobody_vouches_for_changes_nothing(town: Town):
    town.books(THURSDAY)
    town.writes(NOTICE, "Calendly <no-reply@calendly.example>", subject="Canceled: Coaching with Maria Lopez")
    assert [one.state for one in town.world.site.store.bookings.of(MARIA)] == [AppointmentState.BOOKED]
