"""Everything durable. One method for each moment of the business; SQL stays in here."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.errors import StoreBroken
from pipeline.store.bookings import Bookings
from pipeline.store.control import Alarm, Control, dots, hold_restored
from pipeline.store.database import Database
from pipeline.store.drafts import Drafts, HeldMail, StoredDraft
from pipeline.store.events import Event, Events
from pipeline.store.intake import Intake
from pipeline.store.journal import Journal
from pipeline.store.keys import Keys
from pipeline.store.letters import Letters
from pipeline.store.overview import Line, Overview
from pipeline.store.past import Past
from pipeline.store.people import People, Person
from pipeline.store.plans import Correction, Plans
from pipeline.store.report import Report
from pipeline.store.schema import REVISION, control
from pipeline.store.sends import Delayed, Finished, Sends

__all__ = [
    "Alarm",
    "Correction",
    "Database",
    "Delayed",
    "Event",
    "Finished",
    "HeldMail",
    "Line",
    "Person",
    "Store",
    "StoredDraft",
    "migrate",
    "open_store",
]


class Store:
    """The store, room by room: `intake` takes mails over, `plans` writes decisions, `drafts` and `sends` let them out."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database = database
        self.keys = keys
        self.intake = Intake(database, keys)
        self.past = Past(database, keys)
        self.plans = Plans(database, keys)
        self.drafts = Drafts(database, keys)
        self.sends = Sends(database, keys, journal_of(database))
        self.people = People(database, keys)
        self.bookings = Bookings(database, keys)
        self.control = Control(database, keys)
        self.events = Events(database, keys)
        self.overview = Overview(database)
        self.report = Report(database, keys)
        self.letters = Letters(database, keys)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def open_store(path: Path, now: datetime) -> Store:
    """Open the store, making or migrating it if need be; an older copy of it sends nothing before a `resume`.

    Raises StoreBroken when that can't be done.
    """
    database = Database(path)
    migrate(database)
    keys = Keys(_install_key(database, now))
    _hold_if_restored(database, keys, now)
    return Store(database, keys)


def journal_of(database: Database) -> Journal:
    """The file beside the store that tells an older copy of it from the newest."""
    return Journal(database.path.with_name(f"{database.path.name}.sent"))


def _hold_if_restored(database: Database, keys: Keys, now: datetime) -> None:
    """Stop sending when mails went out that the store does not know of: it is an older copy of itself."""
    journal = journal_of(database)
    try:
        # Before the store: a mail that goes out meanwhile is in the store first.
        noted = journal.read()
    except OSError as error:
        raise StoreBroken(f"{journal.path}: can't be read: {error.strerror}: without it nothing may be sent") from error
    with database.reading() as connection:
        known = dots(connection)
    unknown = {number: key for number, key in noted.items() if number > known}
    if unknown:
        with database.writing() as connection:
            hold_restored(connection, keys, unknown, now)


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the tables to this version's revision. Returns the revision before and after."""
    with database.reading() as connection:
        before = _revision(connection)
    if before != REVISION:
        from pipeline.store.upgrade import upgrade  # what it needs takes long to load, and is needed once a version

        upgrade(database, before)
    return before, REVISION


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _install_key(database: Database, now: datetime) -> str:
    query = sa.select(control.c.value).where(control.c.name == "install_key")
    with database.reading() as connection:
        found: Any = connection.execute(query).scalar()
    if found:
        return str(found)
    with database.writing() as connection:
        made = {"name": "install_key", "value": secrets.token_hex(32), "at": now}
        connection.execute(insert(control).values(**made).on_conflict_do_nothing())
        return str(connection.execute(query).scalar_one())
