"""The caps are never exceeded by one, and are used to the last one, whatever happens to the processes that send."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from figures import Figures
from store.world import NOW, message, plan, raw

from pipeline.core.records import Address, Batch, Caps, Cursor, Send
from pipeline.store import Store, open_store
from reliability.world import quick_folder

CAPS = Caps(burst=1_000_000)  # the breaker would end it at once
MAILS = 600
MINUTE = timedelta(minutes=1)


def queue(store: Store, count: int) -> None:
    """So many automatic mails, each to somebody else; half of them to one domain."""
    people = [Address(address=f"p{n}@{f'd{n % 7}' if n % 2 else 'big'}.example") for n in range(count)]
    raws = tuple(raw(str(n)) for n in range(count))
    store.intake.take(Batch(mails=raws, cursor=Cursor(folder=raws[0].place.folder, epoch="1", last=count, old_before=NOW)), NOW)
    store.plans.decided([plan(message(str(n), who), store, automatic=True) for n, who in enumerate(people)], NOW)


@dataclass
class Claimers:
    """Two processes that send, each with its own connection, and with bad luck."""

    path: Path
    luck: random.Random
    now: datetime = NOW
    held: dict[int, list[Send]] = field(default_factory=lambda: {0: [], 1: []})

    def __post_init__(self) -> None:
        self.stores = [open_store(self.path, NOW) for _ in (0, 1)]

    def step(self) -> None:
        """One of the two claims, hands over what it holds, or is killed and started again."""
        one = self.luck.randrange(2)
        store = self.stores[one]
        what = self.luck.random()
        if what < 0.1:
            self._restart(one)
        elif not self.held[one]:
            store.sends.recover(self.now, everything=False)
            self.held[one] = store.sends.claim(20, f"process {one}", CAPS, self.now)
        else:
            for _ in range(self.luck.randrange(1, len(self.held[one]) + 1)):
                self._hand_over(store, self.held[one].pop(0))

    def _hand_over(self, store: Store, mail: Send) -> None:
        luck = self.luck.random()
        if luck < 0.05:
            store.sends.later(mail, "451", self.now)
        elif store.sends.may_finish(mail, self.now):
            if luck < 0.1:
                store.sends.refused(mail, "550", self.now)
            elif luck < 0.95:
                store.sends.sent(mail, "250", self.now)

    def _restart(self, one: int) -> None:
        self.held[one] = []
        self.stores[one].close()
        self.stores[one] = open_store(self.path, self.now)

    def close(self) -> None:
        for store in self.stores:
            store.close()


def dots(path: Path) -> list[tuple[datetime, str]]:
    """When each dot was granted that was not refused for sure, and to which domain."""
    refused = "SELECT send, fence FROM attempt WHERE phase IN ('later', 'refused')"
    query = (
        "SELECT attempt.at, send.domain FROM attempt JOIN send ON send.key = attempt.send"
        f" WHERE attempt.phase = 'dot' AND (attempt.send, attempt.fence) NOT IN ({refused}) ORDER BY attempt.at"
    )
    with closing(sqlite3.connect(path)) as db:
        return [(datetime.fromisoformat(at), domain) for at, domain in db.execute(query)]


def most_within(times: Sequence[datetime], length: timedelta) -> int:
    """The most that fell into any window of this length."""
    most, start = 0, 0
    for end, at in enumerate(times):
        while times[start] <= at - length:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.fixture
def path() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder / "winback.db"


def work_off(path: Path, seed: int) -> list[tuple[datetime, str]]:
    """Two days of two processes with the luck of this seed; the dots that were granted."""
    claimers = Claimers(path, random.Random(seed))
    queue(claimers.stores[0], MAILS)
    while claimers.now < NOW + timedelta(days=2):
        for _ in range(4):
            claimers.step()
        claimers.now += claimers.luck.choice((5 * MINUTE, 10 * MINUTE, 20 * MINUTE))
    claimers.close()
    return dots(path)


@pytest.mark.slow
def test_hundreds_of_mails_two_claimers_and_restarts_never_exceed_a_cap(path: Path, figures: Figures):
    granted = work_off(path, seed=1)
    times = [at for at, _ in granted]
    most = {"an_hour": most_within(times, timedelta(hours=1)), "a_day": most_within(times, timedelta(days=1))}
    figures("two claimers that are killed now and then, caps 60 and 400", mails=len(granted), **most)
    assert len(granted) > MAILS * 0.8
    assert most_within(times, timedelta(hours=1)) == CAPS.hour
    assert most_within(times, timedelta(days=1)) == CAPS.day
    assert most_within([at for at, domain in granted if domain == "big.example"], timedelta(hours=1)) == CAPS.domain_hour
