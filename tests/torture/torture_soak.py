"""A day of heavy mail in simulated time: memory and descriptors stay where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import linear_regression

from fakes import World, mail, make_world
from figures import Figures
from servers.dovecot import Dovecot
from servers.proxy import Fault, Proxy

from pipeline import jobs
from pipeline.core import flow
from pipeline.core.records import Caps, Receipt, Send
from pipeline.daemon import Daemon
from pipeline.edges.imap import ImapInbox
from pipeline.edges.reader import Reader

HOURS, ROUNDS, MAILS = 24, 1000, 50
WARM = 100  # rounds in which caches fill
USER = "soak"


@dataclass
class Counting:
    """A way out that keeps nothing."""

    taken: int = 0

    @contextmanager
    def session(self) -> Iterator[Counting]:
        yield self

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        if not may_finish():
            return None
        self.taken += 1
        return Receipt(code=250, reply="ok")

    def delivered(self, send: Send) -> bool | None:
        return None

    def check(self) -> str:
        return "fine"


def memory() -> float:
    """What this process has in memory now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no list of paths is wanted


def arrives(dovecot: Dovecot, number: int) -> None:
    """Every tenth cancels; the others are what mailboxes are full of."""
    words = "Please cancel my membership, it is too expensive for me." if number % 10 == 0 else f"See you on day {number}."
    dovecot.deliver(USER, mail(words, f"c{number}@c{number}.example", uid=str(number)))


def day(world: World, dovecot: Dovecot, proxy: Proxy) -> tuple[list[float], list[int]]:
    """A round of arrivals, a lost connection, a round of the daemon, over and over. Returns memory and descriptors by round."""
    used, opened = [], []
    for number in range(ROUNDS):
        for each in range(MAILS):
            arrives(dovecot, number * MAILS + each)
        world.clock.forward(hours=HOURS / ROUNDS)
        proxy.fault = Fault("cut", after=b"NOOP")
        daemon = Daemon(world.site)
        assert daemon.attempt("poll", jobs.poll) == -1
        daemon = Daemon(world.site)
        assert min(daemon.once().values()) >= 0
        used.append(memory())
        opened.append(descriptors())
    return used, opened


def test_a_day_of_fifty_thousand_mails_and_a_thousand_lost_connections_leaves_no_trace_in_memory(
    dovecot: Dovecot, tmp_path: Path, figures: Figures
):
    world, out = make_world(tmp_path), Counting()
    caps = Caps(hour=100_000, day=100_000, burst=100_000)
    with Proxy(dovecot.port) as proxy, Reader(flow.read, workers=2) as reader:
        inbox = ImapInbox(
            host=proxy.host, port=proxy.port, user=USER, password=lambda: dovecot.password, security="none", idle=False
        )
        world.site = replace(world.site, inbox=inbox, delivery=out, caps=caps, reader=reader)
        jobs.poll(world.site)
        world.clock.at += timedelta(days=30)  # the mails of the test arrive today, by the clock of the server
        used, opened = day(world, dovecot, proxy)
        inbox.close()
    hours = [number * HOURS / ROUNDS for number in range(len(used))]
    slope = linear_regression(hours[WARM:], used[WARM:]).slope
    counts = world.site.store.overview.counts()["message"]
    figures(
        "a simulated day",
        mails=sum(counts.values()),
        lost_connections=ROUNDS,
        answers=out.taken,
        MB_an_hour=slope,
        MB_at_the_end=used[-1],
        more_descriptors=max(opened[WARM:]) - min(opened[WARM:]),
    )
    assert sum(counts.values()) == ROUNDS * MAILS
    assert slope < 1
    assert max(opened[WARM:]) == min(opened[WARM:])
