"""The append-only record of what happened to each mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from pipeline.store.database import Database
from pipeline.store.keys import Keys
from pipeline.store.schema import event


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a mail's history."""

    at: datetime
    kind: str
    text: str


def record(
    connection: sa.Connection,
    keys: Keys,
    at: datetime,
    kind: str,
    *,
    message: str | None = None,
    address: str | None = None,
    text: str = "",
) -> None:
    """Write one event within the caller's transaction. `text` holds no address and no words of a customer."""
    who = keys.mark(address) if address else None
    connection.execute(event.insert(), {"at": at, "kind": kind, "message": message, "who": who, "text": text[:512]})


class Events:
    """Reads what was recorded."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def of_message(self, key: str) -> tuple[Event, ...]:
        """All events of a mail, oldest first."""
        return self._read(event.c.message == key)

    def of_address(self, address: str) -> tuple[Event, ...]:
        """All events of a customer, oldest first."""
        return self._read(event.c.who == self._keys.mark(address))

    def _read(self, which: sa.ColumnElement[bool]) -> tuple[Event, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(event).where(which).order_by(event.c.id)).all()
        return tuple(Event(at=row.at, kind=row.kind, text=row.text) for row in rows)
