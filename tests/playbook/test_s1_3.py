"""S1.3: a freed slot goes back to the rep, with who could take it; who is not interested is closed kindly."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import ROOT
from playbook.site import DAY, HOUR, MARIA, TOM, Town, notes

from pipeline.core.records import AppointmentState, ContactState, Kind

MADRID = ZoneInfo("Europe/Madrid")
THURSDAY = datetime(2026, 11, 26, 15, 0, tzinfo=MADRID)
NEXT = THURSDAY + 7 * DAY
OFF = "I have to cancel my appointment on 3 December, too expensive."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def tom_waits(town: Town, since: timedelta = 4 * DAY) -> None:
    """Tom cancelled over the time, and had our answer so long ago."""
    town.writes("Please cancel, work trip.", f"Tom Becker <{TOM}>")
    town.reps_approve()
    town.forward(since)


def test_s1_3_each_cancellation_of_a_date_tells_which_slot_is_free(town: Town):
    town.books(THURSDAY, service="Colour")
    town.writes("I have to cancel my appointment this Thursday, work trip.")
    assert notes(town.draft("timing"), "Slot") == ["Free again: Thursday 26 November at 15:00 (Colour)."]
    assert [one.state for one in town.world.site.store.bookings.of(MARIA)] == [AppointmentState.CANCELLED]


def test_s1_3_the_customers_own_words_are_enough(town: Town):
    town.writes("I have to cancel my appointment this Thursday, work trip.")
    assert notes(town.draft("timing"), "Slot") == ["Called off: Thursday 26 November; the hour is not known."]


def test_s1_3_who_cancelled_over_the_time_is_named_and_offered_the_slot_by_a_draft(town: Town):
    tom_waits(town)
    town.books(NEXT, service="Colour")
    town.writes(OFF)
    assert notes(town.draft("price"), "Slot") == [
        "Free again: Thursday 3 December at 15:00 (Colour).",
        "Could take it: Tom Becker, who cancelled over the time.",
    ]
    offer = town.draft("slot_offer")
    assert (offer.recipient.address, offer.kind) == (TOM, Kind.FOLLOW_UP)
    assert "Thursday 3 December at 15:00 (Colour)" in offer.text
    assert 'reply "stop"' in offer.text


@pytest.mark.parametrize("language", ["en", "es", "es-tu"])
def test_s1_3_an_offer_says_nothing_that_the_customer_did_not_say(language: str):
    for file in (ROOT / "templates" / language).glob("slot_offer*.txt"):
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"when you wrote|you were looking|cuando nos escrib|buscaba", text, re.I) == [], file


def test_s1_3_who_had_our_answer_a_moment_ago_is_left_alone(town: Town):
    tom_waits(town, since=HOUR)
    town.books(NEXT)
    town.writes(OFF)
    assert town.drafts("slot_offer") == []


def test_s1_3_an_hour_at_night_is_offered_to_nobody(town: Town):
    tom_waits(town)
    town.books(NEXT.replace(hour=3))
    town.writes(OFF)
    assert town.drafts("slot_offer") == []


@pytest.mark.parametrize(("country", "offers"), [("US", 1), ("CO", 0)])
def test_s1_3_nothing_is_offered_to_whom_the_law_lets_nobody_write(town: Town, country: str, offers: int):
    rules = town.world.site.rules
    town.world.site = replace(town.world.site, rules=replace(rules, business=replace(rules.business, country=country)))
    tom_waits(town)
    town.books(NEXT)
    town.writes(OFF)
    town.works()
    assert len(town.drafts("slot_offer")) == offers


def test_s1_3_a_slot_is_offered_once_and_the_offer_ends_with_the_slot(town: Town):
    tom_waits(town)
    town.books(NEXT)
    town.writes(OFF)
    town.works()
    town.works()
    assert len(town.drafts("slot_offer")) == 1
    town.forward(NEXT - town.now)
    town.works()
    assert town.drafts("slot_offer") == []


def test_s1_3_who_is_offered_a_second_slot_reads_other_words(town: Town):
    tom_waits(town)
    offers = []
    for slot, why in ((NEXT, "too expensive"), (NEXT + 7 * DAY, "too expensive for me now")):
        town.books(slot)
        town.writes(f"I have to cancel my appointment on {slot:%d %B}, {why}.")
        offers.append(town.draft("slot_offer").template)
        town.reps_approve()
        town.forward(4 * DAY)
        town.works()
    assert offers == ["slot_offer", "slot_offer.2"]


def test_s1_3_nobody_is_offered_a_slot_before_their_own_date_or_without_a_timing_reason(town: Town):
    town.writes("Please cancel, work trip. I will be back in March.", f"Tom Becker <{TOM}>")
    town.writes("Please cancel, too expensive.", "Ann <ann@example.org>")
    town.reps_approve()
    town.books(NEXT)
    town.writes(OFF)
    assert town.drafts("slot_offer") == []


def test_s1_3_who_is_not_interested_is_closed_kindly(town: Town):
    town.writes("Please cancel, we are moving away.")
    town.reps_approve()
    town.days_pass(100, stride=10)
    assert len(town.sent()) == 1
    assert town.state()[0] is ContactState.CLOSED


def test_s1_3_a_freed_hour_that_has_passed_or_begins_at_once_is_offered_to_nobody(town: Town):
    tom_waits(town)
    town.books(town.now + HOUR)
    town.writes("I have to cancel my appointment today, too expensive.")
    assert town.drafts("slot_offer") == []
    town.forward(3 * DAY)
    town.works()
    assert town.drafts("slot_offer") == []
