"""Drafts and the reps' word on them. The row is the truth; the file in the outbox is a projection of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.core.records import Address, ContactState, Draft, Kind, Send
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.plans import REJECTED, queue, settle_contact
from pipeline.store.schema import case, contact, draft, message, raw, send, step

Row = sa.Row[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDraft:
    """A draft with its state: `file` is its name in the outbox, `by` who settled it."""

    draft: Draft
    state: str
    made: datetime
    file: str | None
    by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldMail:
    """A customer's mail that waits for a person and is not shown in the outbox yet."""

    key: str
    reason: str
    sender: str | None
    name: str | None
    subject: str | None
    data: bytes | None
    arrived: datetime


_PUBLISHED = draft.update().where(draft.c.key == sa.bindparam("of")).values(file=sa.bindparam("lies_as"))


class Drafts:
    """Hands out drafts and takes the reps' word."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def get(self, key: str) -> StoredDraft | None:
        """One draft by its whole key, or None."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(draft).where(draft.c.key == key)).first()
        return _stored(row) if row else None

    def find(self, beginning: str) -> list[StoredDraft]:
        """Drafts whose key begins like this, newest first: people type the first few characters."""
        query = sa.select(draft).where(draft.c.key.startswith(beginning, autoescape=True)).order_by(draft.c.made.desc())
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def waiting(self) -> list[StoredDraft]:
        """Drafts that wait for a rep, oldest first."""
        return self._read(sa.select(draft).where(draft.c.state == "waiting").order_by(draft.c.made, draft.c.key))

    def waiting_keys(self) -> list[str]:
        """The keys of the drafts that wait and have had a file."""
        which = sa.and_(draft.c.state == "waiting", draft.c.file.is_not(None))
        with self._database.reading() as connection:
            return list(connection.execute(sa.select(draft.c.key).where(which)).scalars())

    def to_publish(self, limit: int) -> list[StoredDraft]:
        """Waiting drafts that have no file yet."""
        which = sa.and_(draft.c.state == "waiting", draft.c.file.is_(None))
        return self._read(sa.select(draft).where(which).order_by(draft.c.made, draft.c.key).limit(limit))

    def published(self, files: Sequence[tuple[str, str]]) -> None:
        """These drafts (key, file name) lie in the review folder now."""
        with self._database.writing() as connection:
            connection.execute(_PUBLISHED, [{"of": key, "lies_as": name} for key, name in files])

    def lost(self, keys: Sequence[str]) -> None:
        """The files of these drafts are gone: those that still wait are to be published again."""
        if keys:
            with self._database.writing() as connection:
                which = sa.and_(draft.c.key.in_(keys), draft.c.state == "waiting")
                connection.execute(draft.update().where(which).values(file=None))

    def to_withdraw(self, limit: int = 200) -> list[StoredDraft]:
        """Settled drafts whose file may still lie in the review folder: superseded ones, and those that a rep copied."""
        which = sa.and_(draft.c.state != "waiting", draft.c.file.is_not(None), ~draft.c.gone)
        return self._read(sa.select(draft).where(which).limit(limit))

    def withdrawn(self, keys: Sequence[str]) -> None:
        """Their files are gone."""
        with self._database.writing() as connection:
            connection.execute(draft.update().where(draft.c.key.in_(keys)).values(gone=True))

    def approve(
        self, key: str, outgoing: Send, edited: tuple[str, str] | None, *, by: str, now: datetime, remark: str = ""
    ) -> bool:
        """A rep releases a waiting draft: its frozen mail is queued in the same commit. False when it was settled before.

        `edited` are the subject and the whole body as the rep left them, or None when nothing was changed. `remark` is
        kept with the event.
        """
        words = {"subject": edited[0], "text": edited[1], "quote": ""} if edited else {}
        with self._database.writing() as connection:
            done = connection.execute(
                draft.update()
                .where(draft.c.key == key, draft.c.state == "waiting")
                .values(state="approved", settled=now, by=by, edited=edited is not None, **words)
            )
            if not done.rowcount:
                return False
            queue(connection, [outgoing], now)
            row = connection.execute(sa.select(draft).where(draft.c.key == key)).one()
            text = f"{row.kind} {row.number} by {by}{', edited' if edited else ''}{f'; {remark}' if remark else ''}"
            record(connection, self._keys, now, "approved", message=row.case, address=row.address, text=text)
        return True

    def reject(self, key: str, *, by: str, now: datetime) -> bool:
        """A rep says no. A rejected acknowledgment ends its case, anything else only itself. False when settled before."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(draft).where(draft.c.key == key, draft.c.state == "waiting")).first()
            if row is None:
                return False
            connection.execute(draft.update().where(draft.c.key == key).values(state="rejected", settled=now, by=by))
            record(connection, self._keys, now, "rejected", message=row.case, address=row.address, text=f"by {by}")
            which = step.c.case == row.case if row.kind == Kind.ACKNOWLEDGMENT else step.c.draft == key
            open_steps = sa.and_(which, step.c.state.in_(("planned", "moved", "drafted")))
            connection.execute(step.update().where(open_steps).values(state="dropped", cause="rejected"))
            if row.kind == Kind.ACKNOWLEDGMENT:
                self._close_case(connection, row, now)
            elif row.kind == Kind.FOLLOW_UP:
                settle_contact(connection, self._keys, row.address, row.case, "rejected", now)
        return True

    def _close_case(self, connection: sa.Connection, row: Row, now: datetime) -> None:
        connection.execute(case.update().where(case.c.message == row.case).values(closed=REJECTED))
        connection.execute(
            contact.update()
            .where(contact.c.address == row.address, contact.c.state == ContactState.IN_FOLLOW_UP)
            .values(state=ContactState.ACTIVE, cause="rejected", since=now)
        )

    def expire_touches(self, older_than: timedelta, now: datetime) -> int:
        """Supersede waiting touches that nobody looked at for so long, and drafts whose `until` has come. Returns how many."""
        old = sa.and_(draft.c.kind == Kind.FOLLOW_UP, draft.c.made <= now - older_than)
        which = sa.and_(draft.c.state == "waiting", sa.or_(old, draft.c.until <= now))
        with self._database.writing() as connection:
            rows = connection.execute(sa.select(draft).where(which)).all()
            for row in rows:
                values = {"state": "superseded", "settled": now, "by": "too late"}
                connection.execute(draft.update().where(draft.c.key == row.key).values(**values))
                connection.execute(step.update().where(step.c.draft == row.key).values(state="dropped", cause="too late"))
                record(connection, self._keys, now, "dropped", message=row.case, address=row.address, text="too late")
                settle_contact(connection, self._keys, row.address, row.case, "too late", now)
        return len(rows)

    def held_to_show(self, limit: int = 100) -> list[HeldMail]:
        """Held mails that have no file in outbox/held yet."""
        query = (
            sa.select(message, raw.c.data)
            .outerjoin(raw, raw.c.message == message.c.key)
            .where(message.c.state == "held", ~message.c.shown)
            .order_by(message.c.arrived)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            HeldMail(
                key=row.key,
                reason=row.reason,
                sender=row.sender,
                name=row.name,
                subject=row.subject,
                data=row.data,
                arrived=row.arrived,
            )
            for row in rows
        ]

    def held_shown(self, keys: Sequence[str]) -> None:
        """Their files lie there now."""
        with self._database.writing() as connection:
            connection.execute(message.update().where(message.c.key.in_(keys)).values(shown=True))

    def held_unshown(self, key: str) -> None:
        """The file of this held mail goes: should the mail stay held, or be held again, it gets another."""
        with self._database.writing() as connection:
            connection.execute(message.update().where(message.c.key == key).values(shown=False))

    def held_like(self, beginning: str) -> list[tuple[str, str]]:
        """Held mails whose key begins like this, each with why it is held."""
        which = sa.and_(message.c.key.startswith(beginning, autoescape=True), message.c.state == "held")
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(message.c.key, message.c.reason).where(which).order_by(message.c.key))
            return [(row.key, row.reason or "") for row in rows]

    def send_state(self, key: str) -> str | None:
        """The state of a draft's newest send, or None when it has none."""
        query = sa.select(send.c.state).where(send.c.draft == key).order_by(send.c.queued.desc())
        with self._database.reading() as connection:
            return connection.execute(query.limit(1)).scalar()

    def _read(self, query: sa.Select[Any]) -> list[StoredDraft]:
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]


def _stored(row: Row) -> StoredDraft:
    return StoredDraft(
        draft=Draft(
            key=row.key,
            kind=Kind(row.kind),
            case=row.case,
            number=row.number,
            recipient=Address(name=row.name, address=row.address),
            subject=row.subject,
            text=row.text,
            quote=row.quote,
            language=row.language,
            template=row.template,
            headers=tuple((name, value) for name, value in row.headers),
            notes=tuple((name, value) for name, value in row.notes),
            reason=row.reason,
            until=row.until,
        ),
        state=row.state,
        made=row.made,
        file=row.file,
        by=row.by,
    )
