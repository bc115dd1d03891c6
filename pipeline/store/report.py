"""The facts of a period for the report to the owner: a few queries over all rows at once. No figure is made here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pipeline.core.figures import ALARM_WINDOW, Corrected, Facts, Matter, Moment, Period, Price, Settled, TextSent
from pipeline.core.records import ContactState, Intent, Kind, Outcome, Reason
from pipeline.store.database import Database
from pipeline.store.keys import Keys
from pipeline.store.schema import appointment, case, decision, draft, event, label, message, send, step

_BACK = (ContactState.WON_BACK, ContactState.RESCHEDULED)
_TO_CUSTOMERS = (Kind.ACKNOWLEDGMENT, Kind.FOLLOW_UP)

# A matter is a case that was begun by a mail, as the mail is understood today: a rep may have corrected it.
_MATTERS = (
    sa.select(message.c.key)
    .join(case, case.c.message == message.c.key)
    .join(decision, decision.c.message == message.c.key)
    .where(decision.c.outcome == Outcome.ANSWER)
)


class Report:
    """Reads; changes nothing."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def facts(self, period: Period) -> Facts:
        """Everything that the report of a period is made of, as one view of the store. Customers stand in it by their marks."""
        inside = sa.and_(message.c.arrived >= period.start, message.c.arrived < period.end)
        recent = sa.and_(message.c.arrived >= period.end - ALARM_WINDOW, message.c.arrived < period.end)
        matters = _MATTERS.where(sa.or_(inside, recent), decision.c.intent.in_((Intent.CANCEL, Intent.RESCHEDULE)))
        with self._database.reading() as connection:
            return Facts(
                matters=self._matters(connection, matters),
                cancelled=self._cancelled(connection),
                came_back=_came_back(connection),
                texts=_texts(connection, matters),
                settled=_settled(connection, period),
                corrected=_corrected(connection, period),
                held=_held(connection, inside),
            )

    def _matters(self, connection: sa.Connection, which: sa.Select[Any]) -> tuple[Matter, ...]:
        columns = (
            message.c.key,
            message.c.arrived,
            message.c.old,
            case.c.address,
            case.c.acknowledged,
            decision.c.intent,
            decision.c.reason,
            decision.c.subreason,
            decision.c.sensitive,
            decision.c.verdict,
        )
        rows = connection.execute(which.with_only_columns(*columns).order_by(message.c.arrived, message.c.key)).all()
        tracks: defaultdict[str, list[str]] = defaultdict(list)
        for row in connection.execute(sa.select(step.c.case, step.c.track).where(step.c.case.in_(which)).distinct()):
            tracks[row.case].append(row.track)
        prices = _prices(connection, which)
        return tuple(self._matter(row, tuple(sorted(tracks[row.key])), prices.get(row.key)) for row in rows)

    def _matter(self, row: Any, tracks: tuple[str, ...], price: Price | None) -> Matter:
        return Matter(
            key=row.key,
            who=self._keys.mark(row.address),
            arrived=row.arrived,
            intent=Intent(row.intent),
            reason=Reason(row.reason) if row.reason else None,
            subreason=row.subreason,
            # Of grief and illness a report counts, but it does not quote.
            words=() if row.sensitive else tuple((row.verdict or {}).get("evidence", ())),
            answered=row.acknowledged,
            old=row.old,
            tracks=tracks,
            price=price,
        )

    def _cancelled(self, connection: sa.Connection) -> tuple[Moment, ...]:
        query = _MATTERS.where(decision.c.intent == Intent.CANCEL).with_only_columns(case.c.address, message.c.arrived)
        return tuple(Moment(who=self._keys.mark(row.address), at=row.arrived) for row in connection.execute(query))


def _came_back(connection: sa.Connection) -> tuple[Moment, ...]:
    """When customers took or asked for a new date; a mail that did counts from its arrival, not from when it was read."""
    query = (
        sa.select(event.c.who, sa.func.coalesce(message.c.arrived, event.c.at, type_=event.c.at.type).label("at"))
        .outerjoin(message, message.c.key == event.c.message)
        .where(event.c.kind.in_(_BACK), event.c.who.is_not(None))
        .order_by(event.c.id)
    )
    return tuple(Moment(who=row.who, at=row.at) for row in connection.execute(query))


def _texts(connection: sa.Connection, matters: sa.Select[Any]) -> tuple[TextSent, ...]:
    query = (
        sa.select(draft.c.template, draft.c.case, send.c.finished)
        .join(send, send.c.draft == draft.c.key)
        .where(send.c.state == "sent", draft.c.kind.in_(_TO_CUSTOMERS), draft.c.case.in_(matters))
        .order_by(send.c.finished, send.c.key)
    )
    return tuple(TextSent(template=row.template, matter=row.case, at=row.finished) for row in connection.execute(query))


def _settled(connection: sa.Connection, period: Period) -> tuple[Settled, ...]:
    query = (
        sa.select(draft.c.template, draft.c.by, draft.c.edited, draft.c.state)
        .where(draft.c.settled >= period.start, draft.c.settled < period.end)
        .where(draft.c.state.in_(("approved", "rejected")), draft.c.kind.in_(_TO_CUSTOMERS))
        .order_by(draft.c.settled, draft.c.key)
    )
    return tuple(
        Settled(template=row.template, automatic=row.by == "winback", edited=row.edited, rejected=row.state == "rejected")
        for row in connection.execute(query)
    )


def _corrected(connection: sa.Connection, period: Period) -> tuple[Corrected, ...]:
    query = sa.select(label).where(label.c.at >= period.start, label.c.at < period.end, label.c.was_intent.is_not(None))
    return tuple(
        Corrected(was=_reading(row.was_intent, row.was_reason), became=_reading(row.intent, row.reason))
        for row in connection.execute(query.order_by(label.c.id))
    )


def _reading(intent: str, reason: str | None) -> str:
    return reason if intent == Intent.CANCEL and reason else intent


def _held(connection: sa.Connection, inside: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(message.join(decision, decision.c.message == message.c.key))
    return connection.execute(query.where(inside, message.c.state == "held", decision.c.intent == Intent.CANCEL)).scalar_one()


def _prices(connection: sa.Connection, matters: sa.Select[Any]) -> Mapping[str, Price]:
    """The price of the appointment that each matter is about, where it is known."""
    priced = connection.execute(
        sa.select(case.c.message, appointment.c.price, appointment.c.currency)
        .join(appointment, appointment.c.key == case.c.appointment)
        .where(case.c.message.in_(matters), appointment.c.price.is_not(None))
    ).all()
    return {row.message: Price(amount=Decimal(row.price), currency=row.currency or "") for row in priced}
