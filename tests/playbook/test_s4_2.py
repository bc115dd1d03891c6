"""S4.2: what nobody could foresee suspends the policy: a new date, or part of the amount as credit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from playbook.site import HOUR, SALON, Town, notes


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path, policy=replace(SALON, grace=0))
    made.books(made.now + 5 * HOUR, price=Decimal(80), paid=Decimal(20))
    return made


def money(town: Town) -> list[str]:
    (draft,) = (draft for draft in town.drafts() if draft.template != "late")
    return notes(draft, "Money")


def test_s4_2_an_illness_brings_a_new_date_or_half_as_credit(town: Town):
    town.writes("I have to cancel today, I need surgery.")
    told = money(town)
    assert "Nobody could foresee that: the rules rest and nothing is charged." in told
    assert "First offer a new date; the 20.00 USD already paid counts in full." in told
    assert "Without a new date: 50% of the 20.00 USD that would be kept = 10.00 USD as credit." in told


def test_s4_2_a_death_in_the_family_does_too(town: Town):
    town.writes("I have to cancel today, my mother died.")
    assert "Nobody could foresee that: the rules rest and nothing is charged." in money(town)


def test_s4_2_it_is_not_counted_as_a_late_cancellation(town: Town):
    town.writes("I have to cancel today, I need surgery.")
    history = town.world.site.store.past.of_address("maria@example.org")
    assert [late for _, late in history.lateness] == [False]


def test_s4_2_trouble_that_the_policy_does_not_name_is_no_time_for_amounts(town: Town):
    town.writes("I have to cancel today, I lost my job.")
    assert money(town) == ["A person decides here; money comes last, if at all."]


def test_s4_2_the_text_itself_offers_nothing_and_asks_for_nothing(town: Town):
    town.writes("I have to cancel today, I need surgery.")
    (draft,) = town.drafts()
    assert not any(word in draft.text.lower() for word in ("usd", "fee", "credit", "policy"))
