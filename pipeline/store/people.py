"""Customers: who they are, where they stand, and what happens when one asks to be left alone or forgotten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.records import ContactState, Ground
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.forget import empty
from pipeline.store.keys import Keys
from pipeline.store.past import read_ground
from pipeline.store.plans import OPT_OUT, know_ground, suppress
from pipeline.store.schema import (
    appointment,
    attempt,
    basis,
    cap_event,
    case,
    contact,
    decision,
    draft,
    event,
    label,
    message,
    policy_receipt,
    raw,
    send,
    step,
    suppression,
)

Row = sa.Row[Any]

_HEAD = 100_000  # bytes of a mail in which its sender is looked for
_MAILBOX = re.compile(rb"[^<>]*<\s*([^<>\s]+)\s*>|([^<>\s]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A contact as it is listed."""

    address: str
    name: str
    language: str | None
    state: ContactState
    cause: str
    since: datetime


class People:
    """Reads and changes contacts."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def all(self) -> list[Person]:
        """Every contact, by address."""
        with self._database.reading() as connection:
            return [_person(row) for row in connection.execute(sa.select(contact).order_by(contact.c.address))]

    def get(self, address: str) -> Person | None:
        """One contact, or None."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(contact).where(contact.c.address == address.lower())).first()
        return _person(row) if row else None

    def suppress(self, address: str, cause: str, now: datetime) -> None:
        """Never write to this address again; whatever was on its way stops."""
        with self._database.writing() as connection:
            suppress(connection, self._keys, address, cause, now)

    def allow(self, address: str, now: datetime) -> bool:
        """Write to this address again if it should cancel again. False when it was not suppressed."""
        with self._database.writing() as connection:
            mark = self._keys.mark(address)
            done = connection.execute(suppression.delete().where(suppression.c.mark == mark))
            if not done.rowcount:
                return False
            mine = sa.and_(contact.c.address == address.lower(), contact.c.state == ContactState.SUPPRESSED)
            connection.execute(
                contact.update().where(mine).values(state=ContactState.ACTIVE, cause="allowed by hand", since=now)
            )
            record(connection, self._keys, now, "allowed", address=address, text="by hand")
        return True

    def suppressed(self, address: str) -> str | None:
        """Why an address is suppressed, or None."""
        query = sa.select(suppression.c.cause).where(suppression.c.mark == self._keys.mark(address))
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def unsubscribe(self, ticket: str, now: datetime) -> bool:
        """Never write again to whom this ticket was made for, known here or forgotten. False when it was not made here."""
        mark = self._keys.opened(ticket)
        if mark is None:
            return False
        with self._database.writing() as connection:
            addresses = sa.union(*(sa.select(table.c.address) for table in (contact, case, step, send)))
            known = [one for one in connection.execute(addresses).scalars() if self._keys.mark(one) == mark]
            for address in known:
                suppress(connection, self._keys, address, OPT_OUT, now)
            if not known:
                row = {"mark": mark, "cause": OPT_OUT, "since": now}
                connection.execute(insert(suppression).values(**row).on_conflict_do_nothing())
        return True

    def ground(self, address: str) -> Ground | None:
        """On what basis a customer may be followed up, or None."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(basis).where(basis.c.address == address.lower())).first()
        return read_ground(row) if row else None

    def set_ground(self, address: str, ground: Ground, now: datetime) -> bool:
        """Write down a basis. False when what is known already counts for more."""
        with self._database.writing() as connection:
            return know_ground(connection, self._keys, address, ground, now)

    def export(self, address: str) -> dict[str, list[dict[str, Any]]]:
        """Everything stored about an address, table by table, as plain values ready for JSON; mails as text."""
        address = address.lower()
        mails = sa.select(message.c.key).where(message.c.sender == address)
        cases = sa.select(case.c.message).where(case.c.address == address)
        wanted: Sequence[tuple[sa.Table, sa.ColumnElement[bool]]] = (
            (contact, contact.c.address == address),
            (basis, basis.c.address == address),
            (message, message.c.sender == address),
            (decision, decision.c.message.in_(mails)),
            (raw, raw.c.message.in_(mails)),
            (label, label.c.message.in_(mails)),
            (case, case.c.address == address),
            (draft, draft.c.address == address),
            (step, step.c.case.in_(cases)),
            (send, send.c.address == address),
            (appointment, appointment.c.address == address),
            (policy_receipt, policy_receipt.c.address == address),
            (suppression, suppression.c.mark == self._keys.mark(address)),
        )
        with self._database.reading() as connection:
            return {
                table.name: [_plain(row) for row in connection.execute(sa.select(table).where(which))]
                for table, which in wanted
            }

    def keys_of(self, address: str) -> list[str]:
        """The keys of this person's drafts and mails: what their files in the outbox carry."""
        drafts = sa.select(draft.c.key).where(draft.c.address == address.lower())
        mails = sa.select(message.c.key).where(message.c.sender == address.lower())
        with self._database.reading() as connection:
            return [*connection.execute(drafts).scalars(), *connection.execute(mails).scalars()]

    def erase(self, address: str, now: datetime) -> int:
        """Forget a person: every row that names them goes, the suppression mark stays. Returns how many rows went.

        A mail of somebody else that names them and waits to be read, or for a person, goes when it was (`forget.empty`).
        """
        address = address.lower()
        ours = sa.select(draft.c.key).where(draft.c.address == address)
        sends = sa.select(send.c.key).where(send.c.address == address)
        cases = sa.select(case.c.message).where(case.c.address == address)
        mails = sa.select(message.c.key).where(message.c.sender == address)
        with self._database.reading() as connection:
            naming, unread = _mails_naming(connection, address)
        order: Sequence[tuple[sa.Table, sa.ColumnElement[bool]]] = (
            (attempt, attempt.c.send.in_(sends)),
            (cap_event, cap_event.c.send.in_(sends)),
            (send, send.c.draft.in_(ours)),
            (step, step.c.case.in_(cases)),
            (draft, draft.c.address == address),
            (case, case.c.address == address),
            (label, label.c.message.in_(mails)),
            (decision, decision.c.message.in_(mails)),
            (raw, raw.c.message.in_(mails)),
            (appointment, appointment.c.address == address),
            (policy_receipt, policy_receipt.c.address == address),
            (contact, contact.c.address == address),
            (basis, basis.c.address == address),
            (event, sa.or_(event.c.who == self._keys.mark(address), event.c.message.in_(mails))),
        )
        gone = 0
        with self._database.writing() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for key in unread:
                connection.execute(message.update().where(message.c.key == key).values(sender=address))
            for table, which in order:
                gone += connection.execute(table.delete().where(which)).rowcount
            # The row of a mail stays, so that it is not fetched again; everything in it that tells of the person goes.
            blank = {"sender": None, "name": None, "subject": None, "message_id": None, "content": None}
            gone += connection.execute(
                message.update()
                .where(message.c.sender == address)
                .values(state="ignored", reason="erased", shown=True, **blank)
            ).rowcount
            # Bounces and our own copies name the person, too: the mails go, that they were read stays.
            gone += empty(connection, naming, now)
            record(connection, self._keys, now, "erased", address=address)
        self._database.compact()
        return gone


