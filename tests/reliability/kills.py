"""The real daemon on a real IMAP server and a real SMTP server, killed at random times (SIGKILL), over and over."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from fakes import mail
from servers import until
from servers.dovecot import Dovecot
from servers.smtp import SmtpServer
from site_of import make_config

USER = "dana@bluedoor.example"
MARK = "WINBACK_KILLED"
# What a daemon imports is imported once, in the process that each of them is forked from: that is most of a start.
IMPORTED = ["pipeline.cli", "pipeline.app", "pipeline.daemon", "reliability.kills"]


class SlowSmtp(SmtpServer):
    """Takes a while to answer to the final dot, before or after it has taken the mail over."""

    def __init__(self, luck: random.Random) -> None:
        super().__init__()
        self._luck = luck
        self.asked = threading.Event()

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        self.asked.set()
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self._luck.uniform(0, 0.05))
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self._luck.uniform(0, 0.1))
        return answer


def works(config: Path) -> None:
    """Be the daemon, as `winback run` is."""
    from pipeline import cli

    log = os.open(config.with_name("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.argv = ["winback", "--config", str(config), "run"]
    cli.main()


@dataclass
class Killed:
    """A site whose customers write all the time, whose reps approve, and whose daemon is killed again and again."""

    folder: Path
    dovecot: Dovecot
    smtp: SlowSmtp
    luck: random.Random
    kills: int = 0
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._box = f"kills-{self.folder.name}"
        self.dovecot.create(USER, self._box)
        self.config = make_config(
            self.folder,
            inbox=f"imap://{USER.replace('@', '%40')}@127.0.0.1:{self.dovecot.port}/{self._box}",
            delivery=f"smtp://127.0.0.1:{self.smtp.port}",
            password="MAIL_PASSWORD",
            hour="10000",
            burst="10000",
            day="100000",
        )
        os.environ |= {"MAIL_PASSWORD": self.dovecot.password, MARK: str(self.folder), "OMP_NUM_THREADS": "1"}
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(IMPORTED)

    def first_look(self) -> None:
        """Let it see the empty mailbox: what comes from now on is new."""
        daemon = self._start()
        while not self._rows("SELECT folder FROM cursor"):
            daemon.join(0.1)
            assert daemon.exitcode is None, self._log()
        self._kill(daemon)

    def live(self, longest: float) -> None:
        """One life of the daemon, which ends at any time, or around the time when it sends."""
        for _ in range(self.luck.randrange(3)):
            self._somebody_writes()
        daemon = self._start()
        self._somebody_approves()
        if self.luck.random() < 0.5:
            self.smtp.asked.clear()
            self.smtp.asked.wait(longest)
            daemon.join(self.luck.uniform(0, 0.2))
        else:
            daemon.join(self.luck.uniform(0.02, longest))
        assert daemon.exitcode is None, self._log()
        self._kill(daemon)
        self.kills += 1

    def come_to_rest(self, stuck_after: float = 120.0) -> None:
        """Start it a last time and let it finish; it may take its time, as long as it gets on."""
        daemon = self._start()
        left, progress = self._unfinished(), time.monotonic()
        while left:
            if self._unfinished() < left:
                left, progress = self._unfinished(), time.monotonic()
            assert time.monotonic() < progress + stuck_after, f"{left} are not finished\n{self._log()}"
            self._somebody_approves(all_of_them=True)
            daemon.join(0.2)
            assert daemon.exitcode is None, self._log()
        self._kill(daemon)
        until(lambda: not list(self.orphans()), what="the end of the readers")

    def _start(self) -> multiprocessing.process.BaseProcess:
        daemon = self._processes.Process(target=works, args=(self.config,))
        daemon.start()
        return daemon

    def _kill(self, daemon: multiprocessing.process.BaseProcess) -> None:
        daemon.kill()
        daemon.join()
        daemon.close()

    def _somebody_writes(self) -> None:
        name = f"c{len(self.written)}"
        address = f"{name}@{name}.example"
        text = "Please cancel my membership, it is too expensive for me."
        data = mail(text, f"{name} <{address}>", f"about {name}", uid=name, trusted=self.luck.random() < 0.7)
        self.dovecot.deliver(USER, data, folder=self._box)
        self.written.append(address)

    def _somebody_approves(self, *, all_of_them: bool = False) -> None:
        for draft in (self.folder / "outbox" / "review").glob("*.eml"):
            if all_of_them or self.luck.random() < 0.5:
                saved = time.time() - 60
                try:
                    os.utime(draft, (saved, saved))
                    draft.rename(draft.parents[1] / "approved" / draft.name)
                except FileNotFoundError:
                    continue

    def _rows(self, query: str) -> list[sqlite3.Row]:
        store = self.folder / "state" / "winback.db"
        if not store.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)) as db:
                db.row_factory = sqlite3.Row
                return db.execute(query).fetchall()
        except sqlite3.OperationalError:  # it is being made, or a rollback waits for the daemon
            return []

    def _unfinished(self) -> int:
        """How many mails are not at an end: sent, uncertain, or held."""
        ends = "SELECT count(*) FROM send WHERE state IN ('sent', 'uncertain', 'held')"
        found = self._rows(f"SELECT ({ends}) + (SELECT count(*) FROM message WHERE state = 'held')")
        return len(self.written) - (found[0][0] if found else 0)

    def _log(self) -> str:
        return self.config.with_name("log").read_text()[-3000:]

    def orphans(self) -> Iterator[int]:
        """Processes that were started for this site and are not the one that all are forked from."""
        ours = f"{MARK}={self.folder}".encode()
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid():
                try:
                    started = (process / "environ").read_bytes()
                    command = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if ours in started.split(b"\0") and b"_serve" in command:
                    yield int(process.name)

    def wrongs(self) -> list[str]:
        """Everything that was lost or came twice, as an observer sees it who trusts neither store nor server alone."""
        taken = Counter(
            str(message_from_bytes(one.data)["To"]).strip().partition("<")[2].rstrip(">") for one in self.smtp.mails
        )
        states: dict[str, list[str]] = {}
        for row in self._rows("SELECT address, state FROM send"):
            states.setdefault(row["address"], []).append(row["state"])
        stored = Counter(row["sender"] for row in self._rows("SELECT sender FROM message"))
        found = []
        for who in self.written:
            ends = states.get(who, [])
            if stored[who] != 1 or len(ends) != 1:
                found.append(f"LOST or doubled in the store: {who} has {stored[who]} mails, sends {ends}")
            elif taken[who] > 1:
                found.append(f"DOUBLE: {who} got {taken[who]} mails")
            elif ends == ["sent"] and not taken[who]:
                found.append(f"SENT, but never taken over: {who}")
            elif taken[who] and ends[0] not in ("sent", "uncertain", "held"):
                found.append(f"taken over, but {ends[0]}: {who}")
        found += [f"nobody wrote as {who}, but it got a mail" for who in set(taken) - set(self.written)]
        return found

    def uncertain(self) -> int:
        """How many sends were cut between the dot and its answer."""
        return len(self._rows("SELECT key FROM send WHERE state = 'uncertain'"))
