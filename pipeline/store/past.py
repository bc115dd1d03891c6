"""What the core may know of the past: one History for each sender, read in a few set-wise queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from pipeline.core.records import Address as Mailbox
from pipeline.core.records import (
    Appointment,
    Basis,
    Case,
    ContactState,
    Ground,
    History,
    Intent,
    Message,
    Reason,
    Waiting,
    mailbox,
)
from pipeline.store import diary
from pipeline.store.database import Database
from pipeline.store.keys import Keys
from pipeline.store.schema import appointment, basis, cap_event, case, contact, draft, send, suppression

Row = sa.Row[Any]


class Past:
    """Makes snapshots of contacts."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def of_messages(self, messages: Sequence[Message]) -> list[History]:
        """One History for each message, in their order."""
        with self._database.reading() as connection:
            return self.read(connection, messages)

    def of_address(self, address: str) -> History:
        """The History of one address, outside any thread."""
        with self._database.reading() as connection:
            return self._contacts(connection, [address.lower()])[address.lower()]

    def read(self, connection: sa.Connection, messages: Sequence[Message]) -> list[History]:
        """As `of_messages`, within the caller's transaction."""
        addresses = sorted({message.sender.key for message in messages if message.sender})
        contacts = self._contacts(connection, addresses)
        ours, waiting = self._ours(connection, messages), self.waiting(connection)
        return [replace(_joined(message, contacts, ours), waiting=waiting) for message in messages]

    @staticmethod
    def waiting(connection: sa.Connection, *which: sa.ColumnElement[bool], limit: int | None = 20) -> tuple[Waiting, ...]:
        """Who cancelled over the time, is still followed up or hibernates, and has no new date and no offer.

        First those to whom least was written: who had all touches must not keep the others off the page.
        """
        booked = sa.select(appointment.c.key).where(
            appointment.c.address == case.c.address, appointment.c.state == "booked", appointment.c.start > case.c.opened
        )
        offered = sa.select(draft.c.key).where(
            draft.c.case == case.c.message, draft.c.template.startswith("slot_offer"), draft.c.state == "waiting"
        )
        query = (
            sa.select(case)
            .join(contact, contact.c.address == case.c.address)
            .where(contact.c.state.in_((ContactState.IN_FOLLOW_UP, ContactState.HIBERNATING)))
            .where(case.c.reason == Reason.TIMING, case.c.closed.is_(None), case.c.acknowledged.is_not(None))
            .where(~booked.correlate(case).exists(), ~offered.correlate(case).exists(), *which)
            .order_by(case.c.touches, case.c.opened)
            .limit(limit)
        )
        return tuple(
            Waiting(case=read_case(row), acknowledged=row.acknowledged, touches=row.touches, last_touch=row.last_touch)
            for row in connection.execute(query)
        )

    def _contacts(self, connection: sa.Connection, addresses: Sequence[str]) -> dict[str, History]:
        found = {address: History(address=address) for address in addresses}
        for start in range(0, len(addresses), 400):
            part = addresses[start : start + 400]
            found.update(self._part(connection, part))
        return found

    def _part(self, connection: sa.Connection, addresses: Sequence[str]) -> dict[str, History]:
        marks = {self._keys.mark(address): address for address in addresses}
        suppressed = {
            marks[row.mark]: row.cause
            for row in connection.execute(sa.select(suppression).where(suppression.c.mark.in_(list(marks))))
        }
        people = {row.address: row for row in connection.execute(sa.select(contact).where(contact.c.address.in_(addresses)))}
        automatic = self._automatic(connection, addresses)
        cases: dict[str, Row] = {}
        for row in connection.execute(
            sa.select(case).where(case.c.address.in_(addresses), case.c.closed.is_(None)).order_by(case.c.opened)
        ):
            cases[row.address] = row
        grounds = {
            row.address: read_ground(row) for row in connection.execute(sa.select(basis).where(basis.c.address.in_(addresses)))
        }
        booked: defaultdict[str, list[Appointment]] = defaultdict(list)
        for row in connection.execute(
            sa.select(appointment).where(appointment.c.address.in_(addresses)).order_by(appointment.c.start)
        ):
            booked[row.address].append(diary.read(row))
        lateness: defaultdict[str, list[tuple[str, bool | None]]] = defaultdict(list)
        for row in connection.execute(
            sa.select(case.c.address, case.c.message, case.c.late)
            .where(case.c.address.in_(addresses), case.c.intent == Intent.CANCEL)
            .order_by(case.c.opened)
        ):
            lateness[row.address].append((row.message, row.late))
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for row in connection.execute(
            sa.select(draft.c.address, draft.c.template)
            .where(draft.c.address.in_(addresses), draft.c.state == "approved")
            .order_by(draft.c.made)
        ):
            texts[row.address].append(row.template)
        return {
            address: _history(
                address,
                people.get(address),
                suppressed.get(address),
                automatic.get(address),
                cases.get(address),
                tuple(texts[address]),
                grounds.get(address),
                tuple(booked[address]),
                tuple(lateness[address]),
            )
            for address in addresses
        }

    def _automatic(self, connection: sa.Connection, addresses: Sequence[str]) -> dict[str, Any]:
        """When the mailbox of each address had its last automatic mail, or has one waiting, under whatever `+detail`."""
        mailboxes = {address: mailbox(address) for address in addresses}
        counted = dict(
            connection.execute(
                sa.select(cap_event.c.address, sa.func.max(cap_event.c.at))
                .where(cap_event.c.address.in_(set(mailboxes.values())), cap_event.c.automatic)
                .group_by(cap_event.c.address)
            ).all()
        )
        domains = {address.rpartition("@")[2] for address in addresses}
        waiting = connection.execute(
            sa.select(send.c.address, sa.func.max(send.c.queued))
            .where(send.c.domain.in_(domains), send.c.automatic, send.c.state.in_(("queued", "sending")))
            .group_by(send.c.address)
        )
        for address, at in waiting:
            counted[mailbox(address)] = max(at, counted.get(mailbox(address)) or at)
        return {address: counted[own] for address, own in mailboxes.items() if own in counted}

    def _ours(self, connection: sa.Connection, messages: Sequence[Message]) -> dict[str, Row]:
        ids = {name for message in messages for name in (*message.thread, message.returned_id) if name}
        found: dict[str, Row] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), 400):
            rows = connection.execute(
                sa.select(send.c.key, send.c.message_id, send.c.address, send.c.automatic, draft.c.text)
                .join(draft, draft.c.key == send.c.draft)
                .where(send.c.message_id.in_(wanted[start : start + 400]))
            )
            found.update({row.message_id: row for row in rows})
        return found


