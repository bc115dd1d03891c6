"""The core's answers, each written down in one commit: decision, draft, frozen mail, steps and what they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from pipeline.core.records import (
    Address,
    Basis,
    Case,
    ContactState,
    Draft,
    FollowUp,
    Ground,
    Intent,
    Kind,
    Outcome,
    Plan,
    Send,
    StepPlan,
    Verdict,
)
from pipeline.store import diary, verdicts
from pipeline.store.database import Database
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.past import read_case
from pipeline.store.schema import basis, case, contact, decision, draft, event, label, message, send, step, suppression

Row = sa.Row[Any]

OPT_OUT = "opt_out"
CORRECTED = "corrected"
REJECTED = "rejected"

_STATE = {Outcome.ANSWER: "decided", Outcome.HOLD: "held", Outcome.IGNORE: "ignored"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """What a rep said a mail really is: an intent, and for a cancellation its reason."""

    intent: Intent
    reason: str | None
    by: str


class Plans:
    """Writes plans."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def decided(self, plans: Sequence[Plan], now: datetime) -> int:
        """Write the answers to these messages in one commit. A message that was decided already is left as it is.

        At most one of the plans for each sender may hold a draft: the next one must be made knowing the first.
        """
        with self._database.writing() as connection:
            waiting = self._waiting(connection, [plan.message.key for plan in plans])
            fresh = [plan for plan in plans if plan.message.key in waiting]
            if fresh:
                connection.execute(_FINISH, [_finished(plan) for plan in fresh])
                connection.execute(insert(decision).on_conflict_do_nothing(), [_decision(plan, now) for plan in fresh])
                self._effects(connection, fresh, now)
        return len(fresh)

    def _waiting(self, connection: sa.Connection, keys: Sequence[str]) -> set[str]:
        query = sa.select(message.c.key).where(message.c.key.in_(keys), message.c.state == "received")
        return set(connection.execute(query).scalars())

    def _effects(self, connection: sa.Connection, plans: Sequence[Plan], now: datetime) -> None:
        """What the plans start and what they end, in their order: a stop also ends what an earlier plan has started."""
        followed = _followed(connection, [address for plan in plans if plan.stop for address in plan.stopped])
        rows = _Rows(connection, self._keys, now)
        for plan in plans:
            if plan.appointments:
                if any(rows.concern(one.address) for one in plan.appointments):
                    rows.flush()
                _put(connection, self._keys, plan, now)
            sender = plan.message.sender.key if plan.message.sender else None
            cause = plan.decision.cause or plan.decision.template or ""
            rows.happened("decided", plan.message.key, sender, f"{plan.decision.outcome}: {cause}")
            for address, why in plan.suppress.items():
                rows.flush()
                suppress(connection, self._keys, address, why, now)
            for address in plan.stopped if plan.stop else ():
                if address in followed or rows.concern(address):
                    rows.flush()
                    stop_follow_ups(connection, self._keys, address, plan.stop or "", now)
            if plan.draft:
                rows.open_case(plan)
                rows.write_draft(plan.draft, plan.outgoing)
                rows.plan_steps(plan.decision.steps)
            if plan.beside:
                rows.write_draft(plan.beside, None)
            if plan.contact:
                rows.place_contact(plan, plan.contact)
            if plan.ground and sender:
                rows.know(sender, plan.ground)
        rows.flush()

    def step(self, plan: StepPlan, now: datetime) -> bool:
        """Write the answer to a due step: its draft, its new time, or the end of it. False when it was settled meanwhile."""
        open_step = sa.and_(step.c.key == plan.step.key, step.c.state.in_(("planned", "moved")))
        with self._database.writing() as connection:
            if connection.execute(sa.select(step.c.key).where(open_step)).first() is None:
                return False
            about = {"message": plan.step.case, "address": plan.step.address}
            why = "; ".join(plan.why)
            if plan.dropped:
                connection.execute(step.update().where(open_step).values(state="dropped", cause=plan.dropped))
                record(connection, self._keys, now, "dropped", text=f"touch {plan.step.number}: {plan.dropped}", **about)
                settle_contact(connection, self._keys, plan.step.address, plan.step.case, plan.dropped, now)
            elif plan.moved_to:
                connection.execute(step.update().where(open_step).values(state="moved", due=plan.moved_to, cause=why[:64]))
                record(connection, self._keys, now, "moved", text=f"touch {plan.step.number}: {why}", **about)
            elif plan.draft:
                rows = _Rows(connection, self._keys, now)
                rows.write_draft(plan.draft, plan.outgoing)
                rows.flush()
                connection.execute(step.update().where(open_step).values(state="drafted", draft=plan.draft.key))
        return True

    def due_steps(self, limit: int, now: datetime) -> list[tuple[FollowUp, Case]]:
        """Steps whose time has come, with the cases they belong to, earliest first; one a customer."""
        query = (
            sa.select(step)
            .where(step.c.state.in_(("planned", "moved")), step.c.due <= now)
            .order_by(step.c.due, step.c.key)
            .limit(limit * 4)
        )
        with self._database.reading() as connection:
            first: dict[str, Row] = {}
            for row in connection.execute(query):
                first.setdefault(row.address, row)
            rows = list(first.values())[:limit]
            of = [row.case for row in rows]
            cases = {row.message: read_case(row) for row in connection.execute(sa.select(case).where(case.c.message.in_(of)))}
            before = _drafts_before(connection, of)
        return [(read_step(row, before[row.case, row.number]), cases[row.case]) for row in rows]

    def verdict_of(self, key: str) -> Verdict:
        """The verdict on a mail as it was stored; that it is nothing if there is none."""
        with self._database.reading() as connection:
            return verdicts.read(connection.execute(sa.select(decision.c.verdict).where(decision.c.message == key)).scalar())

    def corrected(self, plan: Plan, correction: Correction, now: datetime) -> None:
        """A rep said what a mail really is: end what followed from the old reading, write the new one, keep the label."""
        key = plan.message.key
        with self._database.writing() as connection:
            old = connection.execute(sa.select(decision).where(decision.c.message == key)).first()
            self._learn(connection, key, old, correction, now)
            acknowledged = self._withdraw(connection, key, now)
            over = _over(connection, key)
            if not over:
                _forget_steps(connection, key)
            connection.execute(decision.delete().where(decision.c.message == key))
            connection.execute(decision.insert().values(**_decision(plan, now)))
            connection.execute(_FINISH, [_finished(plan)])
            record(connection, self._keys, now, "corrected", message=key, text=f"{correction.intent} {correction.reason or ''}")
            _close_or_reopen(connection, key, over=plan.draft is None)
            _put(connection, self._keys, plan, now)
            rows = _Rows(connection, self._keys, now)
            if plan.draft:
                rows.open_case(plan, alone=not over)
                if not acknowledged:
                    rows.write_draft(plan.draft, plan.outgoing)
                rows.plan_steps(plan.decision.steps)
            if plan.beside:
                rows.write_draft(plan.beside, None)
            if plan.contact:
                rows.place_contact(plan, plan.contact)
            if plan.ground and plan.message.sender:
                know_ground(connection, self._keys, plan.message.sender.key, plan.ground, now)
            rows.flush()

    def _learn(self, connection: sa.Connection, key: str, old: Row | None, correction: Correction, now: datetime) -> None:
        was = {"was_intent": old.intent, "was_reason": old.reason, "confidence": old.confidence} if old else {}
        earlier = connection.execute(sa.select(label).where(label.c.message == key)).first()
        if earlier:  # what the model said, not what the rep before said
            was = {name: earlier._mapping[name] for name in ("was_intent", "was_reason", "confidence")}
        said = {"intent": correction.intent, "reason": correction.reason, "by": correction.by}
        connection.execute(label.delete().where(label.c.message == key))
        connection.execute(label.insert().values(message=key, at=now, **was, **said))

    def _withdraw(self, connection: sa.Connection, key: str, now: datetime) -> bool:
        """Take back what is not out yet. Returns True when an acknowledgment is sent, or may be."""
        connection.execute(
            draft.update()
            .where(draft.c.case == key, draft.c.state == "waiting")
            .values(state="superseded", settled=now, by="correction")
        )
        ours = sa.select(draft.c.key).where(draft.c.case == key)
        withdraw_queued(connection, sa.and_(send.c.draft.in_(ours), send.c.state == "queued"), "corrected", now)
        acknowledgment = sa.and_(draft.c.case == key, draft.c.kind == Kind.ACKNOWLEDGMENT)
        gone = sa.select(send.c.key).join(draft, draft.c.key == send.c.draft).where(acknowledgment, send.c.state != "cancelled")
        return connection.execute(gone).first() is not None

    def over(self, key: str) -> bool:
        """Whether what this mail began ended by itself: by a reply, a booking, a newer mail; not by a rep's own no."""
        with self._database.reading() as connection:
            return _over(connection, key)

    def revision(self, key: str) -> int:
        """How many drafts of acknowledgments this case had; the number for the next one's key."""
        with self._database.reading() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(draft).where(draft.c.case == key, draft.c.kind == Kind.ACKNOWLEDGMENT)
            ).scalar_one()


