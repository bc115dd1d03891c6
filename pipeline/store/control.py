"""Switches and marks of the installation: the stop switch, the heartbeat, the alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.store import breaker
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.schema import control

RESTORED = "an older copy of the store"


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """Something that a person should look at: `name` is stable, `text` a sentence, `since` when it began."""

    name: str
    text: str
    since: datetime


class Control:
    """Reads and sets them."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def stop(self, by: str, now: datetime) -> None:
        """Send nothing from this commit on."""
        with self._database.writing() as connection:
            connection.execute(insert(control).values(name="stop", value=by, at=now).on_conflict_do_nothing())
            record(connection, self._keys, now, "stop", text=by)

    def resume(self, by: str, now: datetime) -> bool:
        """Send again, and close the breaker. False when nothing was stopped."""
        with self._database.writing() as connection:
            done = connection.execute(control.delete().where(control.c.name == "stop"))
            closed = breaker.close(connection, now)
            record(connection, self._keys, now, "resume", text=by)
        return bool(done.rowcount) or closed

    def stopped(self) -> tuple[str, datetime] | None:
        """Who stopped sending and when, or None."""
        return self._get("stop")

    def breaker(self) -> tuple[str, datetime] | None:
        """Why nothing goes out by itself any more and since when, or None."""
        with self._database.reading() as connection:
            return breaker.open_since(connection)

    def restored(self) -> bool:
        """Whether sending is stopped because the store is an older copy of itself; `resume` ends that."""
        stopped = self.stopped()
        return stopped is not None and stopped[0] == RESTORED

    def found_out(self, folder: str, *, files_sent: bool, now: datetime) -> None:
        """Write down what a mail to ourselves showed of the account with this folder: it counts for this account alone."""
        with self._database.writing() as connection:
            _set(connection, "files_sent", folder if files_sent else "", now)

    def files_sent(self, folder: str) -> bool:
        """Whether the account with this folder is known to keep a copy of what it sends."""
        found = self._get("files_sent")
        return found is not None and found[0] == folder

    def beat(self, owner: str, now: datetime) -> None:
        """The daemon is alive."""
        with self._database.writing() as connection:
            _set(connection, "heartbeat", owner, now)

    def heartbeat(self) -> tuple[str, datetime] | None:
        """Which daemon was last alive and when, or None."""
        return self._get("heartbeat")

    def ran_once(self, owner: str, now: datetime) -> None:
        """A single run came to its end: the sign of life where no daemon runs."""
        with self._database.writing() as connection:
            _set(connection, "once", owner, now)

    def last_once(self) -> tuple[str, datetime] | None:
        """Who made the last single run and when, or None."""
        return self._get("once")

    def raise_alarm(self, name: str, text: str, now: datetime) -> bool:
        """Write an alarm down; True when it is new or says something else than before."""
        with self._database.writing() as connection:
            old = connection.execute(sa.select(control.c.value).where(control.c.name == f"alarm:{name}")).scalar()
            if old is None:
                connection.execute(control.insert().values(name=f"alarm:{name}", value=text, at=now))
                record(connection, self._keys, now, "alarm", text=f"{name}: {text}")
            elif old != text:
                connection.execute(control.update().where(control.c.name == f"alarm:{name}").values(value=text))
        return old != text

    def clear_alarm(self, name: str, now: datetime) -> bool:
        """The cause is gone. False when there was no such alarm."""
        with self._database.writing() as connection:
            done = connection.execute(control.delete().where(control.c.name == f"alarm:{name}"))
            if done.rowcount:
                record(connection, self._keys, now, "alarm over", text=name)
        return bool(done.rowcount)

    def alarms(self) -> list[Alarm]:
        """What a person should look at, oldest first."""
        query = sa.select(control).where(control.c.name.startswith("alarm:")).order_by(control.c.at)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Alarm(name=row.name.removeprefix("alarm:"), text=row.value, since=row.at) for row in rows]

    def _get(self, name: str) -> tuple[str, datetime] | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(control).where(control.c.name == name)).first()
        return (row.value, row.at) if row else None


def hold_restored(connection: sa.Connection, keys: Keys, unknown: Mapping[int, str], now: datetime) -> None:
    """The store is older than the mails `unknown` to it: stop sending, and remember them, so that none is sent again."""
    _set(connection, "stop", RESTORED, now)
    _set(connection, "dots", str(max(unknown)), now)
    for key in unknown.values():
        _set(connection, f"sent:{key}", f"sent before {RESTORED} was restored", now)
    record(connection, keys, now, "stop", text=f"{RESTORED} was restored; it does not know of {len(unknown)} mails")


def dots(connection: sa.Connection) -> int:
    """How many dots were granted so far, as this store knows."""
    return int(connection.execute(sa.select(control.c.value).where(control.c.name == "dots")).scalar() or 0)


def count_dot(connection: sa.Connection, now: datetime) -> int:
    """Count one more and give its number."""
    number = dots(connection) + 1
    _set(connection, "dots", str(number), now)
    return number


def sent_before(connection: sa.Connection, key: str) -> str | None:
    """How it came that this mail went out and the store knows nothing of it, or None: it did not."""
    return connection.execute(sa.select(control.c.value).where(control.c.name == f"sent:{key}")).scalar()


def forget_sent_before(connection: sa.Connection, key: str) -> None:
    """A person says that this mail may go out."""
    connection.execute(control.delete().where(control.c.name == f"sent:{key}"))


def _set(connection: sa.Connection, name: str, value: str, now: datetime) -> None:
    statement = insert(control).values(name=name, value=value, at=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "at": now}))