def read_ground(row: Row) -> Ground:
    """A row of the basis table as the core's record."""
    return Ground(basis=Basis(row.basis), evidence=row.evidence, since=row.since, by_person=row.by_person)


def read_case(row: Row) -> Case:
    """A row of the case table as the core's record."""
    return Case(
        message=row.message,
        recipient=Mailbox(name=row.name, address=row.address),
        message_id=row.message_id,
        thread=tuple(row.thread),
        subject=row.subject,
        text=row.text,
        sent=row.sent,
        language=row.language,
        reason=Reason(row.reason) if row.reason else None,
        opened=row.opened,
        subreason=row.subreason,
        wished=row.wished,
    )


def _history(
    address: str,
    person: Row | None,
    suppressed: str | None,
    automatic: Any,
    open_case: Row | None,
    texts: tuple[str, ...],
    ground: Ground | None,
    booked: tuple[Appointment, ...],
    lateness: tuple[tuple[str, bool | None], ...],
) -> History:
    return History(
        address=address,
        known=person is not None,
        state=ContactState(person.state) if person else None,
        suppressed=suppressed,
        language=person.language if person else None,
        last_automatic=automatic,
        case=open_case.message if open_case else None,
        reason=Reason(open_case.reason) if open_case and open_case.reason else None,
        acknowledged=open_case.acknowledged if open_case else None,
        touches=open_case.touches if open_case else 0,
        last_touch=open_case.last_touch if open_case else None,
        texts=texts,
        ground=ground,
        appointments=booked,
        lateness=lateness,
        package=person.package if person else None,
        sessions_left=person.sessions_left if person else None,
    )


def _joined(message: Message, contacts: dict[str, History], ours: dict[str, Row]) -> History:
    history = contacts[message.sender.key] if message.sender else History()
    answered = [ours[name] for name in (*message.thread, message.returned_id) if name in ours]
    if not answered:
        return history
    last = answered[-1]
    return replace(
        history,
        answered_thread=any(row.automatic for row in answered),
        replies_to=last.key,
        counterpart=last.address,
        said=last.text,
    )
