"""A site whose outside lives in files: its processes may die anywhere, and the next one finds what was really there.

`Site` and everything in it is the product; mailbox, way out, clock and reps are stand-ins that survive the process. `points`
are the moments between two effects of the process on the outside: that is where it dies, is stopped, or is overtaken.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest
from fakes import FOLDER, MONDAY, ROOT, PlainReader, WordModel, make_rules
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from pipeline import jobs
from pipeline.core.records import Batch, Beginning, Caps, Cursor, Place, Raw, Receipt, Send
from pipeline.daemon import Daemon
from pipeline.edges.outbox import Outbox
from pipeline.edges.templates import Templates
from pipeline.errors import TryLater, Uncertain
from pipeline.site import Site
from pipeline.store import Store, open_store

KILLED = 137

NONE, LATER_FIRST, LOST_BEFORE, LOST_WITH, LOST_AFTER = (
    "no fault",
    "4xx to the first dot",
    "connection lost before the first dot is granted",
    "connection lost with the first dot, mail not taken over",
    "first reply lost, mail taken over",
)
FAULTS = (NONE, LATER_FIRST, LOST_BEFORE, LOST_WITH, LOST_AFTER)


class Points:
    """Counts the moments between two effects of a process on the outside; `then` happens at number `at`.

    `each` is called with the number of every moment. The bytes of a file are written in so many `pieces`, with a moment
    before each.
    """

    def __init__(
        self,
        at: int | None = None,
        then: Callable[[], None] | None = None,
        pieces: int = 2,
        each: Callable[[int], None] | None = None,
    ) -> None:
        self.names: list[str] = []
        self.pieces = pieces
        self._each = each
        self._at = at
        self._then = then or die
        self._counting = True

    def __call__(self, name: str) -> None:
        """The next effect is about to happen, the one before has happened."""
        if not self._counting:
            return
        self.names.append(name)
        with self.aside():
            if self._each:
                self._each(len(self.names))
            if len(self.names) == self._at:
                self._then()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens meanwhile is not done by the process."""
        before, self._counting = self._counting, False
        try:
            yield
        finally:
            self._counting = before


def die() -> NoReturn:
    """As SIGKILL: no finally, no rollback, no flush."""
    os._exit(KILLED)


