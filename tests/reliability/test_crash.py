"""Nothing is lost and nothing comes twice, wherever a process dies between two effects on the outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
from figures import Figures

from pipeline.core.records import Batch, Send
from pipeline.edges import outbox
from pipeline.store.intake import Intake
from pipeline.store.sends import Sends
from reliability.crash import WORLDS, Campaign, World
from reliability.cycle import EVERYBODY
from reliability.world import LOST_AFTER, NONE, Patch, quick_folder

# Every gesture of the reps once; how the way out fails is tried with those whose mails go out.
ALL = (World(customers=EVERYBODY), *WORLDS[1:])


@pytest.mark.slow
@pytest.mark.parametrize("world", ALL, ids=str)
def test_a_kill_between_any_two_effects_loses_and_doubles_nothing(world: World, figures: Figures):
    with quick_folder() as folder:
        campaign = Campaign(folder, world).singles()
    figures(f"killed once at every point: {world}", kills=campaign.plans, wrongs=len(campaign.failures))
    assert campaign.failures == []
    assert campaign.plans == campaign.points > 50


def test_what_a_real_kill_leaves_is_what_the_campaign_recovers_from():
    with quick_folder() as folder:
        campaign = Campaign(folder, World())
        for stage in campaign.stages[:2]:
            for at in range(1, len(stage.wrecks) + 1, 5):
                real, copied = campaign.killed(stage, at)
                assert real == copied, f"act {stage.number}, point {at}"


def retry_what_is_uncertain(patch: pytest.MonkeyPatch) -> None:
    def requeue(self: Sends, connection: sa.Connection, row: sa.Row, why: str, now: datetime, owner: str | None) -> None:
        self._requeue(connection, row, now, why, now)

    patch.setattr(Sends, "_uncertain", requeue)


def grant_the_dot_without_a_commit(patch: pytest.MonkeyPatch) -> None:
    def may_finish(self: Sends, mail: Send, now: datetime) -> bool:
        return True

    patch.setattr(Sends, "may_finish", may_finish)


def commit_the_cursor_before_the_mails(patch: pytest.MonkeyPatch) -> None:
    take = Intake.take

    def cursor_first(self: Intake, batch: Batch, now: datetime) -> int:
        take(self, replace(batch, mails=()), now)
        return take(self, batch, now)

    patch.setattr(Intake, "take", cursor_first)


def write_drafts_in_place(patch: pytest.MonkeyPatch) -> None:
    def write(folder: int, name: str, data: bytes, *, sync: bool = True) -> None:
        flags = outbox.os.O_WRONLY | outbox.os.O_CREAT | outbox.os.O_TRUNC
        with outbox.os.fdopen(outbox.os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)

    patch.setattr(outbox, "_write", write)


@pytest.mark.parametrize(
    ("wrong", "fault", "symptom"),
    [
        (retry_what_is_uncertain, LOST_AFTER, "DOUBLE"),
        (grant_the_dot_without_a_commit, NONE, "DOUBLE"),
        (commit_the_cursor_before_the_mails, NONE, "LOST"),
        (write_drafts_in_place, NONE, "cut off"),
    ],
)
def test_a_wrong_product_is_caught(wrong: Patch, fault: str, symptom: str):
    with quick_folder() as folder:
        campaign = Campaign(folder, World(fault=fault, proves=False, patch=wrong)).singles(until_failure=True)
    assert symptom in campaign.failures[0]
