"""S4.1: the policy weighs price, money paid and money spent, and shows its arithmetic: to the rep, never to a customer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playbook.site import DAY, HOUR, SALON, Town, notes

from pipeline.core import appointments, policy
from pipeline.core.records import Appointment, Costs, History, Policy

NO_GRACE = replace(SALON, grace=0)
WORDS = "I have to cancel my appointment today, too expensive."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, policy=NO_GRACE)


def test_s4_1_the_draft_shows_the_arithmetic_line_by_line(town: Town):
    town.books(town.now + 5 * HOUR, price=Decimal(80), paid=Decimal(20))
    town.writes(WORDS)
    assert notes(town.draft("price"), "Money") == [
        "The cancellation came 5 hours before the start; 24 hours are asked for.",
        "Fee: 50% of the price of 80.00 USD = 40.00 USD.",
        "To charge: 40.00 USD − 20.00 USD already paid = 20.00 USD.",
    ]


def test_s4_1_no_text_for_a_customer_says_a_word_of_it(town: Town):
    town.books(town.now + 5 * HOUR, price=Decimal(80), paid=Decimal(20))
    town.writes(WORDS)
    assert [draft.template for draft in town.drafts() if "USD" in draft.text or "40" in draft.text] == []


def test_s4_1_what_was_spent_for_the_customer_counts(tmp_path: Path):
    town = Town(tmp_path, policy=replace(NO_GRACE, costs=Costs.COVERED))
    town.books(town.now + 5 * HOUR, price=Decimal(80), paid=Decimal(0), spent=Decimal(60))
    town.writes(WORDS)
    assert "To charge: 60.00 USD." in " ".join(notes(town.draft("price"), "Money"))


def test_s4_1_what_is_not_known_is_named_and_not_guessed(town: Town):
    town.writes(WORDS)
    money = notes(town.draft("price"), "Money")
    assert "Not known: the price." in money
    assert not any("USD" in line for line in money)


def test_s4_1_a_policy_that_asks_for_nothing_is_not_spoken_of(tmp_path: Path):
    town = Town(tmp_path, policy=Policy(notice=DAY))
    town.books(town.now + 5 * HOUR, price=Decimal(80))
    town.writes(WORDS)
    assert notes(town.draft("price"), "Money") == []


def test_s4_1_a_wish_for_another_date_costs_nothing(town: Town):
    town.books(town.now + 5 * HOUR, price=Decimal(80))
    town.writes("Could you move my appointment to Friday?")
    assert notes(town.draft("reschedule"), "Money") == []


amounts = st.none() | st.decimals(min_value=0, max_value=5_000, places=2)


@settings(max_examples=200)
@given(price=amounts, paid=amounts, spent=amounts, hours=st.integers(-5, 60), grace=st.integers(0, 2), late=st.integers(0, 3))
def test_s4_1_whatever_is_known_of_an_appointment_the_customer_never_loses_more_than_paid_and_cap(
    price: Decimal | None, paid: Decimal | None, spent: Decimal | None, hours: int, grace: int, late: int
):
    from fakes import MONDAY

    one = Appointment(key="a", address="a@example.org", start=MONDAY + hours * HOUR, price=price, paid=paid, spent=spent)
    history = History(lateness=tuple((str(number), True) for number in range(late)), appointments=(one,))
    rules = replace(SALON, grace=grace, costs=Costs.COVERED)
    advice = policy.advise(
        rules,
        replace(appointments.booking(one, history), package=""),
        policy.Cancellation(at=MONDAY, late_before=appointments.late_before(history, "this", grace), cause="work"),
    )
    charge, refund = advice.charge, advice.refund
    assert all(amount is None or amount >= 0 for amount in (charge, refund, advice.credit))
    if charge is not None and price is not None and paid is not None:
        assert charge + paid - (refund or 0) <= max(price, paid)
    if charge is not None and refund is not None:
        assert charge == 0 or refund == 0
