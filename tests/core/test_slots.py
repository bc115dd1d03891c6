"""A freed slot goes to who could really take it, and to nobody who should be left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fakes import make_rules

from pipeline.core import slots
from pipeline.core.records import Address, Appointment, AppointmentState, Case, Reason, Waiting

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = make_rules()
FREE = Appointment(key="a", address="maria@example.org", start=NOW + 3 * DAY, state=AppointmentState.CANCELLED)


def waiting(name: str, days_ago: int = 5, wished: date | None = None, finer: str | None = None, **more: object) -> Waiting:
    case = Case(
        message=name,
        recipient=Address(name=name, address=f"{name}@example.org"),
        message_id=None,
        thread=(),
        subject="",
        text="",
        sent=NOW - days_ago * DAY,
        language="en",
        reason=Reason.TIMING,
        subreason=finer,
        wished=wished,
    )
    return Waiting(case=case, **more)


def takers(*people: Waiting) -> list[str]:
    return [each.case.message for each in slots.takers(FREE, people, RULES, NOW)]


def test_who_has_waited_longest_comes_first():
    assert takers(waiting("ann", 2), waiting("bob", 9)) == ["bob", "ann"]


def test_who_wished_for_that_very_day_comes_before_all():
    assert takers(waiting("bob", 9), waiting("ann", 2, wished=date(2026, 11, 26))) == ["ann", "bob"]


def test_a_date_of_ones_own_that_lies_later_is_respected():
    assert takers(waiting("ann", wished=date(2026, 11, 27)), waiting("bob", wished=date(2026, 11, 25))) == ["bob"]


def test_who_called_it_off_is_not_offered_it():
    assert takers(waiting("maria")) == []


def test_who_had_all_touches_or_one_just_now_is_left_alone():
    rested = NOW - timedelta(hours=72)
    assert takers(waiting("ann", touches=3), waiting("bob", last_touch=NOW - DAY), waiting("sue", last_touch=rested)) == ["sue"]


def test_an_answer_counts_as_a_mail_that_they_just_had():
    rested = NOW - timedelta(hours=72)
    assert takers(waiting("bob", acknowledged=NOW - DAY), waiting("sue", acknowledged=rested)) == ["sue"]


@pytest.mark.parametrize("finer", ["travel", "illness", "emergency", "postponed", "weather"])
def test_whom_another_hour_does_not_help_is_not_offered_one(finer: str):
    assert takers(waiting("ann", finer=finer), waiting("bob", finer="schedule_conflict")) == ["bob"]


@pytest.mark.parametrize(("hour", "offered"), [(3, 0), (5, 0), (6, 1), (21, 1), (22, 0)])
def test_an_hour_at_night_is_offered_to_nobody(hour: int, offered: int):
    local = replace(FREE, start=datetime(2026, 11, 26, hour, 30, tzinfo=ZoneInfo(RULES.business.timezone)))
    assert len(slots.takers(local, [waiting("bob")], RULES, NOW)) == offered


def test_only_a_slot_ahead_with_a_known_hour_is_free():
    assert slots.is_free(FREE, NOW)
    assert not slots.is_free(FREE, FREE.start - timedelta(hours=1))
    assert not slots.is_free(replace(FREE, start_by=FREE.start + DAY), NOW)
    assert not slots.is_free(replace(FREE, state=AppointmentState.BOOKED), NOW)