def _close_or_reopen(connection: sa.Connection, key: str, *, over: bool) -> None:
    """A mail that is no cancellation has no case; one that is again after all goes on with the case that this had closed."""
    mine = case.update().where(case.c.message == key)
    if over:
        connection.execute(mine.where(case.c.closed.is_(None)).values(closed=CORRECTED))
    else:
        connection.execute(mine.where(case.c.closed.in_(_BY_A_REP)).values(closed=None))


_BY_A_REP = (CORRECTED, REJECTED)


def _over(connection: sa.Connection, key: str) -> bool:
    ended = sa.and_(case.c.message == key, case.c.closed.is_not(None), case.c.closed.not_in(_BY_A_REP))
    return connection.execute(sa.select(case.c.message).where(ended)).first() is not None


def _forget_steps(connection: sa.Connection, key: str) -> None:
    """Take the touches of a case away that are not out, nor may be; those that ended with the case, too, if a rep ended it.

    They are planned anew under the same keys.
    """
    unsent = sa.select(send.c.draft).where(send.c.state == "cancelled")
    withdrawn = sa.select(draft.c.key).where(
        draft.c.case == key, sa.or_(draft.c.state == "superseded", draft.c.key.in_(unsent))
    )
    closed = sa.select(case.c.message).where(case.c.message == key, case.c.closed.is_not(None)).exists()
    which = (
        step.c.state.in_(("planned", "moved")),
        sa.and_(step.c.state == "drafted", step.c.draft.in_(withdrawn)),
        sa.and_(step.c.state == "dropped", step.c.cause.in_((REJECTED, "case_closed")), closed),
    )
    connection.execute(step.delete().where(step.c.case == key, sa.or_(*which)))


