"""Customers and appointments that files, calendars and mails tell of, and what their appointments ask to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.records import Appointment, AppointmentState, Case, ContactState, Customer, Draft, FollowUp, Note, Waiting
from pipeline.store import diary
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.past import Past, read_case
from pipeline.store.plans import rebooked, write_drafts
from pipeline.store.schema import (
    NO_SHOW,
    appointment,
    case,
    contact,
    decision,
    message,
    policy_receipt,
    policy_version,
    step,
)

Row = sa.Row[Any]

CONNECTING, HIBERNATION = "connecting", "hibernation"


class Bookings:
    """Takes over what is told of customers and appointments, and hands out what is to be done about them."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def take_customers(self, found: Sequence[Customer], now: datetime) -> Mapping[str, int]:
        """Take customers over, all in one commit; what is not known stays. Returns how many were new, changed and the same."""
        with self._database.writing() as connection:
            return Counter(self._customer(connection, one, now) for one in found)

    def _customer(self, connection: sa.Connection, one: Customer, now: datetime) -> str:
        told = {
            "name": one.name[:256],
            "language": one.language,
            "package": one.package,
            "sessions_left": one.sessions_left,
        }
        known = {name: value for name, value in told.items() if value not in (None, "") or (name == "package" and value == "")}
        row = connection.execute(sa.select(contact).where(contact.c.address == one.address)).first()
        if row is None:
            came = {"state": ContactState.ACTIVE, "cause": "from a file", "since": now, "first_seen": now}
            connection.execute(contact.insert().values(address=one.address, **came, **known))
            return "new"
        changes = {name: value for name, value in known.items() if value != row._mapping[name]}
        if not changes:
            return "same"
        connection.execute(contact.update().where(contact.c.address == one.address).values(**changes))
        return "changed"

    def take(self, found: Sequence[Appointment], now: datetime) -> Mapping[str, int]:
        """Take appointments over, all in one commit; a new date ends the follow-ups of its customer (playbook B6).

        Returns how many were new, changed and the same.
        """
        counts: Counter[str] = Counter()
        with self._database.writing() as connection:
            for one in found:
                written = diary.put(connection, one, now)
                counts[written.change] += 1
                if written.booked:
                    rebooked(connection, self._keys, one.address, now)
        return counts

    def all(self, since: datetime | None = None) -> list[Appointment]:
        """Every appointment that begins from then on, soonest first."""
        query = sa.select(appointment).order_by(appointment.c.start, appointment.c.key)
        return self._read(query if since is None else query.where(appointment.c.start >= since))

    def of(self, address: str) -> list[Appointment]:
        """The appointments of one customer, soonest first."""
        mine = appointment.c.address == address.lower()
        return self._read(sa.select(appointment).where(mine).order_by(appointment.c.start))

    def freed(self, now: datetime, limit: int = 50) -> list[Appointment]:
        """Slots ahead that were called off and that nobody has looked at."""
        ahead = sa.and_(appointment.c.start > now, appointment.c.start_by.is_(None))
        return self._open(AppointmentState.CANCELLED, ahead, limit)

    def missed(self, limit: int = 50) -> list[Appointment]:
        """Appointments to which nobody came, and for which nothing was done."""
        return self._open(AppointmentState.NO_SHOW, sa.true(), limit)

    def _open(self, state: AppointmentState, which: sa.ColumnElement[bool], limit: int) -> list[Appointment]:
        unhandled = sa.and_(appointment.c.state == state, appointment.c.handled.is_(None))
        return self._read(sa.select(appointment).where(unhandled, which).order_by(appointment.c.start).limit(limit))

    def waiting(self, one: Appointment, day: date, most: int, rested: datetime) -> tuple[Waiting, ...]:
        """Who cancelled over the time, has no new one, and could take this slot on this day.

        Nobody whose own date is later, who had `most` touches, or one after `rested`: they would fill the page for good.
        """
        could = (
            case.c.address != one.address,
            sa.or_(case.c.wished.is_(None), case.c.wished <= day),
            case.c.touches < most,
            sa.or_(case.c.last_touch.is_(None), case.c.last_touch <= rested),
        )
        with self._database.reading() as connection:
            return Past.waiting(connection, *could, limit=None)

    def offered(self, one: Appointment, made: Draft | None, now: datetime) -> None:
        """A freed slot was looked at: its offer waits for a rep, or there was nobody to offer it to."""
        with self._database.writing() as connection:
            if made:
                write_drafts(connection, self._keys, [(made, None)], now)
            self._handled(connection, one, now)

    def noted(self, one: Appointment, note: Note | None, now: datetime) -> bool:
        """The note about a no-show is written down, with the case that it begins. False when it was before.

        None: there is nobody who may be written to, or it is too late for words.
        """
        with self._database.writing() as connection:
            self._handled(connection, one, now)
            if note is None or connection.execute(sa.select(case.c.message).where(case.c.message == note.case.message)).first():
                return False
            self._open_case(connection, one, note.case, now)
            write_drafts(connection, self._keys, [(note.draft, note.outgoing)], now)
        return True

    def _open_case(self, connection: sa.Connection, one: Appointment, made: Case, now: datetime) -> None:
        """A case begins with a mail; a no-show has none, so a row without one stands in its place."""
        who = made.recipient
        place = {"folder": NO_SHOW, "epoch": NO_SHOW, "uid": made.message, "state": "decided", "old": False, "whole": True}
        mail = {"arrived": now, "taken": now, "sender": who.key, "name": who.name[:256], "subject": ""}
        connection.execute(insert(message).values(key=made.message, **place, **mail).on_conflict_do_nothing())
        connection.execute(
            insert(case)
            .values(
                message=made.message,
                address=who.key,
                name=who.name[:256],
                thread=[],
                subject="",
                text="",
                sent=made.sent,
                language=made.language,
                intent=NO_SHOW,
                opened=now,
                appointment=one.key,
            )
            .on_conflict_do_nothing()
        )
        state = {"state": ContactState.ACTIVE, "cause": "did not come", "since": now}
        values = {"address": who.key, "name": who.name[:256], "language": made.language, "first_seen": now, **state}
        left_alone = contact.c.state.not_in((ContactState.SUPPRESSED, ContactState.IN_FOLLOW_UP))
        connection.execute(
            insert(contact).values(**values).on_conflict_do_update(index_elements=["address"], set_=state, where=left_alone)
        )
        record(connection, self._keys, now, NO_SHOW, message=made.message, address=who.key)

    def _handled(self, connection: sa.Connection, one: Appointment, now: datetime) -> None:
        connection.execute(appointment.update().where(appointment.c.key == one.key).values(handled=now))

    def to_connect(self, now: datetime, limit: int = 50) -> list[Case]:
        """Cases whose customer has a new date ahead, and for which nothing was planned before it (playbook S1.1)."""
        ahead = sa.and_(appointment.c.state == AppointmentState.BOOKED, appointment.c.start > now)
        newer = sa.select(case.c.message).where(case.c.address == contact.c.address).order_by(case.c.opened.desc()).limit(1)
        planned = sa.select(step.c.key).where(step.c.case == case.c.message, step.c.track == CONNECTING)
        query = (
            sa.select(case)
            .distinct()
            .join(contact, contact.c.address == case.c.address)
            .join(appointment, sa.and_(appointment.c.address == case.c.address, appointment.c.since > case.c.opened))
            .outerjoin(decision, decision.c.message == case.c.message)
            .where(contact.c.state.in_((ContactState.RESCHEDULED, ContactState.WON_BACK)), ahead)
            .where(decision.c.sensitive.is_(None), case.c.message == newer.correlate(contact).scalar_subquery())
            .where(~planned.correlate(case).exists())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [read_case(row) for row in connection.execute(query)]

    def sleepers(self, most: int, limit: int = 50) -> list[tuple[Case, int, datetime]]:
        """Contacts who hibernate, had fewer than `most` greetings and have none planned.

        With each come its case, the number of its next greeting, and since when it sleeps.
        """
        greetings = sa.and_(step.c.case == case.c.message, step.c.track == HIBERNATION)
        count = sa.select(sa.func.count()).select_from(step).where(greetings).correlate(case).scalar_subquery()
        open_ones = sa.select(step.c.key).where(greetings, step.c.state.in_(("planned", "moved", "drafted"))).correlate(case)
        query = (
            sa.select(case, count.label("greeted"), contact.c.since)
            .join(contact, contact.c.address == case.c.address)
            .where(contact.c.state == ContactState.HIBERNATING, case.c.closed.is_(None), ~open_ones.exists())
            .where(count < most)
            .order_by(contact.c.since)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [(read_case(row), row.greeted + 1, row.since) for row in rows]

    def plan(self, planned: FollowUp, now: datetime) -> bool:
        """Write down a step beside the tracks of the reasons. False when it was planned before."""
        values = {
            "key": planned.key,
            "case": planned.case,
            "address": planned.address,
            "track": planned.track,
            "number": planned.number,
            "template": planned.template,
            "due": planned.due,
        }
        with self._database.writing() as connection:
            done = connection.execute(insert(step).values(**values).on_conflict_do_nothing()).rowcount
            if done:
                text = f"{planned.track} {planned.number} on {planned.due:%Y-%m-%d}"
                record(connection, self._keys, now, "planned", message=planned.case, address=planned.address, text=text)
        return bool(done)

    def policy_told(self, address: str, kind: str, version: str, language: str, text: str, day: date, now: datetime) -> bool:
        """A customer received, or accepted, this version of the policy. False when that was written down before."""
        told = {"address": address.lower(), "version": version, "kind": kind, "day": day, "language": language, "at": now}
        page = {"version": version, "language": language, "text": text, "since": now}
        with self._database.writing() as connection:
            if text:
                connection.execute(insert(policy_version).values(**page).on_conflict_do_nothing())
            done = connection.execute(insert(policy_receipt).values(**told).on_conflict_do_nothing()).rowcount
            if done:
                record(connection, self._keys, now, f"policy_{kind}", address=address, text=f"version {version}, {day}")
        return bool(done)

    def policy_text(self, version: str, language: str | None = None) -> str | None:
        """The document of this version as it was recorded, or None."""
        query = sa.select(policy_version.c.text).where(policy_version.c.version == version)
        query = query.where(policy_version.c.language == language) if language else query
        with self._database.reading() as connection:
            return connection.execute(query.order_by(policy_version.c.language)).scalar()

    def policy_receipts(self, address: str | None = None) -> list[dict[str, Any]]:
        """Who received and accepted which version, newest first."""
        query = sa.select(policy_receipt).order_by(policy_receipt.c.day.desc(), policy_receipt.c.address, policy_receipt.c.kind)
        query = query.where(policy_receipt.c.address == address.lower()) if address else query
        with self._database.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def _read(self, query: sa.Select[Any]) -> list[Appointment]:
        with self._database.reading() as connection:
            return [diary.read(row) for row in connection.execute(query)]
