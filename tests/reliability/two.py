"""Two daemons on one store file: one is stopped in the middle of sending, the other goes on, and the first wakes up again."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from pathlib import Path

from fakes import MONDAY

from pipeline import jobs
from pipeline.store import open_store
from pipeline.store.sends import LEASE
from reliability.cycle import Customer, mails_of
from reliability.world import (
    FAULTS,
    Outside,
    Patch,
    Points,
    copied,
    fresh,
    lived,
    opened,
    patched,
    play,
    start,
    stop_myself,
)

ASLEEP = (timedelta(0), LEASE - timedelta(seconds=1), LEASE, 10 * LEASE)


@dataclass(frozen=True, kw_only=True)
class Round:
    """One daemon stopped before its point `at` for so long, in a world with this fault."""

    at: int
    asleep: timedelta
    fault: str
    proves: bool


@dataclass
class Duel:
    """Rounds on one world with three queued mails."""

    folder: Path
    patch: Patch | None = None
    rounds: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        queued = fresh(self.folder / "queued")
        outside = Outside(queued / "outside")
        with opened(queued, outside) as site:
            mails_of([Customer(name) for name in ("ada", "bob", "cyd")])(outside, queued)
            jobs.poll(site)
            jobs.work(site)
        self._queued, self._site = queued, copied(queued, self.folder / "site")
        self._store = open_store(self._site / "state" / "winback.db", MONDAY)
        # Its statements are compiled once for all rounds; it holds no connection.
        with opened(self._site, Outside(self._site / "outside"), store=self._store) as site:
            play(site, Outside(self._site / "outside"), self._site, ())

    def all_rounds(self) -> Iterator[Round]:
        """Every point at which another process can work at all: within a commit the store is locked."""
        for fault, proves, asleep in product(FAULTS, (True, False), ASLEEP):
            copied(self._queued, self._site)
            names = lived(self._sending("one", fault, proves), Points())
            for at, name in enumerate(names, 1):
                if name != "commit":
                    yield Round(at=at, asleep=asleep, fault=fault, proves=proves)

    def play(self, one: Round) -> None:
        """Stop the first daemon, let the second work, wake the first; then start a third until all is quiet."""
        self.rounds += 1
        copied(self._queued, self._site)
        outside = Outside(self._site / "outside", one.fault, one.proves)
        first = start(self._sending("one", one.fault, one.proves), Points(one.at, stop_myself))
        assert first.stopped(), f"{one} was not reached"
        outside.set_clock(outside.now() + one.asleep)
        for _ in range(2):
            self._sending("two", one.fault, one.proves)(Points())
        first.resume()
        first.end()
        self._until_quiet(one)(Points())
        self._judge(one, outside)

    def _sending(self, owner: str, fault: str, proves: bool) -> Callable[[Points], None]:
        def task(points: Points) -> None:
            outside = Outside(self._site / "outside", fault, proves, points)
            with patched(self.patch), opened(self._site, outside, owner, self._store) as site:
                jobs.send(site)

        return task

    def _until_quiet(self, one: Round) -> Callable[[Points], None]:
        def task(points: Points) -> None:
            outside = Outside(self._site / "outside", one.fault, one.proves, points)
            with patched(self.patch), opened(self._site, outside, "three", self._store) as site:
                for _ in range(2):
                    outside.forward(hours=2)
                    play(site, outside, self._site, ())

        return task

    def _judge(self, one: Round, outside: Outside) -> None:
        taken = Counter(outside.accepted())
        with closing(sqlite3.connect(self._site / "state" / "winback.db")) as db:
            states = dict(db.execute("SELECT key, state FROM send"))
        found = [f"{key} was taken over {count} times" for key, count in taken.items() if count > 1]
        found += [f"{key} is sent, but never arrived" for key, state in states.items() if state == "sent" and not taken[key]]
        found += [f"{key} is {state}" for key, state in states.items() if state not in ("sent", "held")]
        found += [f"{key} is {states[key]}, but arrived" for key in taken if one.proves and states[key] != "sent"]
        self.failures += [f"{one}: {finding}" for finding in found]