def _drafts_before(connection: sa.Connection, of: Sequence[str]) -> Counter[tuple[str, int]]:
    """How many drafts these cases had for touches, by case and number."""
    touches = sa.select(draft.c.case, draft.c.number).where(draft.c.case.in_(of), draft.c.kind == Kind.FOLLOW_UP)
    return Counter((row.case, row.number) for row in connection.execute(touches))


_FINISH = (
    message.update()
    .where(message.c.key == sa.bindparam("of"))
    .values({name: sa.bindparam(f"new_{name}") for name in ("state", "reason", "message_id", "sender", "name", "subject")})
)


def _finished(plan: Plan) -> dict[str, Any]:
    mail = plan.message
    return {
        "of": mail.key,
        "new_state": _STATE[plan.decision.outcome],
        "new_reason": plan.decision.cause,
        "new_message_id": mail.message_id,
        "new_sender": mail.sender.key if mail.sender else None,
        "new_name": mail.sender.name[:256] if mail.sender else None,
        "new_subject": mail.subject[:1024],
    }


def _followed(connection: sa.Connection, addresses: Sequence[str]) -> set[str]:
    """Which of these addresses have an open case or a touch that is not settled."""
    wanted = sorted({address.lower() for address in addresses})
    found: set[str] = set()
    for start in range(0, len(wanted), 400):
        part = wanted[start : start + 400]
        found.update(
            connection.execute(sa.select(case.c.address).where(case.c.address.in_(part), case.c.closed.is_(None))).scalars()
        )
        unsettled = step.c.state.in_(("planned", "moved", "drafted"))
        found.update(connection.execute(sa.select(step.c.address).where(step.c.address.in_(part), unsettled)).scalars())
    return found


