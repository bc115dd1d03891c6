"""No acknowledged commit is lost when the power goes, under the pragmas that the product sets for each age of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from figures import Figures

from reliability.world import quick_folder

CUTS = 100
OLD, SOUND = (3, 40, 1), (3, 51, 3)


@pytest.fixture(scope="module")
def power() -> ModuleType:
    pytest.importorskip("apsw", reason="apsw, which lets a test be SQLite's file system, is not installed")
    from reliability import power

    return power


@pytest.fixture(scope="module")
def statements(power: ModuleType) -> Iterator[list[Any]]:
    with quick_folder() as folder:
        yield power.cycle(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as quick:
        yield quick


@pytest.mark.parametrize("version", [OLD, SOUND], ids=["rollback journal", "WAL"])
def test_no_acknowledged_commit_is_lost(
    power: ModuleType, statements: list[Any], folder: Path, version: tuple[int, int, int], figures: Figures
):
    with power.pragmas_of(version):
        found = power.campaign(statements, folder, CUTS)
    mode = "rollback journal" if version == OLD else "WAL"
    figures(f"power cut, {mode}", cuts=found.cuts, commits_lost=found.lost, damaged_files=found.damaged)
    assert (found.cuts, found.lost, found.damaged) == (CUTS, 0, 0)
    assert found.commits > 100


@pytest.mark.parametrize(("pragma", "harm"), [("synchronous = NORMAL", "lost"), ("synchronous = OFF", "lost")])
def test_weaker_pragmas_are_caught(power: ModuleType, statements: list[Any], folder: Path, pragma: str, harm: str):
    with power.pragmas_of(SOUND):
        found = power.campaign(statements, folder, CUTS, f"PRAGMA {pragma}")
    assert getattr(found, harm) > 10
