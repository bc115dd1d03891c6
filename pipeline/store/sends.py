"""Mails on their way: claimed once, fenced, counted against the caps, and never sent twice.

The protocol: `claim` commits `sending/pre`; everything up to the final dot may then be repeated. `may_finish` commits
`sending/dot` and is the last look at the stop switch and the suppressions; after it, at most one dot is ever written for
the row. What the other side said is written down by `sent`, `later`, `refused` or `uncertain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.followups import REST_BETWEEN_TOUCHES
from pipeline.core.records import Caps, ContactState, Kind, Send, mailbox
from pipeline.errors import StoreBroken
from pipeline.store import breaker
from pipeline.store.control import count_dot, forget_sent_before, sent_before
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.journal import Journal
from pipeline.store.keys import Keys
from pipeline.store.plans import OPT_OUT, settle_contact, stop_follow_ups
from pipeline.store.schema import attempt, cap_event, case, contact, control, draft, send, step, suppression

Row = sa.Row[Any]

LEASE = timedelta(minutes=15)
BACKOFF = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
GIVE_UP = timedelta(days=5)
EVIDENCE_WITHIN = timedelta(minutes=60)
LONGEST_WINDOW = timedelta(days=1)  # of the caps on how many go out; patience with a server ends sooner
REMEMBERED = timedelta(days=90)  # longer than any cap looks back

# How the causes of held mails begin of which nobody knows whether they arrived, and of those that only a person may release.
UNCERTAIN = "uncertain: "
ADDRESS_CAP = "address cap: "

# A mail that keeps the business in mind. What soon won't be true any more, such as a free slot, is none.
IS_TOUCH = sa.and_(draft.c.kind == Kind.FOLLOW_UP, draft.c.until.is_(None))


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A send that ended, for the outbox folder: `state` is sent, held or cancelled."""

    key: str
    draft: str
    state: str
    cause: str | None
    finished: datetime

    @property
    def uncertain(self) -> bool:
        """Whether it may have reached the customer, and nobody knows."""
        return (self.cause or "").startswith(UNCERTAIN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delayed:
    """Mails that wait to be sent, `count` of them for the same `cause`, if one is known; the first is tried at `next_try`."""

    count: int
    cause: str | None
    next_try: datetime


class Sends:
    """Hands out mails to send and writes down what became of them."""

    def __init__(self, database: Database, keys: Keys, journal: Journal) -> None:
        self._database = database
        self._keys = keys
        self._journal = journal

    def claim(self, limit: int, owner: str, caps: Caps, now: datetime, *, quiet: bool = False) -> list[Send]:
        """Claim up to `limit` due mails within the caps; the suppressed are cancelled, nothing is claimed while stopped.

        While the breaker is open only what a person released is claimed.

        `quiet`: it is no time for touches, whoever released them; only what soon won't be true any more may still go.
        """
        due = sa.and_(send.c.state == "queued", send.c.not_before <= now)
        if quiet:
            due = sa.and_(due, sa.not_(send.c.draft.in_(sa.select(draft.c.key).where(IS_TOUCH))))
        with self._database.writing() as connection:
            if _stopped(connection):
                return []
            if breaker.open_since(connection):
                due = sa.and_(due, sa.not_(send.c.automatic))
            rows = connection.execute(sa.select(send).where(due).order_by(send.c.not_before, send.c.key).limit(limit)).all()
            claimed = (self._claim_one(connection, row, owner, caps, now) for row in rows)
            return [one for one in claimed if one]

    def _claim_one(self, connection: sa.Connection, row: Row, owner: str, caps: Caps, now: datetime) -> Send | None:
        if self._suppressed(connection, row):
            self._cancel(connection, row, now)
            return None
        before = sent_before(connection, row.key)
        if before:
            self._uncertain(connection, row, before, now, owner=None)
            _count(connection, row, now)
            return None
        letter = _is_letter(connection, row)
        if row.automatic and not letter and _had_its_automatic_mail(connection, row, caps, now):
            self._hold(connection, row, f"{ADDRESS_CAP}one automatic mail in {caps.address_days} days", now)
            return None
        free_at, why = (now, "") if letter else _free_at(connection, row, caps, now)
        if free_at > now:
            connection.execute(send.update().where(send.c.key == row.key).values(not_before=free_at, cause=why))
            return None
        if row.automatic and not breaker.lets_through(connection, self._keys, caps, now):
            return None
        fence = row.fence + 1
        connection.execute(
            send.update()
            .where(send.c.key == row.key, send.c.state == "queued", send.c.fence == row.fence)
            .values(
                state="sending",
                phase="pre",
                owner=owner,
                fence=fence,
                lease_until=now + LEASE,
                attempts=row.attempts + 1,
            )
        )
        _count(connection, row, now)
        _note(connection, row.key, fence, now, "claim")
        return Send(
            key=row.key,
            draft=row.draft,
            message_id=row.message_id,
            recipient=row.address,
            data=row.data,
            automatic=row.automatic,
            fence=fence,
            attempts=row.attempts + 1,
        )

    def may_finish(self, mail: Send, now: datetime) -> bool:
        """Commit `sending/dot` if this claim still holds and nothing forbids the mail; False means: break off, send nothing.

        Raises StoreBroken when the dot can't be written down; the mail is queued again then.
        """
        with self._database.writing() as connection:
            row = self._held_by(connection, mail, "pre")
            if row is None or row.lease_until <= now:
                return False
            if self._suppressed(connection, row):
                self._cancel(connection, row, now)
                return False
            if _stopped(connection):
                self._requeue(connection, row, now, "stopped", now)
                return False
            # A new lease: the answer to the dot may take ten minutes, and until then nobody need doubt the mail.
            connection.execute(send.update().where(send.c.key == row.key).values(phase="dot", lease_until=now + LEASE))
            # The caps count what leaves, so the time of the dot is the one that counts.
            _count(connection, row, now)
            _note(connection, row.key, mail.fence, now, "dot")
            number = count_dot(connection, now)
        self._write_down(number, row, now)
        return True

    def _write_down(self, number: int, row: Row, now: datetime) -> None:
        try:
            self._journal.note(number, row.key)
        except OSError as error:
            with self._database.writing() as connection:
                self._requeue(connection, row, now, "no dot can be written down", now)
            raise StoreBroken(f"{self._journal.path}: {error.strerror}: nothing is sent until it can be written to") from error

    def sent(self, mail: Send, reply: str, now: datetime) -> bool:
        """The other side took it over. A late word for the same fence also settles an uncertain send."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(send).where(send.c.key == mail.key)).first()
            if row is None or row.fence != mail.fence or row.state not in ("sending", "uncertain", "held"):
                return False
            self._sent(connection, row, reply, now)
        return True

    def proved(self, key: str, evidence: str, now: datetime) -> bool:
        """Evidence shows that an uncertain send was delivered."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(send).where(send.c.key == key)).first()
            if row is None or not (row.state == "uncertain" or (row.state == "held" and row.phase == "dot")):
                return False
            self._sent(connection, row, evidence, now)
        return True

    def disproved(self, key: str, evidence: str, now: datetime) -> bool:
        """The delivery can tell that an uncertain mail never arrived: queue it again.

        False, and nothing is done, while who claimed it may only be asleep: its dot may still come, and then there were two.
        """
        with self._database.writing() as connection:
            row = connection.execute(sa.select(send).where(send.c.key == key, send.c.state == "uncertain")).first()
            if row is None or row.owner is not None:
                return False
            self._requeue(connection, row, now, evidence, now)
            forget_sent_before(connection, key)
        return True

    def later(self, mail: Send, reply: str, now: datetime) -> None:
        """It surely did not go out this time: queue it again with growing patience, or give up after five days."""
        with self._database.writing() as connection:
            row = self._held_by(connection, mail)
            if row is None:
                return
            if now - row.queued >= GIVE_UP:
                self._hold(connection, row, f"expired after {GIVE_UP.days} days; last reply: {reply}", now)
                return
            wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
            self._requeue(connection, row, now + wait, reply, now)

    def release(self, mail: Send, why: str, now: datetime) -> None:
        """Give a claim back untouched: nothing was tried, so no patience is used up, except that it ends after five days."""
        with self._database.writing() as connection:
            row = self._held_by(connection, mail, "pre")
            if row is not None and now - row.queued >= GIVE_UP:
                self._hold(connection, row, f"expired after {GIVE_UP.days} days: {why}", now)
            elif row is not None:
                self._requeue(connection, row, now, why, now)
                connection.execute(send.update().where(send.c.key == row.key).values(attempts=row.attempts - 1))

    def refused(self, mail: Send, reply: str, now: datetime) -> None:
        """The other side refused it for good. When it says that nobody is there, the follow-ups end as after a bounce."""
        with self._database.writing() as connection:
            row = self._held_by(connection, mail)
            if row is None:
                return
            self._hold(connection, row, reply, now)
            if breaker.NOBODY_THERE.search(reply):
                stop_follow_ups(connection, self._keys, row.address, "bounce", now)

    def uncertain(self, mail: Send, why: str, now: datetime) -> None:
        """The final dot was written and no answer came."""
        with self._database.writing() as connection:
            row = self._held_by(connection, mail)
            if row is not None:
                self._uncertain(connection, row, why, now, owner=None)

    def recover(self, now: datetime, *, everything: bool) -> tuple[int, int]:
        """Release claims: all of them when this process is the only one, else those whose lease ran out.

        Returns how many were queued again (phase `pre`) and how many are uncertain now (phase `dot`).
        """
        which = send.c.state == "sending"
        if not everything:
            which = sa.and_(which, send.c.lease_until <= now)
        with self._database.writing() as connection:
            _mend_times(connection, now)
            rows = connection.execute(sa.select(send).where(which)).all()
            for row in rows:
                if row.phase == "pre":
                    self._requeue(connection, row, now, "released after an interruption", now)
                else:
                    # Who only overslept its lease stays the owner: it may still be about to write the dot.
                    owner = None if everything else row.owner
                    self._uncertain(connection, row, "interrupted after the final dot", now, owner)
        queued = sum(row.phase == "pre" for row in rows)
        return queued, len(rows) - queued

    def clock_set_ahead(self, by: timedelta, now: datetime) -> int:
        """The clock jumped to `now`: what counts against the caps keeps its age, so that no cap opens early.

        Returns how many events were moved. A clock that is set back needs nothing: what lies ahead is counted all the same.
        """
        recent = sa.select(cap_event.c.send, cap_event.c.at).where(cap_event.c.at > now - by - REMEMBERED)
        moved = cap_event.update().where(cap_event.c.send == sa.bindparam("of")).values(at=sa.bindparam("to"))
        with self._database.writing() as connection:
            rows = [{"of": row.send, "to": row.at + by} for row in connection.execute(recent)]
            if rows:
                connection.execute(moved, rows)
        return len(rows)

    def uncertain_sends(self) -> list[Send]:
        """Sends that wait for evidence."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(send).where(send.c.state == "uncertain").order_by(send.c.key)).all()
        return [_send(row) for row in rows]

    def queue_again(self, key: str, why: str, now: datetime) -> bool:
        """Queue a held or uncertain send again: a person (or a delivery that can prove it) says that it never went out."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(send).where(send.c.key == key)).first()
            if row is None or row.state not in ("held", "uncertain"):
                return False
            self._again(connection, row, why, now)
            forget_sent_before(connection, key)
        return True

    def again(self, of: str, why: str, now: datetime) -> bool:
        """Queue a draft's held send again, if it surely never went out. False when there is none, or when nobody knows.

        Nobody says that the mail did not arrive, so what is known of it from before a restored copy still holds it back.
        """
        with self._database.writing() as connection:
            row = connection.execute(sa.select(send).where(send.c.draft == of, send.c.state == "held")).first()
            if row is None or (row.cause or "").startswith(UNCERTAIN):
                return False
            self._again(connection, row, why, now)
        return True

    def _again(self, connection: sa.Connection, row: Row, why: str, now: datetime) -> None:
        """A person releases a mail: patience begins anew, and what was held for being automatic is so no more."""
        automatic = row.automatic and not (row.cause or "").startswith(ADDRESS_CAP)
        self._requeue(connection, row, now, why, now)
        values = {"queued": now, "automatic": automatic, "cause": None, "shown": False}
        connection.execute(send.update().where(send.c.key == row.key).values(**values))

    def to_retry(self, beginning: str) -> list[str]:
        """The keys of the held and uncertain sends that begin like this."""
        which = sa.and_(send.c.key.startswith(beginning, autoescape=True), send.c.state.in_(("held", "uncertain")))
        with self._database.reading() as connection:
            return list(connection.execute(sa.select(send.c.key).where(which).order_by(send.c.key)).scalars())

    def give_up_waiting(self, now: datetime) -> int:
        """Hold uncertain sends for which no evidence came within the hour. Returns how many."""
        with self._database.writing() as connection:
            rows = connection.execute(
                sa.select(send).where(send.c.state == "uncertain", send.c.finished <= now - EVIDENCE_WITHIN)
            ).all()
            for row in rows:
                cause = f"{UNCERTAIN}{row.cause}. It may have reached the customer: look before you send it again"
                connection.execute(send.update().where(send.c.key == row.key).values(state="held", cause=cause, shown=False))
                record(connection, self._keys, now, "held", message=_case_of(connection, row), text=cause)
                self._end_touch(connection, row, now, "uncertain")
        return len(rows)

    def to_show(self, limit: int = 200) -> list[Finished]:
        """Ended sends whose file in the outbox folder does not say so yet."""
        query = (
            sa.select(send)
            .where(send.c.state.in_(("sent", "held", "cancelled")), ~send.c.shown)
            .order_by(send.c.finished)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Finished(key=r.key, draft=r.draft, state=r.state, cause=r.cause, finished=r.finished) for r in rows]

    def shown(self, keys: Sequence[str]) -> None:
        """Their files are up to date."""
        with self._database.writing() as connection:
            connection.execute(send.update().where(send.c.key.in_(keys)).values(shown=True))

    def delayed(self, since: datetime) -> list[Delayed]:
        """What people released at that moment or before and is not sent yet, by its cause; the most mails come first."""
        count = sa.func.count()
        query = (
            sa.select(count, send.c.cause, sa.func.min(send.c.not_before))
            .where(send.c.state == "queued", ~send.c.automatic, send.c.queued <= since)
            .group_by(send.c.cause)
            .order_by(count.desc(), send.c.cause)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Delayed(count=count, cause=cause, next_try=next_try) for count, cause, next_try in rows]

    def last(self, of: str) -> Finished | None:
        """A draft's send, if it has ended: sent, held or cancelled."""
        ended = sa.and_(send.c.draft == of, send.c.state.in_(("sent", "held", "cancelled")))
        with self._database.reading() as connection:
            r = connection.execute(sa.select(send).where(ended)).first()
        return Finished(key=r.key, draft=r.draft, state=r.state, cause=r.cause, finished=r.finished) if r else None

    def unshown(self, key: str) -> None:
        """Its file is not what it should be: it is written again when the mail has ended, or at once if it has."""
        with self._database.writing() as connection:
            connection.execute(send.update().where(send.c.key == key).values(shown=False))

    def _held_by(self, connection: sa.Connection, mail: Send, phase: str | None = None) -> Row | None:
        which = sa.and_(send.c.key == mail.key, send.c.fence == mail.fence, send.c.state == "sending")
        if phase:
            which = sa.and_(which, send.c.phase == phase)
        return connection.execute(sa.select(send).where(which)).first()

    def _suppressed(self, connection: sa.Connection, row: Row) -> bool:
        query = sa.select(suppression.c.cause).where(suppression.c.mark == self._keys.mark(row.address))
        cause = connection.execute(query).scalar()
        if cause != OPT_OUT or row.automatic:
            return cause is not None
        # A rep may still confirm that the cancellation of somebody who opted out was received; nothing else.
        kind = connection.execute(sa.select(draft.c.kind).where(draft.c.key == row.draft)).scalar()
        return kind != Kind.ACKNOWLEDGMENT

    def _sent(self, connection: sa.Connection, row: Row, reply: str, now: datetime) -> None:
        connection.execute(
            send.update()
            .where(send.c.key == row.key)
            .values(state="sent", finished=now, cause=reply[:512], lease_until=None, shown=False)
        )
        _note(connection, row.key, row.fence, now, "sent", reply)
        of = connection.execute(sa.select(draft).where(draft.c.key == row.draft)).one()
        record(connection, self._keys, now, "sent", message=of.case, address=of.address, text=f"{of.kind} {of.number}")
        if of.kind == Kind.ACKNOWLEDGMENT:
            connection.execute(case.update().where(case.c.message == of.case).values(acknowledged=now))
        elif of.kind == Kind.FOLLOW_UP:
            connection.execute(
                case.update().where(case.c.message == of.case).values(touches=case.c.touches + 1, last_touch=now)
            )
            connection.execute(step.update().where(step.c.draft == of.key).values(state="done"))
            self._hibernate_after_last(connection, of, now)

    def _hibernate_after_last(self, connection: sa.Connection, of: Row, now: datetime) -> None:
        left = connection.execute(
            sa.select(sa.func.count())
            .select_from(step)
            .where(step.c.case == of.case, step.c.state.in_(("planned", "moved", "drafted")))
        ).scalar_one()
        if left:
            return
        done = connection.execute(
            contact.update()
            .where(contact.c.address == of.address, contact.c.state == ContactState.IN_FOLLOW_UP)
            .values(state=ContactState.HIBERNATING, cause="last touch sent", since=now)
        )
        if done.rowcount:
            record(connection, self._keys, now, "hibernating", message=of.case, address=of.address, text="last touch sent")

    def _requeue(self, connection: sa.Connection, row: Row, not_before: datetime, why: str, now: datetime) -> None:
        values = {"state": "queued", "phase": "pre", "owner": None, "lease_until": None, "finished": None}
        connection.execute(send.update().where(send.c.key == row.key).values(not_before=not_before, cause=why[:512], **values))
        connection.execute(cap_event.delete().where(cap_event.c.send == row.key))
        _note(connection, row.key, row.fence, now, "later", why)

    def _hold(self, connection: sa.Connection, row: Row, why: str, now: datetime) -> None:
        connection.execute(
            send.update()
            .where(send.c.key == row.key)
            .values(state="held", finished=now, cause=why[:512], lease_until=None, shown=False)
        )
        connection.execute(cap_event.delete().where(cap_event.c.send == row.key))
        _note(connection, row.key, row.fence, now, "refused", why)
        record(connection, self._keys, now, "held", message=_case_of(connection, row), address=row.address, text=why)
        self._end_touch(connection, row, now)

    def _end_touch(self, connection: sa.Connection, row: Row, now: datetime, cause: str = "refused") -> None:
        """A touch that will not be sent is over; the ones after it go on."""
        done = connection.execute(
            step.update().where(step.c.draft == row.draft, step.c.state == "drafted").values(state="dropped", cause=cause)
        )
        if done.rowcount:
            of = _case_of(connection, row) or ""
            record(connection, self._keys, now, "dropped", message=of, address=row.address, text=cause)
            settle_contact(connection, self._keys, row.address, of, cause, now)

    def _uncertain(self, connection: sa.Connection, row: Row, why: str, now: datetime, owner: str | None) -> None:
        connection.execute(
            send.update()
            .where(send.c.key == row.key)
            .values(state="uncertain", phase="dot", owner=owner, finished=now, cause=why[:512], lease_until=None)
        )
        _note(connection, row.key, row.fence, now, "uncertain", why)
        record(connection, self._keys, now, "uncertain", message=_case_of(connection, row), address=row.address, text=why)

    def _cancel(self, connection: sa.Connection, row: Row, now: datetime) -> None:
        connection.execute(
            send.update()
            .where(send.c.key == row.key)
            .values(state="cancelled", finished=now, cause="suppressed", lease_until=None)
        )
        connection.execute(cap_event.delete().where(cap_event.c.send == row.key))
        _note(connection, row.key, row.fence, now, "cancelled", "suppressed")
        record(
            connection,
            self._keys,
            now,
            "cancelled",
            message=_case_of(connection, row),
            address=row.address,
            text="suppressed",
        )


def _mend_times(connection: sa.Connection, now: datetime) -> None:
    """A time that lies further ahead than any wait was written when the clock was wrong: it counts from now on.

    Without this, a clock that was a year ahead for a minute would keep mails and caps waiting for that year.
    """
    for column, latest, instead, which in (
        (cap_event.c.at, now + LONGEST_WINDOW, now, sa.true()),
        (send.c.not_before, now + 2 * LONGEST_WINDOW, now, send.c.state == "queued"),
        (send.c.lease_until, now + LEASE, now + LEASE, send.c.state == "sending"),
        (send.c.finished, now, now, send.c.state == "uncertain"),
    ):
        connection.execute(sa.update(column.table).where(column > latest, which).values({column.name: instead}))


def _stopped(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(control.c.name).where(control.c.name == "stop")).first() is not None


def _had_its_automatic_mail(connection: sa.Connection, row: Row, caps: Caps, now: datetime) -> bool:
    return _oldest(connection, now - timedelta(days=caps.address_days), 1, _same_address(row)) is not None


def _free_at(connection: sa.Connection, row: Row, caps: Caps, now: datetime) -> tuple[datetime, str]:
    """When this mail may leave, `now` or later, and what it waits for."""
    others = cap_event.c.send != row.key
    windows = [
        ("cap reached", timedelta(hours=1), caps.domain_hour, sa.and_(cap_event.c.domain == row.domain, others)),
        ("cap reached", timedelta(hours=1), caps.hour, others),
        ("cap reached", timedelta(days=1), caps.day, others),
    ]
    if connection.execute(sa.select(draft.c.key).where(draft.c.key == row.draft, IS_TOUCH)).first():
        windows.append(("another touch went out just before", REST_BETWEEN_TOUCHES, 1, _touches_to_the_same(row)))
    free = [(now, "")]
    for why, length, most, which in windows:
        oldest = _oldest(connection, now - length, most, which)
        if oldest:
            free.append((oldest + length, why))
    return max(free)


def _is_letter(connection: sa.Connection, row: Row) -> bool:
    """A letter to the owner is no customer's mail: the caps neither hold it up nor count it."""
    return connection.execute(sa.select(draft.c.kind).where(draft.c.key == row.draft)).scalar() == Kind.LETTER


def _count(connection: sa.Connection, row: Row, now: datetime) -> None:
    if _is_letter(connection, row):
        return
    counted = {"address": mailbox(row.address), "domain": row.domain, "automatic": row.automatic, "at": now}
    connection.execute(
        insert(cap_event).values(send=row.key, **counted).on_conflict_do_update(index_elements=["send"], set_=counted)
    )


def _same_address(row: Row) -> sa.ColumnElement[bool]:
    return sa.and_(cap_event.c.address == mailbox(row.address), cap_event.c.automatic, cap_event.c.send != row.key)


def _touches_to_the_same(row: Row) -> sa.ColumnElement[bool]:
    touches = sa.select(send.c.key).join(draft, draft.c.key == send.c.draft).where(IS_TOUCH, send.c.key != row.key)
    return sa.and_(cap_event.c.address == mailbox(row.address), cap_event.c.send.in_(touches))


def _oldest(connection: sa.Connection, since: datetime, most: int, which: sa.ColumnElement[bool]) -> datetime | None:
    """The time of the event that must leave the window before another fits in; None while there is room."""
    query = sa.select(cap_event.c.at).where(cap_event.c.at > since, which).order_by(cap_event.c.at.desc()).limit(most)
    times = connection.execute(query).scalars().all()
    return times[-1] if len(times) >= most else None


def _case_of(connection: sa.Connection, row: Row) -> str | None:
    return connection.execute(sa.select(draft.c.case).where(draft.c.key == row.draft)).scalar()


def _note(connection: sa.Connection, key: str, fence: int, now: datetime, phase: str, reply: str = "") -> None:
    connection.execute(attempt.insert().values(send=key, fence=fence, at=now, phase=phase, reply=reply[:512]))


def _send(row: Row) -> Send:
    return Send(
        key=row.key,
        draft=row.draft,
        message_id=row.message_id,
        recipient=row.address,
        data=row.data,
        automatic=row.automatic,
        fence=row.fence,
        attempts=row.attempts,
    )
