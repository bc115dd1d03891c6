"""Open the database so that a commit means durable, and translate its errors. Knows no table."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from pipeline.errors import StoreBroken

# SQLite before 3.51.3 can corrupt a WAL that is reset while it is read; a rollback journal has no such window.
_WAL_IS_SOUND = (3, 51, 3)
PATIENCE = 10  # seconds to wait for another program that has the file locked
_SYNCHRONOUS = {"FULL": 2, "EXTRA": 3}


def settings(version: tuple[int, ...]) -> tuple[str, str]:
    """Return the journal mode and synchronous level under which an acknowledged commit survives a power cut."""
    return ("wal", "FULL") if version >= _WAL_IS_SOUND else ("truncate", "EXTRA")


class Database:
    """One SQLite file. Each `writing()` is one immediate transaction, each `reading()` one consistent view."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreBroken(f"{path.parent}: the folder of the store can't be made: {error.strerror}") from error
        _for_us_alone(path)
        self._engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(self._engine, "connect", self._prepare)
        sa.event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(write=True)

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        journal, synchronous = settings(sqlite3.sqlite_version_info)
        connection.isolation_level = None  # SQLAlchemy's begin event opens the transactions
        run = connection.execute
        run(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA mmap_size = 0")
        got = run(f"PRAGMA journal_mode = {journal}").fetchone()[0]
        run(f"PRAGMA synchronous = {synchronous}")
        level = run("PRAGMA synchronous").fetchone()[0]
        if got.lower() != journal or level != _SYNCHRONOUS[synchronous]:
            raise StoreBroken(
                f"{self.path}: SQLite answers journal_mode={got}, synchronous={level}; "
                f"{journal} and {synchronous} are needed so that no commit is lost. Put the store on a local disk"
            )

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees one moment of the store."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
            if _is_locked(error):
                raise StoreBroken(
                    f"{self.path}: the store can't be used: database is locked: another program has held it for "
                    f"{PATIENCE} s. End that program (a backup? a database browser?) and start winback again; "
                    "if it runs, it goes on by itself"
                ) from error
            if isinstance(error.orig, sqlite3.Error) and is_damaged(error.orig):
                raise StoreBroken(f"{damaged(self.path, error.orig)}. Nothing is fetched or sent until then") from error
            raise StoreBroken(
                f"{self.path}: the store can't be used: {error.orig}. Nothing is fetched or sent until it can; "
                "check the disk space and the rights of the file"
            ) from error

    def compact(self) -> None:
        """Rewrite the file, so that nothing that was deleted can be read from it any more."""
        with self._translated(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is no database any more, whole or in part."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(path: Path, found: object) -> str:
    """What is to be done about a damaged file."""
    return (
        f"{path}: the store is damaged: {found}. Move this file away, with its -journal or -wal, and put your newest backup in "
        f"its place, but leave {path.name}.sent where it is: so nothing is sent a second time (docs/reliability.md, Backups)"
    )


def _is_locked(error: sa.exc.DBAPIError) -> bool:
    """Whether another program was in the way; the kinds of it share the lowest byte of SQLite's code."""
    code: int = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def _for_us_alone(path: Path) -> None:
    """Make the file, if it is not there, so that nobody else can read the mails in it; SQLite's side files follow it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreBroken(f"{path}: the store can't be made: {error.strerror}: winback must be able to write there") from error


def _begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
