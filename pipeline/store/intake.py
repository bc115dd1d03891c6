"""Mails as they come in: taken over together with the cursor, once each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.records import Batch, Beginning, Cursor, Place, Raw
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.schema import cursor, decision, message, raw

ATTEMPTS = 3
_TRACE = re.compile(
    rb"^(?:received|delivered-to|return-path|x-[^:\s]*|arc-[^:\s]*|status):.*\r?\n(?:[ \t].*\r?\n)*", re.I | re.M
)


def content_key(data: bytes) -> str:
    """A digest of the mail without the headers that servers add on its way: the same mail elsewhere has the same."""
    end = re.search(rb"\r?\n\r?\n", data)
    head, body = (data[: end.end()], data[end.end() :]) if end else (data, b"")
    kept = _TRACE.sub(b"", head[:100_000])
    return hashlib.sha256(kept.replace(b"\r", b"") + body.replace(b"\r", b"")).hexdigest()


class Intake:
    """Takes mails over and hands them out to be read."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def cursor(self, folder: str) -> Cursor | None:
        """How far a folder was read, or None before the first look."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(cursor).where(cursor.c.folder == folder)).first()
        if row is None:
            return None
        return Cursor(folder=row.folder, epoch=row.epoch, last=row.last, old_before=row.old_before)

    def last_poll(self, folder: str) -> datetime | None:
        """When the folder was last read without an error, or None."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(cursor.c.polled).where(cursor.c.folder == folder)).scalar()

    def begin(self, beginning: Beginning, now: datetime) -> None:
        """Write down the first look at a folder; the mails that are passed over are listed as ignored, without their text."""
        start = beginning.cursor
        rows = [
            {
                "key": Place(folder=start.folder, epoch=start.epoch, uid=uid).key,
                "folder": start.folder,
                "epoch": start.epoch,
                "uid": uid,
                "arrived": now,
                "taken": now,
                "old": True,
                "whole": False,
                "state": "ignored",
                "reason": "passed",
            }
            for uid in beginning.passed
        ]
        with self._database.writing() as connection:
            if rows:
                connection.execute(insert(message).on_conflict_do_nothing(), rows)
            self._move(connection, start, now)
            record(connection, self._keys, now, "began", text=f"epoch {start.epoch}, from UID {start.last + 1}")

    def known(self, folder: str, epoch: str, uids: Sequence[str]) -> set[str]:
        """Which of these UIDs are stored already."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for start in range(0, len(uids), 500):
                query = sa.select(message.c.uid).where(
                    message.c.folder == folder, message.c.epoch == epoch, message.c.uid.in_(uids[start : start + 500])
                )
                found.update(connection.execute(query).scalars())
        return found

    def take(self, batch: Batch, now: datetime) -> int:
        """Store a batch and its cursor in one commit. Returns how many mails were new.

        What is there already is absorbed. A mail that was stored under an earlier epoch of the folder is known: after a
        change of UIDVALIDITY it is listed as ignored, so that nobody is answered twice.
        """
        rows = [
            {
                "key": mail.key,
                "folder": mail.place.folder,
                "epoch": mail.place.epoch,
                "uid": mail.place.uid,
                "arrived": mail.arrived,
                "taken": now,
                "content": content_key(mail.data),
                "old": mail.old,
                "whole": mail.whole,
                "state": "received",
                "reason": None,
            }
            for mail in batch.mails
        ]
        new = 0
        with self._database.writing() as connection:
            keys = [row["key"] for row in rows]
            there = set(connection.execute(sa.select(message.c.key).where(message.c.key.in_(keys))).scalars())
            fresh = [row for row in rows if row["key"] not in there]
            if fresh:
                self._mark_known(connection, fresh, batch.cursor)
                new = connection.execute(insert(message).on_conflict_do_nothing(), fresh).rowcount
                data = [{"message": mail.key, "data": mail.data} for mail in batch.mails if mail.key not in there]
                connection.execute(insert(raw).on_conflict_do_nothing(), data)
            self._move(connection, batch.cursor, now)
        return new

    def _mark_known(self, connection: sa.Connection, rows: list[dict[str, Any]], at: Cursor) -> None:
        earlier = sa.select(message.c.content).where(
            message.c.content.in_([row["content"] for row in rows]),
            message.c.folder == at.folder,
            message.c.epoch != at.epoch,
        )
        known = set(connection.execute(earlier).scalars())
        for row in rows:
            if row["content"] in known:
                row.update(state="ignored", reason="known")

    def polled(self, folder: str, now: datetime) -> None:
        """Write down a good look at a folder that found nothing."""
        with self._database.writing() as connection:
            connection.execute(cursor.update().where(cursor.c.folder == folder).values(polled=now))

    def received(self, limit: int, after: Raw | None = None) -> list[Raw]:
        """Mails that wait to be read, oldest first; those after a mail that was handed out before."""
        query = _STORED.where(message.c.state == "received").order_by(message.c.arrived, message.c.key).limit(limit)
        if after is not None:
            same_moment = sa.and_(message.c.arrived == after.arrived, message.c.key > after.key)
            query = query.where(sa.or_(message.c.arrived > after.arrived, same_moment))
        with self._database.reading() as connection:
            return [_raw(row) for row in connection.execute(query)]

    def raw(self, key: str) -> Raw | None:
        """A stored mail, or None when it is not there or its text is gone."""
        with self._database.reading() as connection:
            row = connection.execute(_STORED.where(message.c.key == key)).first()
        return _raw(row) if row else None

    def failed(self, key: str, why: str, now: datetime, *, final: bool = False) -> bool:
        """Count a failed try to read a mail; the third holds it for a person. Returns True when it is held now."""
        with self._database.writing() as connection:
            attempts = connection.execute(sa.select(message.c.attempts).where(message.c.key == key)).scalar_one() + 1
            held = final or attempts >= ATTEMPTS
            state = {"state": "held", "reason": "unreadable" if final else "poison"} if held else {}
            connection.execute(
                message.update().where(message.c.key == key, message.c.state == "received").values(attempts=attempts, **state)
            )
            record(connection, self._keys, now, "held" if held else "failed", message=key, text=why)
        return held

    def retry(self, key: str, now: datetime) -> bool:
        """Read a held mail again, one that failed or whose answer had a broken text. False when there is no such mail."""
        with self._database.writing() as connection:
            done = connection.execute(
                message.update()
                .where(message.c.key == key, message.c.state == "held", message.c.key.in_(sa.select(raw.c.message)))
                .where(message.c.reason.in_(("poison", "unreadable", "text_refused")))
                .values(state="received", reason=None, attempts=0, shown=False)
            )
            if done.rowcount:
                connection.execute(decision.delete().where(decision.c.message == key))
                record(connection, self._keys, now, "retried", message=key)
        return bool(done.rowcount)

    def _move(self, connection: sa.Connection, to: Cursor, now: datetime) -> None:
        values = {"epoch": to.epoch, "last": to.last, "old_before": to.old_before, "polled": now}
        statement = insert(cursor).values(folder=to.folder, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["folder"], set_=values))


_STORED = sa.select(message, raw.c.data).join(raw, raw.c.message == message.c.key)


def _raw(row: sa.Row[tuple[object, ...]]) -> Raw:
    return Raw(
        key=row.key,
        place=Place(folder=row.folder, epoch=row.epoch, uid=row.uid),
        arrived=row.arrived,
        data=row.data,
        old=row.old,
        whole=row.whole,
    )
