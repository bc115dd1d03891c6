"""A bomb costs its own mail six seconds at most, and the mail behind it nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fakes import World, mail

from reliability.attacked import CANCEL, attacked, work
from reliability.bombs import BOMBS
from reliability.world import quick_folder

HELD_WITHIN = 6.0  # seconds


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with quick_folder() as folder, attacked(folder) as world:
        work(world)
        world.inbox.arrive(mail(CANCEL, "Nobody <nobody@nobody.example.org>"))
        work(world)  # the children and the model are there
        yield world


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_itself_alone(world: World, name: str):
    number = len(world.inbox.mails)
    customer = f"c{number}@d{number}.example.org"
    world.inbox.arrive(BOMBS[name])
    world.inbox.arrive(mail(CANCEL, f"Next <{customer}>", uid=str(number)))
    world.clock.forward(hours=1)
    begun = time.monotonic()
    work(world)
    took = time.monotonic() - begun
    assert took < HELD_WITHIN
    assert customer in [sent.recipient for sent in world.delivery.delivered_mails]
    assert set(world.site.store.overview.counts()["message"]) <= {"decided", "held", "ignored"}
