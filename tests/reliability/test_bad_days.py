"""Each bad day has an alarm with a clear sentence in the log, in `status` and in the reps' folder, and passes by itself."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import World, mail, make_world

from pipeline import jobs
from pipeline.daemon import JOBS, Daemon
from pipeline.errors import NeedsHuman, StoreBroken, TryLater, Unreachable, WinbackError
from pipeline.store.control import hold_restored
from reliability.world import quick_folder

CANCEL = "Please cancel my membership, it is too expensive for me."
STEP = 15.0  # seconds between two rounds


class Life:
    """A daemon in simulated time, and what people see of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world: World = make_world(folder)
        self.daemon = Daemon(self.world.site)
        self.steady = 1000.0
        monkeypatch.setattr("pipeline.daemon.time.monotonic", lambda: self.steady)
        self.passes(lambda: True)

    def passes(self, until: Callable[[], bool]) -> float:
        """Let rounds pass until something is so. Returns how many seconds that took; an hour is too long."""
        begin = self.steady
        while True:
            self.steady += STEP
            self.world.clock.forward(seconds=STEP)
            for name, _, job in JOBS:
                self.daemon.attempt(name, job)
            if until():
                return self.steady - begin
            assert self.steady - begin < 3600, "an hour went by"

    def changes(self, **parts: object) -> None:
        self.world.site = self.daemon.site = replace(self.daemon.site, **parts)

    def alarms(self) -> str:
        with suppress(StoreBroken):
            return " ".join(alarm.text for alarm in self.world.site.store.control.alarms())
        return ""

    def notes(self) -> str:
        return " ".join(note.read_text(encoding="utf-8") for note in self.world.outbox.glob("NOTE*"))


@dataclass(frozen=True, kw_only=True)
class Day:
    """What goes wrong, how it is mended, what people read, and how soon the work goes on afterwards."""

    name: str
    begins: Callable[[Life], object]
    ends: Callable[[Life], object]
    words: str
    back_within: timedelta = timedelta(minutes=15)
    in_store: bool = True


def mailbox(error: WinbackError | None) -> Callable[[Life], object]:
    def happens(life: Life) -> None:
        life.world.inbox.trouble = error

    return happens


def way_out(error: WinbackError | None) -> Callable[[Life], object]:
    def happens(life: Life) -> None:
        life.world.delivery.at_open = error

    return happens


def disk(free: int) -> Callable[[Life], object]:
    return lambda life: life.changes(free_space=lambda: free)


def somebody_locks_the_store(life: Life) -> None:
    database = life.world.site.store.database
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")  # the real patience is ten seconds
    life.lock = sqlite3.connect(database.path, isolation_level=None)
    life.lock.execute("BEGIN EXCLUSIVE")


def and_lets_go(life: Life) -> None:
    life.lock.close()


def somebody_takes_the_outbox_away(life: Life) -> None:
    shutil.move(life.world.outbox, life.world.outbox.with_name("moved"))
    life.world.outbox.touch()


def and_puts_it_back(life: Life) -> None:
    life.world.outbox.unlink()
    shutil.move(life.world.outbox.with_name("moved"), life.world.outbox)


def the_store_is_an_old_copy(life: Life) -> None:
    with life.world.site.store.database.writing() as connection:
        hold_restored(connection, life.world.site.store.keys, {9: "mail:x"}, life.world.clock())


def a_person_says_go(life: Life) -> None:
    life.world.site.store.control.resume("terminal", life.world.clock())


SOON = timedelta(seconds=45)  # half a minute, and a round

DAYS = (
    Day(
        name="mail server gone",
        begins=mailbox(Unreachable("imaps://mail.example: connecting failed: Connection refused")),
        ends=mailbox(None),
        words="Connection refused",
        back_within=SOON,
    ),
    Day(
        name="line half-open",
        begins=mailbox(TryLater("imaps://mail.example: fetching mail failed: timed out")),
        ends=mailbox(None),
        words="timed out",
    ),
    Day(
        name="throttled",
        begins=mailbox(TryLater("imaps://mail.example: [THROTTLED] bandwidth limit")),
        ends=mailbox(None),
        words="THROTTLED",
    ),
    Day(
        name="password refused",
        begins=mailbox(NeedsHuman("imaps://mail.example: the login is refused: correct inbox.password")),
        ends=mailbox(None),
        words="correct inbox.password",
    ),
    Day(
        name="folder gone",
        begins=mailbox(NeedsHuman("imaps://mail.example: can't open the folder 'INBOX': create it there")),
        ends=mailbox(None),
        words="can't open the folder",
    ),
    Day(
        name="way out gone",
        begins=way_out(Unreachable("smtp://mail.example: the greeting: Connection refused")),
        ends=way_out(None),
        words="smtp://mail.example",
        back_within=SOON,
    ),
    Day(name="disk full", begins=disk(0), ends=disk(10**12), words="Make room on the disk"),
    Day(
        name="store locked",
        begins=somebody_locks_the_store,
        ends=and_lets_go,
        words="the store can't be used: database is locked",
        in_store=False,
    ),
    Day(
        name="old copy of the store",
        begins=the_store_is_an_old_copy,
        ends=a_person_says_go,
        words="winback resume",
        back_within=SOON,
    ),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as quick:
        yield quick


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_a_bad_day_is_told_in_ten_minutes_loses_nothing_and_passes(
    day: Day, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    life = Life(folder, monkeypatch)
    day.begins(life)
    life.world.inbox.arrive(mail(CANCEL))
    with caplog.at_level(logging.WARNING):
        assert life.passes(lambda: day.words in life.notes()) <= 600
    assert day.words in caplog.text
    if day.in_store:
        assert day.words in life.alarms()
    assert life.world.delivery.delivered_mails == []

    day.ends(life)
    back = life.passes(lambda: bool(life.world.delivery.delivered_mails))
    assert back <= day.back_within.total_seconds() + 2 * STEP
    life.passes(lambda: not life.alarms() + life.notes())
    assert len(life.world.delivery.delivered_mails) == 1


def test_while_the_reps_folder_is_away_nothing_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch):
    life = Life(folder, monkeypatch)
    somebody_takes_the_outbox_away(life)
    life.world.inbox.arrive(mail(CANCEL, "kim@kim.example", trusted=False))
    assert life.passes(lambda: "publish" in life.alarms()) <= 600
    and_puts_it_back(life)
    life.passes(lambda: len(life.world.files("review")) == 1 and not life.alarms())


def test_reading_goes_on_while_nothing_can_be_sent(folder: Path, monkeypatch: pytest.MonkeyPatch):
    life = Life(folder, monkeypatch)
    way_out(Unreachable("refused"))(life)
    life.world.inbox.arrive(mail(CANCEL, "kim@kim.example", trusted=False))
    life.passes(lambda: len(life.world.files("review")) == 1)


def test_the_jobs_of_a_bad_day_are_those_of_the_daemon():
    assert {job for _, _, job in JOBS} >= {jobs.poll, jobs.work, jobs.publish, jobs.send}