class _Rows:
    """New rows of several plans, gathered so that each table is written with one statement."""

    def __init__(self, connection: sa.Connection, keys: Keys, now: datetime) -> None:
        self._connection = connection
        self._keys = keys
        self._now = now
        self._superseded: list[dict[str, Any]] = []
        self._cases: list[dict[str, Any]] = []
        self._drafts: list[dict[str, Any]] = []
        self._sends: list[Send] = []
        self._steps: list[dict[str, Any]] = []
        self._contacts: list[dict[str, Any]] = []
        self._grounds: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def concern(self, address: str) -> bool:
        """Whether a row that is not written yet is about this address."""
        return any(row["address"] == address for row in self._cases)

    def happened(self, kind: str, of: str, address: str | None, text: str) -> None:
        """Gather an event."""
        who = self._keys.mark(address) if address else None
        self._events.append({"at": self._now, "kind": kind, "message": of, "who": who, "text": text[:512]})

    def know(self, address: str, ground: Ground) -> None:
        """Gather on what basis a customer may be followed up, as a mail shows it."""
        self._grounds.append(_ground(address, ground, self._now))

    def open_case(self, plan: Plan, *, alone: bool = True) -> None:
        """Gather the case that a cancellation begins; if it is to stand `alone`, it closes the customer's other open ones."""
        mail, verdict = plan.message, plan.verdict
        if mail.sender is None or verdict is None:
            return
        if alone:
            self._superseded.append({"of": mail.sender.key, "but": mail.key})
        self._cases.append(
            {
                "message": mail.key,
                "address": mail.sender.key,
                "name": mail.sender.name[:256],
                "message_id": mail.message_id,
                "thread": list(mail.thread),
                "subject": mail.subject[:1024],
                "text": mail.text,
                "sent": mail.sent or mail.arrived,
                "language": verdict.language,
                "intent": verdict.intent,
                "reason": verdict.reason,
                "subreason": verdict.subreason,
                "wished": plan.wished,
                "opened": self._now,
                "appointment": plan.appointments[0].key if plan.appointments else None,
                "late": plan.late,
            }
        )

    def write_draft(self, made: Draft, outgoing: Send | None) -> None:
        """Gather a draft, and the mail of one that needs no rep."""
        self._drafts.append(
            {
                "key": made.key,
                "kind": made.kind,
                "case": made.case,
                "number": made.number,
                "address": made.recipient.key,
                "name": made.recipient.name[:256],
                "subject": made.subject,
                "text": made.text,
                "quote": made.quote,
                "language": made.language,
                "template": made.template,
                "reason": made.reason,
                "headers": [list(pair) for pair in made.headers],
                "notes": [list(pair) for pair in made.notes],
                "made": self._now,
                "state": "approved" if outgoing else "waiting",
                "settled": self._now if outgoing else None,
                "by": "winback" if outgoing else None,
                "until": made.until,
            }
        )
        if outgoing:
            self._sends.append(outgoing)
        text = f"{made.kind} {made.number}: {'goes out by itself' if outgoing else 'waits for review'}"
        self.happened("drafted", made.case, made.recipient.key, text)

    def plan_steps(self, steps: Sequence[FollowUp]) -> None:
        """Gather planned touches."""
        for planned in steps:
            self._steps.append(
                {
                    "key": planned.key,
                    "case": planned.case,
                    "address": planned.address,
                    "track": planned.track,
                    "number": planned.number,
                    "template": planned.template,
                    "due": planned.due,
                }
            )
            text = f"touch {planned.number} of {planned.track} on {planned.due:%Y-%m-%d}"
            self.happened("planned", planned.case, planned.address, text)

    def place_contact(self, plan: Plan, state: ContactState) -> None:
        """Gather where a customer stands now."""
        mail = plan.message
        if mail.sender is None:
            return
        cause = _cause(plan.verdict)[:64]
        self._contacts.append(
            {
                "address": mail.sender.key,
                "name": mail.sender.name[:256],
                "language": plan.verdict.language if plan.verdict else None,
                "state": state,
                "cause": cause,
                "since": self._now,
                "first_seen": self._now,
            }
        )
        self.happened(state, mail.key, mail.sender.key, cause)

    def flush(self) -> None:
        """Write what was gathered, in the order in which rows refer to each other."""
        run = self._connection.execute
        for statement, rows in (
            (_SUPERSEDE, self._superseded),
            (_OPEN, self._cases),
            (insert(draft).on_conflict_do_nothing(), self._drafts),
            (insert(step).on_conflict_do_nothing(), self._steps),
            (_PLACE, self._contacts),
            (_KNOW, self._grounds),
            (event.insert(), self._events),
        ):
            if rows:
                run(statement, rows)
                rows.clear()
        queue(self._connection, self._sends, self._now)
        self._sends.clear()


