"""Three hundred power cuts in each mode of the journal."""

from __future__ import annotations

import pytest
from figures import Figures
from reliability import power
from reliability.world import quick_folder

CUTS = 300
MODES = {"rollback journal": (3, 40, 1), "WAL": (3, 51, 3)}


@pytest.mark.parametrize("mode", MODES)
def test_no_acknowledged_commit_is_lost(mode: str, figures: Figures):
    with quick_folder() as cycle, quick_folder() as folder:
        statements = power.cycle(cycle)
        with power.pragmas_of(MODES[mode]):
            found = power.campaign(statements, folder, CUTS)
    figures(f"power cut, {mode}", cuts=found.cuts, commits_lost=found.lost, damaged_files=found.damaged)
    assert (found.cuts, found.lost, found.damaged) == (CUTS, 0, 0)
