"""S2.2: hibernation is a state with a slow rhythm of its own, woken by anything that the customer does."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playbook.site import DAY, MARIA, Town

from pipeline.core.records import ContactState, Touch

RHYTHM = tuple(Touch(after=days * DAY, template="greeting") for days in (30, 91, 365))


def asleep(folder: Path, **rules: object) -> Town:
    """A customer who cancelled, had both touches, and is left in peace now."""
    town = Town(folder, **rules)
    town.writes("Please cancel, too expensive.")
    town.reps_approve()
    town.days_pass(40, stride=2)
    assert town.state() == (ContactState.HIBERNATING, "last touch sent")
    assert len(town.sent()) == 3
    return town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return asleep(tmp_path, greetings=RHYTHM)


def test_s2_2_greetings_come_after_a_month_a_quarter_and_a_year_and_then_no_more(town: Town):
    def greetings() -> int:
        return town.sent().count("A greeting from Bluedoor Studio")

    heard = []
    for _ in range(5):
        town.days_pass(100, stride=10)
        heard.append(greetings())
    assert heard == [2, 2, 2, 3, 3]
    town.days_pass(100, stride=10)
    assert greetings() == 3
    assert town.state()[0] is ContactState.HIBERNATING


def test_s2_2_a_greeting_can_be_declined_and_offers_nothing(town: Town):
    while not town.drafts("greeting"):
        town.forward(DAY)
        town.works()
    greeting = town.draft("greeting")
    assert 'reply "stop"' in greeting.text
    assert any(name == "List-Unsubscribe" for name, _ in greeting.headers)


def test_s2_2_without_a_rhythm_nobody_is_greeted(tmp_path: Path):
    town = asleep(tmp_path)
    town.days_pass(400, stride=20)
    assert len(town.sent()) == 3


def test_s2_2_a_reply_wakes_and_ends_the_greetings(town: Town):
    town.writes("Thank you, all is well here.")
    assert town.state() == (ContactState.ACTIVE, "reply")
    town.days_pass(120, stride=10)
    assert len(town.sent()) == 3


def test_s2_2_a_new_date_wakes_and_wins_back(town: Town):
    town.books(town.now.astimezone(ZoneInfo("Europe/Madrid")) + 30 * DAY)
    assert town.state() == (ContactState.WON_BACK, "has a new date")


def test_s2_2_who_opts_out_in_their_sleep_is_never_written_to_again(town: Town):
    town.writes("Please unsubscribe me.")
    town.days_pass(400, stride=20)
    assert town.state()[0] is ContactState.SUPPRESSED
    assert len(town.sent()) == 3


def test_s2_2_a_rejected_greeting_goes_out_never_and_the_next_one_comes_in_its_time(town: Town):
    while not town.drafts("greeting"):
        town.forward(DAY)
        town.works()
    town.world.site.store.drafts.reject(town.draft("greeting").key, by="terminal", now=town.now)
    town.days_pass(70, stride=7)
    assert town.sent().count("A greeting from Bluedoor Studio") == 1


def test_s2_2_planning_a_greeting_twice_plans_it_once(town: Town):
    before = town.world.site.store.overview.counts()["step"]
    for _ in range(3):
        town.works()
    assert town.world.site.store.overview.counts()["step"] == before


def test_s2_2_greetings_keep_to_business_hours(town: Town):
    due = town.world.site.store.overview.next_due().astimezone(ZoneInfo("Europe/Madrid"))
    assert due.weekday() < 5
    assert datetime.min.time().replace(hour=9) <= due.time() <= datetime.min.time().replace(hour=18)
    assert due > town.now + timedelta(days=15)
    assert town.world.site.store.people.get(MARIA).state is ContactState.HIBERNATING
