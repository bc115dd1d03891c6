"""S0.6: measure whether it works: reschedule rate, return rate, loyalty, time to first answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fakes import World, mail, make_world

from pipeline import gestures, jobs, report_page
from pipeline.core.figures import Figures, Period
from pipeline.core.report import figures

CANCEL = "Please cancel my membership, it is too expensive for me."
MOVE = "Could we move my appointment to next week?"


def round_(world: World) -> None:
    for job in (jobs.poll, jobs.work, gestures.collect, jobs.remind, jobs.publish, jobs.send, jobs.publish):
        job(world.site)


def writes(world: World, name: str, text: str, uid: str) -> None:
    world.inbox.arrive(mail(text, sender=f"{name.title()} <{name}@example.org>", uid=uid))
    world.clock.forward(minutes=4)
    round_(world)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ana and Ben cancelled; Ben comes back after eight days, Eva asks for another date from the first."""
    made = make_world(tmp_path)
    jobs.poll(made.site)
    made.clock.forward(minutes=1)
    writes(made, "ana", CANCEL, "1")
    writes(made, "ben", CANCEL, "2")
    writes(made, "eva", MOVE, "3")
    made.clock.forward(days=8)
    writes(made, "ben", MOVE, "4")
    return made


def measured(world: World, days: int = 30) -> Figures:
    end = world.clock() + timedelta(minutes=1)
    period = Period(start=end - timedelta(days=days), end=end)
    return figures(world.site.store.report.facts(period), period, "Europe/Madrid")


def test_the_reschedule_rate_counts_who_asked_for_another_date(world: World):
    found = measured(world)
    assert (found.other_date.count, found.other_date.of) == (2, 4)


def test_the_return_rate_counts_who_came_back_after_cancelling(world: World):
    found = measured(world)
    assert (found.returned.count, found.returned.of) == (1, 2)
    assert [(name, one.count, one.of) for name, one in found.by_reason] == [("price", 1, 2)]
    assert [(name, one.count, one.of) for name, one in found.by_track] == [("price", 1, 2)]
    assert [(name, one.count, one.of) for name, one in found.by_text] == [("price", 1, 2)]


def test_loyalty_ends_with_the_next_cancellation(world: World):
    assert (measured(world).loyal.count, measured(world).loyal.of) == (1, 1)
    world.clock.forward(days=8)
    writes(world, "ben", CANCEL, "5")
    assert (measured(world).loyal.count, measured(world).loyal.of) == (0, 1)


def test_the_time_to_the_first_answer_is_measured_from_the_arrival_of_the_mail(world: World):
    found = measured(world).answers
    assert (found.answered, found.median, found.slow) == (4, timedelta(minutes=4), timedelta(minutes=4))


def test_few_customers_are_not_enough_to_say_anything(world: World):
    told = report_page.text(measured(world), world.site.rules.business, "en")
    assert "1 of 2: not enough data yet" in told
    assert "%" not in told
