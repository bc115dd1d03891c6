"""Look at a store without changing it: can it be read, written to, and is it of this version? Makes nothing, mends nothing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from pipeline.errors import StoreBroken, TryLater
from pipeline.store.database import PATIENCE, damaged, is_damaged
from pipeline.store.schema import REVISION


def look(path: Path) -> str:
    """How the store stands, in one sentence. Raises StoreBroken when it can't be used, TryLater when that can't be seen now."""
    try:
        there, folder = path.exists(), next(place for place in path.parents if place.exists())
    except OSError as error:
        raise StoreBroken(f"{path}: can't be looked at: {error.strerror}: winback must be able to write there") from error
    for place in (folder, path) if there else (folder,):
        if not os.access(place, os.W_OK):
            raise StoreBroken(
                f"{place}: can't be written to: give the user of winback the right, or move the store (store.url)"
            )
    if not there:
        return f"{path}: is made at the first start"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            revision = _revision(connection) if found == "ok" else None
    except sqlite3.Error as error:
        if is_damaged(error):
            raise StoreBroken(damaged(path, error)) from error
        # An interrupted write, or another program in the midst of one: only who may write can see past it.
        raise TryLater(f"{path}: not looked at now: {error}; the next start puts right what was interrupted") from error
    if found != "ok":
        raise StoreBroken(damaged(path, found))
    if revision == REVISION:
        return f"{path}: can be used"
    if revision is not None:
        from pipeline.store.upgrade import refuse_newer  # what it needs takes long to load

        refuse_newer(path, revision)
    return f"{path}: can be used; the next start brings it to this version"


def _revision(connection: sqlite3.Connection) -> str | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None
