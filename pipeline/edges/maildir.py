"""A Maildir as an inbox, and another as the way out. Mails of the inbox are read where they lie, never moved or flagged."""

from __future__ import annotations

import errno
import logging
import os
import re
import select
import time as clocks
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from pipeline.core.records import Batch, Beginning, Cursor, Place, Raw, Receipt, Send
from pipeline.errors import NeedsHuman, TryLater, WinbackError

log = logging.getLogger("winback.maildir")

EPOCH = "maildir"
PARTS = ("tmp", "new", "cur")
BATCH_MAILS = 200
BATCH_BYTES = 16 << 20
HEADER_BYTES = 1 << 20
LOOK_EVERY = 0.2  # seconds
TICK = 50_000_000  # nanoseconds: two changes of a folder within one tick of the kernel's clock look like one
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT}
    | {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    name: str
    path: Path
    size: int
    arrived: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Times:
    """When folders last changed, and whether that was long enough ago for a later change to be told from it."""

    stamps: tuple[int, ...]
    settled: bool


class MaildirInbox:
    """The mails in new/ and cur/ of a Maildir. A mail is known by the part of its file name before the `:`, wherever it lies.

    With `create` the first look makes a Maildir that is missing. Of a mail above `max_bytes` only the headers are taken over.
    All methods raise NeedsHuman when the folder is not there or not ours to read, and TryLater when the system is short of
    something. A single file that can't be read is logged and looked for again.
    """

    def __init__(self, path: Path, *, create: bool = True, max_bytes: int = 25 << 20) -> None:
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 - the name must not change with the target of a link
        self.folder = f"maildir:{self._path}"
        self._create, self._max_bytes = create, max_bytes
        self._times = _Times(stamps=(), settled=False)
        self._names: int | None = None  # a hash of all names at the last look of `new`
        self._complained: set[str] = set()

    def epoch(self) -> str:
        """Always `maildir`: names stay valid for ever."""
        return EPOCH

    def begin(self, start: str | date, now: datetime) -> Beginning:
        """Where to start: `new` passes over all that is there, `all` over nothing, a date over what came before it (UTC).

        Mail that arrived before `now` will be old, wherever it is found.
        """
        if self._create:
            _make(self._path)
        passed: list[str] = []
        if isinstance(start, date):
            since = datetime.combine(start, time.min, UTC)
            passed = [mail.name for mail in self._measured(self._files()) if mail.arrived < since]
        elif start != "all":
            passed = sorted(self._files())
        return Beginning(cursor=Cursor(folder=self.folder, epoch=EPOCH, last=0, old_before=now), passed=tuple(passed))

    def new(self, cursor: Cursor, known: Callable[[Sequence[str]], set[str]]) -> Iterator[Batch]:
        """The mails that `known` does not name, oldest first, at most 200 of them or 16 MB at a time.

        `known` gets names and returns those that are stored already. The cursor stays as it is. A mail above `max_bytes` comes
        alone, as its headers. One that is taken away meanwhile is missing.
        """
        self._times = self._last_changes()
        files = self._files()
        self._names = _hashed(files)
        for name in known(list(files)):
            files.pop(name, None)
        for group in _groups(self._measured(files), self._max_bytes):
            mails = [raw for mail in group if (raw := self._raw(mail, cursor))]
            if mails:
                yield Batch(mails=tuple(mails), cursor=cursor)

    def wait(self, seconds: float, wake: int | None = None) -> bool:
        """Wait until mails come or go (True), `seconds` are over (False) or `wake` can be read (False).

        `wake` is a file descriptor. What counts is any change since the last call of `new`.
        """
        deadline = clocks.monotonic() + seconds
        if self._names is None:
            self._times = self._last_changes()
            self._names = _hashed(self._files())
        while not self._changed():
            left = deadline - clocks.monotonic()
            if left <= 0 or _readable(min(left, LOOK_EVERY), wake):
                return False
        return True

    def mark(self, uids: Sequence[str]) -> None:
        """Do nothing: a flag in a file name belongs to the mail program."""

    def find(self, header: str, value: str, *, sent: bool = False) -> str | None:
        """Always None: who puts mails into this folder keeps none of ours."""
        return None

    def check(self) -> str:
        """Count the mails: one sentence that says that all is well."""
        if self._create and not self._path.exists():
            return f"{self.folder}: is not there yet and is made at the first start"
        return f"{self.folder}: can be read, mails in it: {len(self._files())}"

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _changed(self) -> bool:
        """Whether other mails are there than at the last look of `new`. Names are only read when the times leave a doubt."""
        times = self._last_changes()
        if self._times.settled and times.stamps == self._times.stamps:
            return False
        if _hashed(self._files()) != self._names:
            return True
        self._times = times
        return False

    def _last_changes(self) -> _Times:
        """When new/ and cur/ last changed. To be asked before they are read: what changes meanwhile is then seen later."""
        with _translated(self._path, "inbox.url"):
            stamps = tuple((self._path / part).stat().st_mtime_ns for part in ("new", "cur"))
        now = clocks.time_ns()
        return _Times(stamps=stamps, settled=not any(0 <= now - stamp < TICK for stamp in stamps))

    def _files(self) -> dict[str, str]:
        """The paths of all mails by name. new/ is read first: a mail that is moved then is seen twice rather than never."""
        found: dict[str, str] = {}
        for part in ("new", "cur"):
            with _translated(self._path, "inbox.url"), os.scandir(self._path / part) as entries:
                for entry in entries:
                    if not entry.name.startswith((".", ":")) and entry.is_file(follow_symlinks=False):
                        found[_unique(entry.name)] = entry.path
        return found

    def _measured(self, files: dict[str, str]) -> list[_File]:
        """Files with size and time, oldest first, without those that are gone."""
        measured = []
        for name, path in files.items():
            for place in self._places(name, Path(path)):
                with suppress(FileNotFoundError), _translated(place, "inbox.url", missing=False):
                    said = place.stat(follow_symlinks=False)
                    measured.append(_File(name=name, path=place, size=said.st_size, arrived=_arrived(said.st_mtime)))
                    break
        return sorted(measured, key=lambda mail: (mail.arrived, mail.name))

    def _places(self, name: str, path: Path) -> Iterator[Path]:
        """Where a mail lay, and where it lies now: mail programs move mails from new/ to cur/ and rename them there."""
        yield path
        moved = self._files().get(name)
        if moved is not None:
            yield Path(moved)

    def _raw(self, mail: _File, cursor: Cursor) -> Raw | None:
        whole = mail.size <= self._max_bytes
        data = self._data(mail, whole=whole)
        if data is None:
            return None
        place = Place(folder=self.folder, epoch=EPOCH, uid=mail.name)
        # File times are a little behind the clock: what came in the second of the first start is not old.
        old = mail.arrived < cursor.old_before.replace(microsecond=0)
        return Raw(key=place.key, place=place, arrived=mail.arrived, data=data, old=old, whole=whole)

    def _data(self, mail: _File, *, whole: bool) -> bytes | None:
        """The bytes of a mail, or its headers alone. None when it is gone or can't be read; the latter is logged once."""
        for place in self._places(mail.name, mail.path):
            try:
                data = _read(place, None if whole else HEADER_BYTES)
            except FileNotFoundError:
                continue
            except OSError as error:
                if mail.name not in self._complained:
                    log.warning("%s can't be read (%s): it is left out until it can", place, error.strerror)
                self._complained.add(mail.name)
                return None
            end = None if whole else _END_OF_HEADERS.search(data)
            return data[: end.end()] if end else data
        return None


class MaildirDelivery:
    """Delivers into a Maildir instead of sending, for trying things out. A mail has one file name, so twice is once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def session(self) -> Iterator[MaildirDelivery]:
        """Yield the delivery itself: there is no connection to keep."""
        yield self

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        """Write the mail to tmp/, ask, and rename it into new/. When `may_finish` says no, nothing is left and None comes back.

        A mail that lies there from an earlier time stays as it is. Raises TryLater when the disk is full, else NeedsHuman.
        """
        _make(self._path)
        written = self._draft(send)
        with _translated(written, "delivery.url"):
            _write(written, send.data)
        if not may_finish():
            self._clear(send)
            return None
        target = self._path / "new" / _file_name(send)
        with _translated(target, "delivery.url"):
            if not self._lies_there(send):
                written.rename(target)
            _sync(target.parent)
        # Only now: until it is in new/, the draft in tmp/ is the proof that it was not delivered.
        self._clear(send)
        return Receipt(code=250, reply=f"delivered to {target}")

    def delivered(self, send: Send) -> bool | None:
        """Whether this mail lies here. The draft of its claim, still in tmp/, proves that it was not delivered; else None."""
        with _translated(self._path, "delivery.url"):
            if self._lies_there(send):
                return True
            return False if self._draft(send).exists() else None

    def check(self) -> str:
        """Say where mails go. Raises NeedsHuman when that can't be written to."""
        above = next(folder for folder in (self._path / "new", self._path, *self._path.absolute().parents) if folder.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            raise NeedsHuman(f"{above}: can't be written to: give winback's user the right to, or correct delivery.url")
        return f"maildir:{self._path}: mails are put there and not sent"

    def _lies_there(self, send: Send) -> bool:
        """Whether the mail is in new/, or in cur/ under whatever flags a mail program gave it."""
        name = _file_name(send)
        return (self._path / "new" / name).exists() or any((self._path / "cur").glob(f"{name}*"))

    def _draft(self, send: Send) -> Path:
        return self._path / "tmp" / f"{_file_name(send)}.{send.fence}"

    def _clear(self, send: Send) -> None:
        for draft in (self._path / "tmp").glob(f"{_file_name(send)}.*"):
            with suppress(OSError):
                draft.unlink()


def _file_name(send: Send) -> str:
    return f"{send.key}.eml"


def _unique(name: str) -> str:
    """What stays when a mail is moved and flagged. Bytes that are no UTF-8 are spelled out, for the store keeps text."""
    return os.fsencode(name.partition(":")[0]).decode("utf-8", "backslashreplace")


def _hashed(names: Iterable[str]) -> int:
    return hash(frozenset(names))


def _arrived(stamp: float) -> datetime:
    """The time of a file. One that no calendar has is long ago, so that the mail counts as old and waits for a person."""
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, ValueError, OSError):
        return LONG_AGO


def _groups(mails: list[_File], max_bytes: int) -> Iterator[list[_File]]:
    """Cut mails into runs of at most 200 and 16 MB; one above `max_bytes` counts as a full batch, and so comes alone."""
    group: list[_File] = []
    weight = 0
    for mail in mails:
        size = BATCH_BYTES if mail.size > max_bytes else mail.size
        if group and (len(group) == BATCH_MAILS or weight + size > BATCH_BYTES):
            yield group
            group, weight = [], 0
        group.append(mail)
        weight += size
    if group:
        yield group


def _read(path: Path, limit: int | None) -> bytes:
    # A link in somebody's Maildir must not make us read what it points to.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read() if limit is None else file.read(limit)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    with _translated(path, "the path in config.yaml"):
        for folder in (path, *(path / part for part in PARTS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _readable(seconds: float, descriptor: int | None) -> bool:
    poller = select.poll()
    if descriptor is not None:
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(max(0.0, seconds) * 1000))


@contextmanager
def _translated(path: Path, key: str, *, missing: bool = True) -> Iterator[None]:
    """File errors as ours; with `missing` False a file that is not there is the caller's to judge."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not missing:
            raise
        raise _ours(path, key, error) from error


def _ours(path: Path, key: str, error: OSError) -> WinbackError:
    if error.errno in _PASSING:
        return TryLater(f"{path}: {error.strerror}: make room, or wait until the system has some")
    if isinstance(error, FileNotFoundError):
        return NeedsHuman(f"{path}: is no Maildir (with new/, cur/ and tmp/ in it): bring it back, or correct {key}")
    return NeedsHuman(f"{path}: {error.strerror}: give winback's user the right to it, mend the disk, or correct {key}")
