"""Folders that are full at the first start, made anew, or gone: old mail is never answered, and nobody twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes import ROOT, World, mail, make_world
from figures import Figures
from servers import until
from servers.dovecot import Dovecot
from servers.smtp import SmtpServer
from site_of import make_config

from pipeline import jobs
from pipeline.edges.imap import ImapInbox
from pipeline.errors import NeedsHuman, TryLater

CANCEL = "Please cancel my membership, it is too expensive for me."
OLD = 10_000


@pytest.mark.slow
def test_ten_thousand_old_mails_are_passed_over_at_the_first_start(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, figures: Figures
):
    user = f"full-{tmp_path.name}"
    data = mail(CANCEL)
    for _ in range(OLD):
        dovecot.deliver(user, data)
    path = make_config(
        tmp_path,
        inbox=f"imap://{user}@127.0.0.1:{dovecot.port}/INBOX",
        delivery=f"smtp://127.0.0.1:{smtp_server.port}",
        password="MAIL_PASSWORD",
        sure_at="0.8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAIL_PASSWORD": dovecot.password, "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "pipeline.cli", "--config", str(path), "run"], env=environment)
    try:
        until(lambda: told(path, environment), within=60, what="the first look")
        took, memory = time.monotonic() - began, peak_memory(process.pid)
        dovecot.deliver(user, mail(CANCEL, "new@new.example"))
        until(lambda: smtp_server.mails, within=60, what="the answer to the first new mail")
        with_model = peak_memory(process.pid)
    finally:
        process.kill()
        process.wait()
    figures("first start on old mails", mails=OLD, answers_to_them=len(smtp_server.mails) - 1, seconds=took, MB=memory)
    figures("the same daemon with its model loaded", MB=with_model)
    assert [taken.recipients for taken in smtp_server.mails] == [("new@new.example",)]
    assert not list((tmp_path / "outbox" / "review").iterdir())
    assert took < 60
    assert memory < 250


def told(path: Path, environment: dict[str, str]) -> bool:
    """Whether the first look at the folder is written down."""
    return "winback.db" in str(list(path.parent.glob("state/winback.db"))) and bool(
        subprocess.run(
            [sys.executable, "-c", CURSOR, str(path.parent / "state" / "winback.db")], capture_output=True, env=environment
        ).stdout
    )


CURSOR = """
import sqlite3, sys
try:
    print(*sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute("SELECT last FROM cursor").fetchone())
except (sqlite3.Error, TypeError):
    pass
"""


def peak_memory(pid: int) -> float:
    """The most memory that a process ever had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@dataclass
class Folder:
    """A folder that somebody throws away and makes anew while customers write and the daemon looks."""

    world: World
    dovecot: Dovecot
    user: str
    luck: random.Random
    written: list[str] = field(default_factory=list)
    lying: list[bytes] = field(default_factory=list)
    there: bool = True
    alarms: int = 0

    def __post_init__(self) -> None:
        self.dovecot.create(self.user, "Work")
        inbox = ImapInbox(
            host=self.dovecot.host,
            port=self.dovecot.port,
            user=self.user,
            password=lambda: self.dovecot.password,
            folder="Work",
            security="none",
        )
        self.world.site = replace(self.world.site, inbox=inbox)
        self.looks()

    def writes(self) -> None:
        if self.there:
            name = f"c{len(self.written)}"
            self.written.append(f"{name}@{name}.example")
            self.lying.append(mail(CANCEL, self.written[-1], uid=name))
            self.dovecot.deliver(self.user, self.lying[-1], folder="Work", arrived=self.world.clock())

    def made_anew(self) -> None:
        """Deleted and created again, with what lay in it put back, perhaps with the day of today."""
        self.goes()
        self.comes()

    def goes(self) -> None:
        if self.there:
            with self.dovecot.login(self.user) as client:
                client.delete_folder("Work")
        self.there = False

    def comes(self) -> None:
        if self.there:
            return
        self.dovecot.create(self.user, "Work")
        for data in self.lying:
            arrived = self.world.clock() if self.luck.random() < 0.5 else None
            self.dovecot.deliver(self.user, data, folder="Work", arrived=arrived)
        self.there = True

    def looks(self) -> None:
        try:
            jobs.poll(self.world.site)
        except NeedsHuman:
            self.alarms += 1
        except TryLater:
            with suppress(NeedsHuman):
                jobs.poll(self.world.site)
        for job in (jobs.work, jobs.publish, jobs.send):
            job(self.world.site)

    def lives(self, steps: int) -> None:
        acts = (self.writes, self.writes, self.writes, self.looks, self.looks, self.made_anew, self.goes, self.comes)
        for _ in range(steps):
            self.world.clock.forward(minutes=self.luck.choice((1, 20, 600)))
            self.luck.choice(acts)()
        self.comes()
        self.looks()
        self.looks()

    def wrongs(self) -> list[str]:
        sent = Counter(one.recipient for one in self.world.delivery.delivered_mails)
        waiting = Counter(stored.draft.recipient.address for stored in self.world.site.store.drafts.waiting())
        with self.world.site.store.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT DISTINCT sender FROM message WHERE state <> 'received'").scalars()
            known = set(rows)
        found = [f"LOST: {who}" for who in self.written if who not in known]
        found += [f"{who} has {sent[who]} answers and {waiting[who]} drafts" for who in known if sent[who] + waiting[who] > 1]
        return found


@pytest.mark.slow
def test_folders_that_go_and_come_again_lose_nothing_and_double_nothing(dovecot: Dovecot, tmp_path: Path, figures: Figures):
    wrongs: list[str] = []
    mails = alarms = 0
    for seed in range(12):
        folder = Folder(make_world(tmp_path / str(seed)), dovecot, f"anew-{seed}-{tmp_path.name}", random.Random(seed))
        folder.lives(14)
        folder.world.site.inbox.close()
        wrongs += [f"seed {seed}: {wrong}" for wrong in folder.wrongs()]
        mails += len(folder.written)
        alarms += folder.alarms
    figures("folders made anew, taken away and put back", histories=12, mails=mails, alarms=alarms, wrongs=len(wrongs))
    assert wrongs == []
    assert alarms > 0
