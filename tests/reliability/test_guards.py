"""Each guard of the product is missed by some test. GUARDS=all takes out every one, else a few stand for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reliability.guards import GUARDS, QUICK, Guard, copied, missed

CHOSEN = [guard for guard in GUARDS if os.environ.get("GUARDS") == "all" or guard.name in QUICK]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with copied() as folder:
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("guard", CHOSEN, ids=lambda guard: guard.name)
def test_a_guard_that_is_taken_out_is_missed(guard: Guard, folder: Path):
    assert missed(guard, folder) == ""


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_where_the_table_says(guard: Guard):
    assert (Path(__file__).parents[2] / guard.file).read_text(encoding="utf-8").count(guard.is_now) == 1
