"""S2.1: every contact has a named state, with its cause and its time; never just "inactive"."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playbook.site import HOUR, MARIA, TOM, Town

from pipeline.core.records import ContactState, Customer


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.mark.parametrize(
    ("words", "state", "cause"),
    [
        ("Please cancel, too expensive.", ContactState.IN_FOLLOW_UP, "cancelled: price"),
        ("Please cancel, we are moving away.", ContactState.CLOSED, "cancelled: moved"),
        ("Could you move my appointment to Friday?", ContactState.RESCHEDULED, "wants another date"),
        ("Please cancel. My mother died.", ContactState.CLOSED, "cancelled: bereavement"),
        ("Please cancel and unsubscribe me.", ContactState.SUPPRESSED, "opt_out"),
    ],
)
def test_s2_1_a_mail_puts_its_writer_into_a_state_with_cause_and_time(town: Town, words: str, state: ContactState, cause: str):
    town.writes(words)
    person = town.world.site.store.people.get(MARIA)
    assert (person.state, person.cause, person.since) == (state, cause, town.now)


def test_s2_1_the_way_of_a_contact_is_written_down_step_by_step(town: Town):
    town.writes("Please cancel, too expensive.")
    town.reps_approve()
    town.days_pass(50, stride=2)
    town.books(datetime(2027, 3, 1, 12, 0, tzinfo=ZoneInfo("Europe/Madrid")))
    kinds = [event.kind for event in town.world.site.store.events.of_address(MARIA)]
    states = [kind for kind in kinds if kind in set(ContactState)]
    assert states == ["in_follow_up", "hibernating", "won_back"]


def test_s2_1_a_customer_from_a_file_is_active_and_keeps_a_state_that_mails_gave(town: Town):
    bookings = town.world.site.store.bookings
    bookings.take_customers([Customer(address=TOM, name="Tom"), Customer(address=MARIA, name="Maria")], town.now)
    assert town.state(TOM) == (ContactState.ACTIVE, "from a file")
    town.writes("Please cancel, too expensive.")
    town.forward(HOUR)
    bookings.take_customers([Customer(address=MARIA, name="Maria L.")], town.now)
    assert town.state() == (ContactState.IN_FOLLOW_UP, "cancelled: price")