# After these nobody is there who could wake up.
_DEAD_ENDS = frozenset({"bounce"})

# What a mail tells nothing of.
_FROM_FILES = ("first_seen", "package", "sessions_left")

_SUPERSEDE = (
    case.update()
    .where(case.c.address == sa.bindparam("of"), case.c.closed.is_(None), case.c.message != sa.bindparam("but"))
    .values(closed="newer case")
)


def _upsert(table: sa.Table, key: str, keep: Sequence[str], unless_empty: Sequence[str] = ()) -> Insert:
    """Insert, or bring the row up to date: `keep` columns stay as they were, `unless_empty` ones if nothing new is known."""
    statement = insert(table)
    left_alone = {key, *keep, "acknowledged", "touches", "last_touch", "closed"}
    changes: dict[str, Any] = {}
    for column in table.columns:
        if column.name in left_alone:
            continue
        new = statement.excluded[column.name]
        changes[column.name] = sa.func.coalesce(sa.func.nullif(new, ""), column) if column.name in unless_empty else new
    return statement.on_conflict_do_update(index_elements=[key], set_=changes)


_OPEN = _upsert(case, "message", keep=("opened",))
_PLACE = _upsert(contact, "address", keep=_FROM_FILES, unless_empty=("name", "language"))


def write_drafts(connection: sa.Connection, keys: Keys, made: Sequence[tuple[Draft, Send | None]], now: datetime) -> None:
    """Write drafts, each with its frozen mail if it needs no rep."""
    rows = _Rows(connection, keys, now)
    for one, outgoing in made:
        rows.write_draft(one, outgoing)
    rows.flush()


def _put(connection: sa.Connection, keys: Keys, plan: Plan, now: datetime) -> None:
    for one in plan.appointments:
        if diary.put(connection, one, now).booked:
            rebooked(connection, keys, one.address, now)


