"""Two kills in a row, and every meeting of two daemons: too many for each day."""

from __future__ import annotations

import pytest
from figures import Figures
from reliability.crash import FULL, WORLDS, Campaign, World
from reliability.two import Duel
from reliability.world import quick_folder


@pytest.mark.parametrize("world", (FULL[0], *WORLDS[1:]), ids=str)
def test_a_kill_and_another_one_while_it_recovers_lose_and_double_nothing(world: World, figures: Figures):
    with quick_folder() as folder:
        campaign = Campaign(folder, world).pairs()
    figures(f"killed twice at all pairs of points: {world}", pairs=campaign.plans, wrongs=len(campaign.failures))
    assert campaign.failures == []
    assert campaign.plans > 1000


def test_every_round_of_two_daemons_sends_nothing_twice(figures: Figures):
    with quick_folder() as folder:
        duel = Duel(folder)
        for one in duel.all_rounds():
            duel.play(one)
    figures("two daemons, one stopped before each point for each time", rounds=duel.rounds, wrongs=len(duel.failures))
    assert duel.failures == []
    assert duel.rounds > 500
