"""No mail goes out twice when a daemon is stopped while it sends, and another one takes over its work."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from figures import Figures

from pipeline.core.records import Send
from pipeline.store.sends import Sends
from reliability.two import ASLEEP, Duel
from reliability.world import NONE, Patch, quick_folder

ROUNDS = 200


@pytest.mark.slow
def test_a_daemon_that_wakes_up_after_its_lease_sends_nothing_twice(figures: Figures):
    with quick_folder() as folder:
        duel = Duel(folder)
        rounds = list(duel.all_rounds())
        for one in random.Random(16).sample(rounds, min(ROUNDS, len(rounds))):
            duel.play(one)
    assert duel.failures == []
    assert duel.rounds == ROUNDS
    figures("two daemons, one stopped while it sends, up to ten leases", rounds=duel.rounds, wrongs=len(duel.failures))


def grant_every_dot(patch: pytest.MonkeyPatch) -> None:
    def may_finish(self: Sends, mail: Send, now: datetime) -> bool:
        return True

    patch.setattr(Sends, "may_finish", may_finish)


def take_absence_for_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sends, "disproved", Sends.queue_again)


@pytest.mark.parametrize("wrong", [grant_every_dot, take_absence_for_proof])
def test_a_wrong_product_is_caught(wrong: Patch):
    with quick_folder() as folder:
        duel = Duel(folder, wrong)
        for one in duel.all_rounds():
            if one.fault == NONE and one.proves and one.asleep == ASLEEP[-1]:
                duel.play(one)
            if duel.failures:
                break
    assert "taken over 2 times" in duel.failures[0]