def rebooked(connection: sa.Connection, keys: Keys, address: str, now: datetime) -> None:
    """A customer has a new date: whatever is planned to win them back ends, and they are back, or have their other date."""
    address = address.lower()
    open_case = sa.and_(case.c.address == address, case.c.closed.is_(None), case.c.opened < now)
    before = connection.execute(sa.select(case.c.intent).where(open_case).order_by(case.c.opened.desc())).scalar()
    if before is None:
        return
    stop_follow_ups(connection, keys, address, "rebooked", now)
    state = ContactState.WON_BACK if before == Intent.CANCEL else ContactState.RESCHEDULED
    done = connection.execute(
        contact.update()
        .where(contact.c.address == address, contact.c.state != ContactState.SUPPRESSED)
        .values(state=state, cause="has a new date", since=now)
    )
    if done.rowcount:
        record(connection, keys, now, state, address=address, text="has a new date")


def queue(connection: sa.Connection, mails: Sequence[Send], now: datetime) -> None:
    """Queue frozen mails, each once for its key."""
    rows = [
        {
            "key": mail.key,
            "draft": mail.draft,
            "message_id": mail.message_id,
            "address": mail.recipient.lower(),
            "domain": Address(address=mail.recipient).domain,
            "automatic": mail.automatic,
            "data": mail.data,
            "not_before": now,
            "queued": now,
        }
        for mail in mails
    ]
    if rows:
        connection.execute(insert(send).on_conflict_do_nothing(), rows)


def withdraw_queued(connection: sa.Connection, which: sa.ColumnElement[bool], cause: str, now: datetime) -> None:
    """Cancel mails that are queued and were not claimed."""
    connection.execute(send.update().where(which).values(state="cancelled", finished=now, cause=cause))


def suppress(connection: sa.Connection, keys: Keys, address: str, cause: str, now: datetime) -> None:
    """Never write to this address again: nothing queued, drafted or planned for it leaves any more.

    One exception: who cancels and opts out in one mail may still be told, by a rep, that the cancellation was received.
    """
    mark = keys.mark(address)
    connection.execute(insert(suppression).values(mark=mark, cause=cause, since=now).on_conflict_do_nothing())
    stop_follow_ups(connection, keys, address, cause, now)
    if cause != OPT_OUT:
        connection.execute(
            draft.update()
            .where(draft.c.address == address.lower(), draft.c.state == "waiting")
            .values(state="superseded", settled=now, by=cause)
        )
        withdraw_queued(connection, sa.and_(send.c.address == address.lower(), send.c.state == "queued"), cause, now)
    connection.execute(
        contact.update()
        .where(contact.c.address == address.lower())
        .values(state=ContactState.SUPPRESSED, cause=cause, since=now)
    )
    record(connection, keys, now, "suppressed", address=address, text=cause)


def stop_follow_ups(connection: sa.Connection, keys: Keys, address: str, cause: str, now: datetime) -> None:
    """Drop the planned touches of an address with a written cause; drafts and queued mails of touches go with them."""
    address = address.lower()
    open_steps = connection.execute(
        sa.select(step).where(step.c.address == address, step.c.state.in_(("planned", "moved", "drafted")))
    ).all()
    for row in open_steps:
        connection.execute(step.update().where(step.c.key == row.key).values(state="dropped", cause=cause))
        text = f"touch {row.number} of {row.track}: {cause}"
        record(connection, keys, now, "dropped", message=row.case, address=address, text=text)
    touches = sa.and_(draft.c.address == address, draft.c.kind == Kind.FOLLOW_UP)
    connection.execute(
        draft.update().where(touches, draft.c.state == "waiting").values(state="superseded", settled=now, by=cause)
    )
    ours = sa.select(draft.c.key).where(touches)
    withdraw_queued(connection, sa.and_(send.c.draft.in_(ours), send.c.state == "queued"), cause, now)
    connection.execute(case.update().where(case.c.address == address, case.c.closed.is_(None)).values(closed=cause))
    # Who sleeps wakes by whatever they do (playbook S2.2).
    stirred = contact.c.state.in_((ContactState.IN_FOLLOW_UP, ContactState.HIBERNATING))
    state = ContactState.CLOSED if cause in _DEAD_ENDS else ContactState.ACTIVE
    connection.execute(
        contact.update().where(contact.c.address == address, stirred).values(state=state, cause=cause, since=now)
    )