def stop_myself() -> None:
    """As SIGSTOP by somebody else: nothing runs until SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


@dataclass
class Outside:
    """What is there whether or not a process runs: time, mailbox, way out, reps. `points` may be None: nobody counts."""

    folder: Path
    fault: str = NONE
    proves: bool = False
    points: Points = field(default_factory=Points)

    def now(self) -> datetime:
        return datetime.fromisoformat((self.folder / "clock").read_text())

    def forward(self, **by: float) -> None:
        self.set_clock(self.now() + timedelta(**by))

    def set_clock(self, to: datetime) -> None:
        (self.folder / "clock").write_text(to.isoformat())

    def arrive(self, data: bytes) -> None:
        uid = len(list((self.folder / "inbox").iterdir())) + 1
        (self.folder / "inbox" / f"{uid:04} {self.now().isoformat()}").write_bytes(data)

    def accepted(self) -> list[str]:
        """The keys of the mails that the other side took over, in order, once for each time."""
        return _lines(self.folder / "sink")

    def first_try(self, key: str) -> bool:
        tried = key in _lines(self.folder / "tries")
        _append(self.folder / "tries", key)
        return not tried

    def accept(self, send: Send) -> None:
        _append(self.folder / "sink", send.key)
        (self.folder / "taken" / f"{len(self.accepted()):04}").write_bytes(send.data)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _append(file: Path, line: str) -> None:
    with file.open("a") as opened:
        opened.write(line + "\n")


@dataclass
class FileInbox:
    """A folder of an IMAP server."""

    outside: Outside
    folder: str = FOLDER

    def _mails(self) -> list[tuple[int, datetime, Path]]:
        files = sorted((self.outside.folder / "inbox").iterdir())
        return [(int(file.name[:4]), datetime.fromisoformat(file.name[5:]), file) for file in files]

    def begin(self, start: object, now: datetime) -> Beginning:
        return Beginning(cursor=Cursor(folder=self.folder, epoch="1", last=len(self._mails()), old_before=now))

    def epoch(self) -> str:
        return "1"

    def new(self, cursor: Cursor, known: Callable[[Sequence[str]], set[str]]) -> Iterator[Batch]:
        fresh = [mail for mail in self._mails() if mail[0] > cursor.last]
        for at in range(0, len(fresh), 3):
            part = fresh[at : at + 3]
            places = [Place(folder=self.folder, epoch="1", uid=str(uid)) for uid, _, _ in part]
            raws = tuple(
                Raw(key=place.key, place=place, arrived=arrived, data=file.read_bytes())
                for place, (_, arrived, file) in zip(places, part, strict=True)
            )
            yield Batch(mails=raws, cursor=replace(cursor, last=part[-1][0]))

    def wait(self, seconds: float) -> bool:
        return False

    def mark(self, uids: Sequence[str]) -> None:
        self.outside.points(f"mark {','.join(uids)}")
        for uid in uids:
            _append(self.outside.folder / "marks", uid)

    def find(self, header: str, value: str, *, sent: bool = False) -> str | None:
        return None

    def check(self) -> str:
        return "fine"

    def close(self) -> None:
        pass


@dataclass
class FileDelivery:
    """A mail server with the fault of its world, each mail once."""

    outside: Outside

    @contextmanager
    def session(self) -> Iterator[FileDelivery]:
        self.outside.points("connect")
        yield self

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        outside, points = self.outside, self.outside.points
        points(f"envelope and text of {send.recipient}")
        first = outside.first_try(send.key)
        if first and outside.fault == LOST_BEFORE:
            raise TryLater("connection lost")
        if not may_finish():
            return None
        points(f"dot of {send.recipient}")
        if first and outside.fault == LOST_WITH:
            raise Uncertain("connection lost")
        if first and outside.fault == LATER_FIRST:
            raise TryLater("451 try again")
        outside.accept(send)
        points(f"answer to the dot of {send.recipient}")
        if first and outside.fault == LOST_AFTER:
            raise Uncertain("connection lost")
        return Receipt(code=250, reply="ok")

    def delivered(self, send: Send) -> bool | None:
        return send.key in self.outside.accepted() if self.outside.proves else None

    def check(self) -> str:
        return "fine"


@cache
def texts() -> Templates:
    return Templates(ROOT / "templates")


@contextmanager
def opened(folder: Path, outside: Outside, owner: str = "one", store: Store | None = None, **answers: object) -> Iterator[Site]:
    """The product on this folder. A `store` that was opened for this path before, and holds no connection, saves time."""
    store = store or open_store(folder / "state" / "winback.db", outside.now())
    model = WordModel()
    try:
        yield Site(
            store=store,
            rules=make_rules(**answers),
            caps=Caps(),
            start="new",
            keep_raw=timedelta(days=180),
            keep_history=timedelta(days=730),
            inbox=FileInbox(outside),
            delivery=FileDelivery(outside),
            outbox=Outbox(folder / "outbox"),
            reader=PlainReader(),
            model=model,
            texts=texts(),
            stopped=lambda: (folder / "STOP").exists(),
            leaving=lambda: False,
            free_space=lambda: 10**12,
            owner=owner,
            now=outside.now,
            folder=folder,
        )
    finally:
        store.close()


def fresh(folder: Path) -> Path:
    """A new site that had its first look at an empty mailbox; one address is suppressed already."""
    outside = Outside(folder / "outside")
    for part in ("inbox", "taken"):
        (outside.folder / part).mkdir(parents=True)
    outside.set_clock(MONDAY)
    with opened(folder, outside) as site:
        jobs.poll(site)
        site.store.people.suppress("lee@lee.example.org", "by hand", MONDAY)
    outside.forward(minutes=1)
    return folder


def copied(world: Path, to: Path) -> Path:
    """The same world again, at `to`."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(world, to))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: a kill loses nothing that the kernel has, so no disk is needed."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@contextmanager
def watched(points: Points) -> Iterator[None]:
    """Count every commit that changes something and every change of a file, of whatever runs in this process."""
    with pytest.MonkeyPatch.context() as patch:
        _watch_commits(points, patch)
        _watch_files(points, patch)
        yield


def _watch_commits(points: Points, patch: pytest.MonkeyPatch) -> None:
    changes: dict[int, int] = {}

    def do_commit(self: SQLiteDialect_pysqlite, connection: object) -> None:
        total = connection.total_changes
        changed = total != changes.get(id(connection.driver_connection), 0)
        changes[id(connection.driver_connection)] = total
        if changed:
            points("commit")
        connection.commit()

    patch.setattr(SQLiteDialect_pysqlite, "do_commit", do_commit)


