"""S2.3: who did not come gets a note within minutes, which assumes an honest mistake and offers a new link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playbook.site import AROUND, DAY, HOUR, MARIA, Town

from pipeline import people
from pipeline.core.records import AppointmentState, ContactState, Customer, Kind
from pipeline.errors import WinbackError

MADRID = ZoneInfo("Europe/Madrid")
AT_TEN = datetime(2026, 11, 23, 10, 0, tzinfo=MADRID)  # an hour ago
NO_SHOW = AppointmentState.NO_SHOW


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def direct(tmp_path: Path) -> Town:
    """A business that lets the note go out at once."""
    return Town(tmp_path, around=replace(AROUND, no_show="send", no_show_within=2 * HOUR))


def test_s2_3_a_rep_says_so_and_the_note_waits_for_review(town: Town):
    town.books(AT_TEN, name="Maria Lopez", service="Colour")
    assert people.no_show(town.world.site, MARIA, None) == f"{MARIA} did not come on 2026-11-23 10:00: a draft waits in review/"
    note = town.draft("no_show")
    assert note.kind is Kind.NOTE
    assert "Hi Maria" in note.text
    assert "Monday 23 November at 10:00" in note.text
    assert "https://bluedoor.example/book" in note.text
    assert "Monday to Friday, 09:00 to 18:00" in note.text
    assert town.state() == (ContactState.ACTIVE, "did not come")


def test_s2_3_a_calendar_that_marks_it_is_enough_and_the_note_goes_out_within_minutes(direct: Town):
    direct.books(AT_TEN, state=NO_SHOW)
    direct.works()
    assert direct.sent() == ["We missed you"]
    assert "Auto-Submitted: auto-generated" in direct.world.delivery.delivered_mails[0].data.decode()


def test_s2_3_what_is_told_late_becomes_a_draft_because_its_words_are_for_the_moment(direct: Town):
    direct.forward(2 * HOUR)
    direct.books(AT_TEN, state=NO_SHOW)
    direct.works()
    assert (direct.sent(), len(direct.drafts("no_show"))) == ([], 1)


def test_s2_3_an_old_calendar_makes_no_notes_at_all(town: Town):
    town.books(AT_TEN - 30 * DAY, state=NO_SHOW)
    town.works()
    assert town.drafts() == []


def test_s2_3_telling_it_twice_sends_it_once(direct: Town):
    direct.books(AT_TEN, state=NO_SHOW)
    for _ in range(3):
        direct.works()
    assert people.no_show(direct.world.site, MARIA, "10:00").endswith("that was noted before")
    direct.works()
    assert direct.sent() == ["We missed you"]


def test_s2_3_nothing_need_be_known_but_the_address_and_the_day(town: Town):
    told = people.no_show(town.world.site, "ann@example.org", "2026-11-23")
    assert told == "ann@example.org did not come on 2026-11-23: a draft waits in review/"
    assert "Monday 23 November" in town.draft("no_show").text


def test_s2_3_a_stranger_gets_no_note_before_it_is_said_what_was_missed(town: Town):
    with pytest.raises(WinbackError, match=r"no appointment with this customer is known: say which .* --appointment 15:00"):
        people.no_show(town.world.site, "ann@example.org", None)
    assert town.drafts() == []


@pytest.mark.parametrize("when", [None, "2026-11-30", "2026-11-30 10:00", "23:00"])
def test_s2_3_nobody_can_have_missed_what_lies_ahead(town: Town, when: str | None):
    town.books(AT_TEN + 7 * DAY)
    with pytest.raises(WinbackError, match="lies ahead"):
        people.no_show(town.world.site, MARIA, when)
    assert town.drafts() == []
    assert [one.state for one in town.world.site.store.bookings.of(MARIA)] == [AppointmentState.BOOKED]


def test_s2_3_what_is_long_past_is_not_guessed(town: Town):
    town.books(AT_TEN - 30 * DAY)
    with pytest.raises(WinbackError, match="no appointment of the last 2 days"):
        people.no_show(town.world.site, MARIA, None)


def test_s2_3_the_time_may_be_said_in_three_ways(town: Town):
    for number, when in enumerate(("10:00", "2026-11-23 10:00", "2026-11-20")):
        people.no_show(town.world.site, f"{number}@example.org", when)
    assert len(town.drafts("no_show")) == 3
    with pytest.raises(WinbackError, match="yesterday: expected a time such as 15:00"):
        people.no_show(town.world.site, MARIA, "yesterday")
    with pytest.raises(WinbackError, match="no e-mail address"):
        people.no_show(town.world.site, "Maria", None)


def test_s2_3_free_times_stand_in_the_note_when_they_are_known(town: Town):
    tomorrow = datetime(2026, 11, 24, 16, 0, tzinfo=MADRID)
    town.works(free=lambda now: (tomorrow,))
    town.books(AT_TEN, state=NO_SHOW)
    town.works()
    assert "- Tuesday 24 November at 16:00" in town.draft("no_show").text


def test_s2_3_the_note_is_written_in_the_customers_language(town: Town):
    town.world.site.store.bookings.take_customers([Customer(address=MARIA, language="es")], town.now)
    town.books(AT_TEN, state=NO_SHOW, name="Maria Lopez")
    town.works()
    assert "Le esperábamos el lunes 23 de noviembre a las 10:00" in town.draft("no_show").text


def test_s2_3_nobody_who_must_not_be_written_to_gets_a_note(town: Town):
    town.world.site.store.people.suppress(MARIA, "by hand", town.now)
    town.books(AT_TEN, state=NO_SHOW)
    town.works()
    assert town.drafts() == []
    with pytest.raises(WinbackError, match="not written to any more"):
        people.no_show(town.world.site, MARIA, None)


def test_s2_3_no_win_back_follows_a_no_show(town: Town):
    town.books(AT_TEN, state=NO_SHOW)
    town.works()
    town.reps_approve()
    town.days_pass(120, stride=10)
    assert town.sent() == ["We missed you"]


def test_s2_3_who_books_again_after_it_has_another_date(town: Town):
    town.books(AT_TEN, state=NO_SHOW)
    town.works()
    town.reps_approve()
    town.forward(timedelta(minutes=5))
    town.books(AT_TEN + 10 * DAY)
    assert town.state() == (ContactState.RESCHEDULED, "has a new date")
