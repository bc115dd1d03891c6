"""A site that strangers write to: everything of it is the product but the mailbox, the clock and, unless told, the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from fakes import FakeClock, World, make_world

from pipeline.app import SHIPPED
from pipeline.core import flow
from pipeline.core.records import Plan, Screening
from pipeline.daemon import Daemon
from pipeline.edges.model import LinearModel
from pipeline.edges.reader import Reader

CANCEL = "Please cancel my membership."
VOUCHED = "Authentication-Results: mx.bluedoor.example; dmarc=pass header.from=example.org\n"


@cache
def model() -> LinearModel:
    """The model that is shipped."""
    return LinearModel.load(SHIPPED / "models" / "built")


@contextmanager
def attacked(folder: Path, clock: FakeClock | None = None, *, shipped_model: bool = True) -> Iterator[World]:
    """A site that answers by itself when it is sure. It reads in children, with the limits that the daemon has.

    It is sure sooner than the shipped one, and without the shipped model a few words decide: so more attacks get through.
    """
    world = make_world(folder, clock, acknowledgments="when_sure", sure_at=0.8)
    with Reader(flow.read, workers=2) as reader:
        world.site = replace(world.site, reader=reader, **({"model": model()} if shipped_model else {}))
        try:
            yield world
        finally:
            world.site.store.close()


def work(world: World) -> None:
    """Every job once; none may fail."""
    done = Daemon(world.site).once()
    assert min(done.values()) >= 0, done


def leaves_by_itself(plan: Plan, screening: Screening) -> bool:
    """Whether a mail goes out because of this plan before any person sees it; that needs a sender whom a server vouches for."""
    if plan.outgoing is None:
        return False
    assert screening.authenticated and screening.may_reply and screening.doubt is None
    assert plan.message.sender is not None and plan.outgoing.recipient == plan.message.sender.address
    return True