def know_ground(connection: sa.Connection, keys: Keys, address: str, ground: Ground, now: datetime) -> bool:
    """Write down on what basis a customer may be followed up. False when what is known already counts for more."""
    done = connection.execute(_KNOW, _ground(address, ground, now))
    if done.rowcount and ground.by_person:
        record(connection, keys, now, "basis", address=address, text=f"{ground.basis}, recorded by a person")
    return bool(done.rowcount)


def _ground(address: str, ground: Ground, now: datetime) -> dict[str, Any]:
    return {
        "address": address.lower(),
        "basis": ground.basis,
        "evidence": ground.evidence[:512],
        "since": ground.since,
        "by_person": ground.by_person,
        "at": now,
    }


def _known() -> Insert:
    """Insert a basis, or change it: a person's word by a person alone, and consent is worth more than a contract."""
    statement = insert(basis)
    new = statement.excluded
    better = sa.or_(basis.c.basis != Basis.CONSENT, new.basis == Basis.CONSENT)
    return statement.on_conflict_do_update(
        index_elements=["address"],
        set_={column.name: new[column.name] for column in basis.columns if not column.primary_key},
        where=sa.or_(new.by_person, sa.and_(~basis.c.by_person, better)),
    )


_KNOW = _known()


def settle_contact(connection: sa.Connection, keys: Keys, address: str, of: str, cause: str, now: datetime) -> None:
    """When the last touch of a case is dropped, its contact hibernates."""
    left = sa.select(step.c.key).where(step.c.case == of, step.c.state.in_(("planned", "moved", "drafted")))
    if connection.execute(left).first() is not None:
        return
    done = connection.execute(
        contact.update()
        .where(contact.c.address == address.lower(), contact.c.state == ContactState.IN_FOLLOW_UP)
        .values(state=ContactState.HIBERNATING, cause=cause, since=now)
    )
    if done.rowcount:
        record(connection, keys, now, "hibernating", message=of, address=address, text=cause)


def read_step(row: Row, revision: int = 0) -> FollowUp:
    """A row of the step table as the core's record; `revision` as there."""
    return FollowUp(
        key=row.key,
        case=row.case,
        address=row.address,
        track=row.track,
        number=row.number,
        template=row.template,
        due=row.due,
        revision=revision,
    )


def _cause(verdict: Verdict | None) -> str:
    """Why a contact is where it is after a mail, in a few words."""
    if verdict is None or verdict.opt_out:
        return OPT_OUT if verdict else ""
    if verdict.intent is Intent.RESCHEDULE:
        return "wants another date"
    return f"cancelled: {verdict.sensitive or verdict.subreason or verdict.reason}"


def _decision(plan: Plan, now: datetime) -> Mapping[str, Any]:
    verdict = plan.verdict
    return {
        "message": plan.message.key,
        "at": now,
        "outcome": plan.decision.outcome,
        "check": plan.screening.check,
        "intent": verdict.intent if verdict else None,
        "reason": verdict.reason if verdict else None,
        "subreason": verdict.subreason if verdict else None,
        "confidence": verdict.confidence if verdict else None,
        "language": verdict.language if verdict else None,
        "sensitive": verdict.sensitive if verdict else None,
        "opt_out": verdict.opt_out if verdict else None,
        "template": plan.decision.template,
        "review": plan.decision.review,
        "why": list(plan.decision.why),
        "verdict": verdicts.plain(verdict) if verdict else None,
    }
