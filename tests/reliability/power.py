"""Power cuts: what is on the disk when the machine stops is what was synced, and an arbitrary part of the rest.

The statements and commits of a real cycle of the product are taken down once, then run again by SQLite over a file system
that remembers what is synced. The pragmas are those that the product sets.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
import pytest
import sqlalchemy as sa

from pipeline.store import database
from pipeline.store.database import Database
from reliability.cycle import EVERYBODY, acts
from reliability.world import Outside, fresh, opened, play

COMMIT = "COMMIT"
Statement = tuple[str, Sequence[Any]]


def cycle(folder: Path) -> list[Statement]:
    """Every statement that writes, with its commits, of a whole cycle: from the first table to the last reply."""
    taken: list[Statement] = []

    def statement(_c: object, _k: object, sql: str, values: Any, _x: object, many: bool) -> None:
        if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            taken.extend((sql, one) for one in (values if many else [values]))

    def commit(_connection: object) -> None:
        taken.append((COMMIT, ()))

    sa.event.listen(sa.Engine, "before_cursor_execute", statement)
    sa.event.listen(sa.Engine, "commit", commit)
    try:
        outside = Outside(fresh(folder / "cycle") / "outside")
        with opened(folder / "cycle", outside) as site:
            play(site, outside, folder / "cycle", acts(EVERYBODY))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", statement)
        sa.event.remove(sa.Engine, "commit", commit)
    return list(_writing(taken))


def _writing(taken: Sequence[Statement]) -> Iterator[Statement]:
    """Without the transactions that only read."""
    transaction: list[Statement] = []
    for sql, values in taken:
        transaction.append((sql, values))
        if sql == COMMIT:
            if len(transaction) > 2:
                yield from transaction
            transaction = []


@dataclass
class Disk:
    """Files as the platter has them (`durable`), and what was written since their last sync, in order."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    calls: int = 0
    cuts: dict[int, list[random.Random]] = field(default_factory=dict)
    images: list[tuple[int, dict[str, bytes]]] = field(default_factory=list)
    acknowledged: int = 0

    def touched(self, path: str, offset: int, data: bytes | None) -> None:
        """A write, or with None a truncation. The power may go while it is under way."""
        self.pending.setdefault(path, []).append((offset, data))
        self._happened()

    def synced(self, path: str) -> None:
        self._happened()
        for offset, data in self.pending.pop(path, []):
            _apply(self.durable.setdefault(path, bytearray()), offset, data)
        self._happened()

    def removed(self, path: str) -> None:
        self.durable.pop(path, None)
        self.pending.pop(path, None)

    def _happened(self) -> None:
        self.calls += 1
        for luck in self.cuts.get(self.calls, ()):
            self.images.append((self.acknowledged, self._image(luck)))

    def _image(self, luck: random.Random) -> dict[str, bytes]:
        image = {path: bytearray(data) for path, data in self.durable.items()}
        for path, writes in self.pending.items():
            for offset, data in writes:
                if luck.random() < 0.5:
                    continue
                if data and luck.random() < 0.3:
                    data = data[: luck.randrange(len(data) + 1)]  # torn
                _apply(image.setdefault(path, bytearray()), offset, data)
        return {path: bytes(data) for path, data in image.items()}


def _apply(file: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del file[offset:]
        return
    if len(file) < offset + len(data):
        file.extend(bytes(offset + len(data) - len(file)))
    file[offset : offset + len(data)] = data


class CutFile(apsw.VFSFile):
    """A file of the disk that is cut."""

    disk: Disk

    def __init__(self, name: Any, flags: list[int]) -> None:
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the name is SQLite's
        self.disk.touched(self._path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.disk.touched(self._path, size, None)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.synced(self._path)
        super().xSync(flags)


class CutFiles(apsw.VFS):
    """The file system of a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__("cut", "")

    def xOpen(self, name: Any, flags: list[int]) -> CutFile:  # noqa: N802
        file = CutFile(name, flags)
        file.disk = self._disk
        return file

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        super().xDelete(name, sync)
        self._disk.removed(name)


class Prepared:
    """What the product needs of a connection to set its pragmas."""

    isolation_level = ""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str) -> Any:
        rows = list(self._connection.execute(sql))

        class Cursor:
            def fetchone(self) -> Any:
                return rows[0]

        return Cursor()


@contextmanager
def pragmas_of(version: tuple[int, int, int]) -> Iterator[None]:
    """The product sets its pragmas as for this version of SQLite."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.sqlite3, "sqlite_version_info", version)
        yield


def run(statements: Sequence[Statement], folder: Path, disk: Disk, *pragmas: str) -> None:
    """Run the cycle once on a disk; `pragmas` come after those of the product."""
    files = CutFiles(disk)
    try:
        connection = apsw.Connection(str(folder / "winback.db"), vfs="cut")
        connection.execute("PRAGMA locking_mode = exclusive")  # the only way to a WAL without shared memory
        Database(folder / "unused.db")._prepare(Prepared(connection), None)
        for pragma in pragmas:
            connection.execute(pragma)
        for sql, values in statements:
            connection.execute(sql, tuple(values))
            disk.acknowledged += sql == COMMIT
        connection.close()
    finally:
        files.unregister()


def states(statements: Sequence[Statement]) -> list[str]:
    """The content of the store after each commit, as digests; the first is that of an empty file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        found = [_content(db)]
        for sql, values in statements:
            db.execute(sql, tuple(values))
            if sql == COMMIT:
                found.append(_content(db))
    return found


def _content(db: sqlite3.Connection) -> str:
    tables = db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
    told = sha256(repr(tables).encode())
    for name, sql in tables:
        if (sql and sql.startswith("\nCREATE TABLE")) or (sql and sql.startswith("CREATE TABLE")):
            told.update(repr(sorted(map(repr, db.execute(f'SELECT * FROM "{name}"')))).encode())
    return told.hexdigest()


def after_the_cut(image: dict[str, bytes], folder: Path) -> str:
    """What the store holds when the machine is back; `damaged` if SQLite says so."""
    folder.mkdir()
    for path, data in image.items():
        (folder / Path(path).name).write_bytes(data)
    try:
        with closing(sqlite3.connect(folder / "winback.db")) as db:
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return "damaged"
            return _content(db)
    except sqlite3.DatabaseError:
        return "damaged"


@dataclass
class Cuts:
    """What became of so many power cuts."""

    cuts: int = 0
    commits: int = 0
    lost: int = 0
    damaged: int = 0


def campaign(statements: Sequence[Statement], folder: Path, count: int, *pragmas: str) -> Cuts:
    """Cut the power at `count` random moments of the cycle, each with its own luck, and look what is left."""
    after = states(statements)
    (folder / "dry").mkdir()
    dry = Disk()
    run(statements, folder / "dry", dry, *pragmas)
    (folder / "wet").mkdir()
    disk = Disk()
    for seed in range(count):
        luck = random.Random(seed)
        disk.cuts.setdefault(luck.randrange(1, dry.calls + 1), []).append(luck)
    run(statements, folder / "wet", disk, *pragmas)
    found = Cuts(commits=disk.acknowledged)
    for number, (acknowledged, image) in enumerate(disk.images):
        left = after_the_cut(image, folder / f"cut-{number}")
        found.cuts += 1
        if left not in after[acknowledged : acknowledged + 2]:  # the commit under way may be there or not
            found.lost += left in after
            found.damaged += left not in after
    return found
