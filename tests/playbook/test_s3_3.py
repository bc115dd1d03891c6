"""S3.3: prepaid sessions: a late cancellation uses one up, and goodwill makes the others longer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playbook.site import DAY, HOUR, MARIA, Town, notes

from pipeline.core.records import Customer

WORDS = "I have to cancel my appointment today, too expensive."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """The grace was used up before."""
    made = Town(tmp_path)
    made.books(made.now + 5 * HOUR, price=None, package="ten", sessions_left=6)
    made.writes(WORDS)
    made.reps_approve()
    made.forward(10 * DAY)
    return made


def test_s3_3_a_late_session_of_a_package_is_used_up_and_the_others_become_longer(town: Town):
    town.books(town.now + 5 * HOUR, package="ten", sessions_left=5)
    town.writes(WORDS)
    money = " ".join(notes(town.draft("price"), "Money"))
    assert "ten" in money
    assert "10 minutes" in money
    assert "USD" not in money


def test_s3_3_what_a_file_says_of_the_customer_is_enough(town: Town):
    town.world.site.store.bookings.take_customers([Customer(address=MARIA, package="ten", sessions_left=5)], town.now)
    town.books(town.now + 5 * HOUR)
    town.writes(WORDS)
    assert "10 minutes" in " ".join(notes(town.draft("price"), "Money"))


def test_s3_3_a_session_called_off_in_time_stays(town: Town):
    town.books(town.now + timedelta(days=3), package="ten", sessions_left=5)
    town.writes("I have to cancel my appointment on Sunday, too expensive.")
    assert "10 minutes" not in " ".join(notes(town.draft("price"), "Money"))
    assert town.drafts("late") == []
