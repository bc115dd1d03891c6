"""Four hundred days of a thousand customers in three countries, before the observer of the sent mail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from figures import Figures
from years.life import TOWNS, Town, lived
from years.observer import faults, unanswered

CUSTOMERS, DAYS, SEED = 334, 400, 11  # in each country


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.house.country)
def test_in_four_hundred_days_no_rule_is_broken(town: Town, tmp_path: Path, figures: Figures):
    told = lived(town, tmp_path / "site", count=CUSTOMERS, days=DAYS, seed=SEED)
    kinds, broken, left = Counter(one.kind for one in told.sent), faults(told), unanswered(told)
    figures(
        f"{DAYS} days in {town.house.country}",
        customers=CUSTOMERS,
        deeds=len(told.deeds),
        answers=kinds["acknowledgment"],
        touches=kinds["touch"],
        greetings=kinds["greeting"],
        broken_rules=len(broken),
        unanswered=len(left),
    )
    assert broken == []
    assert left == []
