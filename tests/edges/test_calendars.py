"""Calendars as booking programs export them: who comes, when, and what became of it; series are followed date by date."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.core.records import Appointment, AppointmentState
from pipeline.edges import calendars
from pipeline.errors import BadFile

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OWN = frozenset({"dana@bluedoor.example"})
WEEK = Path(__file__).parent / "calendars" / "week.ics"


def of(address: str) -> list[Appointment]:
    found = calendars.read(WEEK, OWN, "Europe/Madrid", NOW).appointments
    return [one for one in found if one.address == address]


def calendar(folder: Path, *lines: str) -> Path:
    path = folder / "a.ics"
    event = ("BEGIN:VEVENT", "UID:a", "SUMMARY:Colour", "ATTENDEE:mailto:ann@example.org", *lines, "END:VEVENT")
    path.write_text("\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *event, "END:VCALENDAR", "")))
    return path


def test_the_customer_is_the_attendee_who_is_not_one_of_us():
    (one,) = of("maria@example.org")
    assert (one.name, one.service, one.state) == ("Maria Lopez", "Colour", AppointmentState.BOOKED)
    assert one.start == datetime(2026, 11, 26, 15, tzinfo=MADRID)
    assert one.end == datetime(2026, 11, 26, 16, 30, tzinfo=MADRID)
    assert (one.price, one.paid, one.spent) == (Decimal(80), Decimal(20), None)


def test_else_it_is_the_only_address_in_the_words():
    (one,) = of("tom@example.org")
    assert (one.state, one.start) == (AppointmentState.CANCELLED, datetime(2026, 11, 27, 9, tzinfo=UTC))


def test_a_category_says_that_nobody_came():
    (one,) = of("ann@example.org")
    assert (one.state, one.name) == (AppointmentState.NO_SHOW, "Ann Lee")
    assert one.start == datetime(2026, 11, 20, 9, tzinfo=MADRID)
    assert one.end == one.start + timedelta(minutes=45)


@pytest.mark.parametrize("line", ["CATEGORIES:no show", "CATEGORIES:NO ASISTIÓ", "X-WINBACK-STATUS:NO-SHOW"])
def test_a_no_show_can_be_marked_in_several_ways(tmp_path: Path, line: str):
    found = calendars.read(calendar(tmp_path, "DTSTART:20261123T090000", line), OWN, "Europe/Madrid", NOW)
    assert [one.state for one in found.appointments] == [AppointmentState.NO_SHOW]


def test_a_whole_day_has_no_hour():
    (one,) = of("sue@example.org")
    assert (one.timed, one.start, one.start_by) == (
        False,
        datetime(2026, 12, 9, tzinfo=MADRID),
        datetime(2026, 12, 9, 23, 59, tzinfo=MADRID),
    )


def test_entries_that_name_no_customer_are_counted():
    assert calendars.read(WEEK, OWN, "Europe/Madrid", NOW).nameless == 1


def test_a_series_is_followed_without_its_exceptions_and_with_its_changes():
    starts = sorted(one.start.astimezone(MADRID) for one in of("bob@example.org"))
    assert [f"{start:%m-%d %H:%M}" for start in starts] == [
        "10-26 10:00",
        "11-02 10:00",
        "11-09 10:00",
        "11-16 10:00",
        "11-23 10:00",
        "12-08 12:00",
        "12-14 10:00",
    ]
    assert {one.package for one in of("bob@example.org")} == {"ten", None}


def test_each_date_of_a_series_is_an_appointment_of_its_own():
    keys = [one.key for one in of("bob@example.org")]
    assert len(set(keys)) == len(keys)


def test_a_series_without_end_is_followed_for_a_year(tmp_path: Path):
    path = calendar(tmp_path, "DTSTART:20200106T100000", "RRULE:FREQ=DAILY")
    found = calendars.read(path, OWN, "Europe/Madrid", NOW).appointments
    assert (found[0].start.date(), found[-1].start.date()) == (
        (NOW - timedelta(days=30)).date(),
        (NOW + timedelta(days=366)).date(),
    )


def test_further_dates_of_a_series_are_read(tmp_path: Path):
    path = calendar(tmp_path, "DTSTART:20261201T100000", "RDATE:20261203T110000,20261204T110000")
    found = calendars.read(path, OWN, "Europe/Madrid", NOW).appointments
    assert [one.start.day for one in found] == [1, 3, 4]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("DTSTART:20261201T100000", "X-WINBACK-PRICE:much"), "the event 'Colour': X-WINBACK-PRICE: expected an amount"),
        (("STATUS:CONFIRMED",), "the event 'Colour': has no DTSTART"),
    ],
)
def test_a_broken_entry_is_named(tmp_path: Path, lines: tuple[str, ...], problem: str):
    with pytest.raises(BadFile, match=problem):
        calendars.read(calendar(tmp_path, *lines), OWN, "Europe/Madrid", NOW)


def test_a_file_that_is_no_calendar_is_refused(tmp_path: Path):
    (tmp_path / "a.ics").write_text("<html>Please log in</html>")
    with pytest.raises(BadFile, match=r"a\.ics:1: is no iCalendar file: expected BEGIN:VCALENDAR"):
        calendars.read(tmp_path / "a.ics", OWN, "Europe/Madrid", NOW)


def test_half_a_calendar_is_refused(tmp_path: Path):
    (tmp_path / "a.ics").write_bytes(WEEK.read_bytes()[:900])
    with pytest.raises(BadFile, match="ends in the middle: expected END:VCALENDAR"):
        calendars.read(tmp_path / "a.ics", OWN, "Europe/Madrid", NOW)


def test_a_folder_gives_its_calendars_and_tables_by_name(tmp_path: Path):
    for name in ("b.ics", "a.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert [file.name for file in calendars.files(tmp_path)] == ["a.csv", "b.ics"]
    with pytest.raises(BadFile, match=r"holds no file that ends in \.ics or \.csv"):
        calendars.files(WEEK.parent.parent / "..")


def test_free_times_are_the_beginnings_of_events_ahead(tmp_path: Path):
    path = calendar(tmp_path, "DTSTART;TZID=Europe/Madrid:20261123T100000", "RRULE:FREQ=DAILY;COUNT=3")
    assert [slot.astimezone(MADRID).isoformat() for slot in calendars.free(path, "Europe/Madrid", NOW)] == [
        "2026-11-24T10:00:00+01:00",
        "2026-11-25T10:00:00+01:00",
    ]


def test_a_calendar_is_read_again_only_when_it_has_changed_or_a_day_has_passed(tmp_path: Path):
    path = calendar(tmp_path, "DTSTART:20261201T100000")
    reads: list[datetime] = []
    watched = calendars.Watched(path, lambda now: reads.append(now) or (len(reads),))
    assert watched.news(NOW) == (1,)
    watched.taken()
    assert watched.news(NOW + timedelta(hours=1)) is None
    assert watched(NOW) == (1,)
    os.utime(path, (0, 0))
    assert watched.news(NOW) == (2,)
    assert watched.news(NOW + timedelta(days=1)) == (3,)


def test_news_that_were_not_taken_are_given_again_without_being_read_again(tmp_path: Path):
    path = tmp_path / "kept.ics"
    path.touch()
    reads: list[datetime] = []
    watched = calendars.Watched(path, lambda now: reads.append(now) or (len(reads),))
    assert watched.news(NOW) == watched.news(NOW + timedelta(hours=1)) == (1,)


def test_a_calendar_that_went_away_is_told(tmp_path: Path):
    with pytest.raises(BadFile, match=r"none\.ics: can't be read"):
        calendars.Watched(tmp_path / "none.ics", lambda now: ()).news(NOW)
