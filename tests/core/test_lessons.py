from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core.lessons import A_DOMAIN, A_DOMAIN_ANYWAY, A_SENDER, chosen
from pipeline.core.records import Intent, Lesson, Reason

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def lesson(number: int, sender: str) -> Lesson:
    at = NOW + timedelta(minutes=number)
    return Lesson(message=f"m{number:04}", sender=sender, at=at, by="outbox", intent=Intent.CANCEL, reason=Reason.PRICE)


def test_a_few_corrections_are_all_learnt():
    found = [lesson(number, f"{number}@example.org") for number in range(A_DOMAIN_ANYWAY)]
    kept, left_out = chosen(found)
    assert (sorted(kept, key=lambda each: each.at), left_out) == (found, {})


def test_the_newest_of_a_sender_count():
    kept, left_out = chosen([lesson(number, "maria@example.org") for number in range(7)])
    assert [each.message for each in kept] == ["m0006", "m0005", "m0004"]
    assert left_out == {"more than 3 of one sender": 4}


@pytest.mark.parametrize("others", [0, 100, 400, 2_000])
def test_a_domain_teaches_no_more_than_its_share(others: int):
    """Counted of what is learnt in the end, however many senders the domain has."""
    flood = [lesson(number, f"{number}@flood.example") for number in range(1_000)]
    daily = [lesson(5_000 + number, f"who@shop{number}.example") for number in range(others)]
    kept, _ = chosen([*flood, *daily])
    flooding = sum(each.sender.endswith("@flood.example") for each in kept)
    assert len(kept) - flooding == others
    assert 0 < flooding <= max(A_DOMAIN_ANYWAY, A_DOMAIN * len(kept))


def test_nobody_gives_more_than_the_cap_whatever_the_order():
    found = [lesson(number, f"{number % 2}@example.org") for number in range(40)]
    kept, _ = chosen(found[::-1])
    assert len(kept) == 2 * A_SENDER


def test_nothing_is_chosen_from_nothing():
    assert chosen([]) == ([], {})