def _mails_naming(connection: sa.Connection, address: str) -> tuple[list[str], list[str]]:
    """The mails, of whoever wrote them, in which this address stands, in whatever case; and its own unread ones among them.

    Of a mail that nobody has read, the row does not know the sender yet.
    """
    query = sa.select(raw.c.message, raw.c.data, message.c.state).join(message, message.c.key == raw.c.message)
    wanted, naming, unread = address.encode(), [], []
    for row in connection.execution_options(yield_per=50).execute(query):
        if wanted in row.data.lower():
            naming.append(row.message)
            if row.state == "received" and _writer(row.data) == address:
                unread.append(row.message)
    return naming, unread


def _writer(data: bytes) -> str | None:
    """The address in From, in lower case; None when it is not plain whose it is. Nothing hostile comes nearer than this."""
    head = re.sub(rb"\r?\n[ \t]", b" ", re.split(rb"\r?\n\r?\n", data[:_HEAD], maxsplit=1)[0])
    lines = re.findall(rb"^from:([^\n]*)", head, re.M | re.I)
    found = _MAILBOX.fullmatch(lines[0].strip()) if len(lines) == 1 else None
    return (found[1] or found[2]).decode("utf-8", "replace").lower() if found else None


def _person(row: Row) -> Person:
    return Person(
        address=row.address,
        name=row.name,
        language=row.language,
        state=ContactState(row.state),
        cause=row.cause,
        since=row.since,
    )


def _plain(row: Row) -> dict[str, Any]:
    values = dict(row._mapping)
    if values.get("data") is not None:
        values["data"] = values["data"].decode("utf-8", "replace")
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