def _watch_files(points: Points, patch: pytest.MonkeyPatch) -> None:
    for name in ("rename", "unlink", "fsync"):
        patch.setattr(os, name, _counted(points, name, getattr(os, name)))
    real_open, real_fdopen = os.open, os.fdopen

    def open_(path: object, flags: int, *args: object, **kwargs: object) -> int:
        if flags & os.O_CREAT:
            points(f"create {path}")
        return real_open(path, flags, *args, **kwargs)

    def fdopen(descriptor: int, mode: str = "r", *args: object, **kwargs: object) -> object:
        return InPieces(descriptor, points) if mode == "wb" else real_fdopen(descriptor, mode, *args, **kwargs)

    patch.setattr(os, "open", open_)
    patch.setattr(os, "fdopen", fdopen)


def _counted(points: Points, name: str, real: Callable[..., object]) -> Callable[..., object]:
    def call(*args: object, **kwargs: object) -> object:
        points(f"{name} {args[0]}")
        return real(*args, **kwargs)

    return call


class InPieces(io.FileIO):
    """A file that takes its bytes piece by piece."""

    def __init__(self, descriptor: int, points: Points) -> None:
        super().__init__(descriptor, "wb")
        self._points = points

    def write(self, data: bytes) -> int:
        size = max(1, -(-len(data) // self._points.pieces))
        for start in range(0, len(data), size):
            self._points("write a piece of a file")
            super().write(data[start : start + size])
        return len(data)


def busy(site: Site) -> bool:
    """One round of the daemon; whether it had anything to do. A job that fails is a failure of the test."""
    done = Daemon(site).once()
    if any(count < 0 for count in done.values()):
        raise AssertionError(f"a job failed: {done}")
    return any(done.values())


Act = Callable[[Outside, Path], None]


def play(site: Site, outside: Outside, folder: Path, acts: Sequence[Act], *, quiet: bool = False) -> None:
    """Let the daemon work until it is quiet, then let the outside do its next act, and so on to the end of the acts."""
    progress = outside.folder / "act"
    while True:
        while not quiet and busy(site):
            pass
        quiet = False
        done = int(progress.read_text()) if progress.exists() else 0
        if done == len(acts):
            return
        with outside.points.aside():
            acts[done](outside, folder)
            progress.write_text(str(done + 1))


Patch = Callable[[pytest.MonkeyPatch], None]


@contextmanager
def patched(patch: Patch | None) -> Iterator[None]:
    """Make a wrong product of the right one meanwhile, to see whether it is caught."""
    with pytest.MonkeyPatch.context() as context:
        if patch:
            patch(context)
        yield


@dataclass(frozen=True)
class Life:
    """What became of a process: its exit code and the names of the points that it reached."""

    code: int
    names: tuple[str, ...]


def lived(task: Callable[[Points], None], points: Points) -> tuple[str, ...]:
    """Run a task that nobody kills in this process, which spares a fork. Returns the names of its points."""
    with watched(points):
        task(points)
    return tuple(points.names)


def live(task: Callable[[Points], None], at: int | None = None, pieces: int = 2) -> Life:
    """Run a task in a process of its own that dies at point `at`. Raises AssertionError when it fails by itself."""
    return start(task, Points(at, die, pieces)).end()


@dataclass
class Started:
    """A process that runs."""

    pid: int
    told: int

    def stopped(self) -> bool:
        """Wait until it is stopped (True) or ends (False)."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        self._status = status
        return os.WIFSTOPPED(status)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> Life:
        """Wait for its end."""
        with os.fdopen(self.told, encoding="utf-8") as pipe:
            text = pipe.read()
        status = getattr(self, "_status", None)
        if status is None or os.WIFSTOPPED(status):
            _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, KILLED):
            raise AssertionError(f"the process failed by itself:\n{text}")
        return Life(code, tuple(text.splitlines()))


def start(task: Callable[[Points], None], points: Points) -> Started:
    """Start a task in a process of its own."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # The child runs nothing that a thread of the parent could have left half done: it opens everything anew.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        os.close(read)
        _child(task, points, write)
    os.close(write)
    return Started(pid, read)


def _child(task: Callable[[Points], None], points: Points, told: int) -> NoReturn:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    log = logging.getLogger("winback")
    log.handlers, log.propagate = [handler], False
    code, text = 0, ""
    try:
        with watched(points):
            task(points)
        text = "\n".join(points.names)
    except BaseException:
        code, text = 1, f"{said.getvalue()}{traceback.format_exc()}"
    finally:
        os.write(told, text.encode())
        os._exit(code)
