"""When an older copy of the store is put back, nothing goes out before a person says so, and nothing a second time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from figures import Figures

from pipeline.daemon import Daemon
from reliability.crash import Campaign, World
from reliability.cycle import EVERYBODY
from reliability.world import Outside, copied, opened, quick_folder

HOURS = 3


@dataclass
class Later:
    """The sites of a campaign after each of its acts."""

    folder: Path
    acts: int

    def after(self, act: int) -> Path:
        return self.folder / f"after-{act}"

    def restored(self, copy: int, now: int) -> Path:
        """The site after act `now`, with the store as it was after act `copy`."""
        site = copied(self.after(now), self.folder / "restored")
        shutil.copy(self.after(copy) / "state" / "winback.db", site / "state" / "winback.db")
        return site


@pytest.fixture(scope="module")
def later() -> Iterator[Later]:
    with quick_folder() as folder:
        campaign = Campaign(folder, World(customers=EVERYBODY))
        assert campaign.failures == []
        yield Later(folder, len(campaign.stages))


def works(folder: Path, *, resume: bool = False) -> None:
    """Some hours of the daemon, with nobody at the outbox."""
    outside = Outside(folder / "outside", proves=False)
    with opened(folder, outside) as site:
        if resume:
            assert site.store.control.resume("terminal", outside.now())
        for _ in range(HOURS):
            Daemon(site).once()
            outside.forward(hours=1)


def accepted(folder: Path) -> list[str]:
    return Outside(folder / "outside").accepted()


@pytest.mark.slow
def test_no_restored_copy_of_any_age_sends_before_a_person_says_so_or_anything_twice(later: Later, figures: Figures):
    held = 0
    for copy, now in combinations(range(1, later.acts + 1), 2):
        site = later.restored(copy, now)
        before = accepted(site)
        works(site)
        if before != accepted(later.after(copy)):
            held += 1
            assert accepted(site) == before, f"sent before the resume: store of act {copy}, put back after act {now}"
            works(site, resume=True)
        assert len(set(accepted(site))) == len(accepted(site)), f"sent twice: store of act {copy}, put back after act {now}"
    figures("old copies of the store put back", copies=held, sent_before_the_resume=0)
    assert held > 30


def test_the_reps_are_told_why_nothing_goes_out(later: Later):
    site = later.restored(1, later.acts)
    works(site)
    assert any("winback resume" in note.read_text(encoding="utf-8") for note in (site / "outbox").glob("NOTE*"))
    works(site, resume=True)
    assert not any("winback resume" in note.read_text(encoding="utf-8") for note in (site / "outbox").glob("NOTE*"))
