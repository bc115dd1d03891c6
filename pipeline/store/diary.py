"""Write down what was told of an appointment: one row each, however often and by whomever it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pipeline.core.records import Appointment, AppointmentState
from pipeline.store.schema import appointment, case

Row = sa.Row[Any]

# Who knows an appointment's own name, so that it can be followed through a change of its time.
_NAMES_IT = frozenset({"file", "calendar", "mail"})
# What lags behind the customers' mails: it can't bring back what was called off.
_LAGS = frozenset({"file", "calendar"})
_KEPT_IF_UNKNOWN = ("end", "name", "language", "service", "price", "paid", "spent", "currency", "package", "sessions_left")


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a telling changed: `new`, `changed` or `same`; `booked`: there is a new date ahead that was not known before."""

    change: str
    booked: bool = False


def put(connection: sa.Connection, one: Appointment, now: datetime) -> Written:
    """Bring the row of an appointment up to date. What is not known this time stays as it was."""
    row = _row_of(connection, one)
    if row is None:
        connection.execute(appointment.insert(), {"key": one.key, "seen": now, "since": now, **_told(one)})
        return Written(change="new", booked=_is_ahead(one.state, one.start, now))
    told = _told(one)
    values = {name: value for name, value in told.items() if name not in _KEPT_IF_UNKNOWN or value not in (None, "")}
    moved = row.start != one.start and row.start_by is None
    if row.start_by is None and one.start_by is not None:
        values |= {"start": row.start, "start_by": None}  # who tells the day alone takes no hour away
        moved = False
    back = one.state is AppointmentState.BOOKED and row.state != AppointmentState.BOOKED
    if back and not moved and one.source in _LAGS:
        values |= {"state": row.state, "cause": row.cause}
    if row.source in _NAMES_IT or one.source not in _NAMES_IT:
        values["source"] = row.source
    else:
        values["key"] = one.key
        connection.execute(case.update().where(case.c.appointment == row.key).values(appointment=one.key))
    if values["state"] == row.state and not moved:
        values["cause"] = row.cause or values["cause"]
    changes = {name: value for name, value in values.items() if value != row._mapping[name]}
    if not changes:
        return Written(change="same")
    if moved or "state" in changes:
        changes |= {"since": now, "handled": None}
    connection.execute(appointment.update().where(appointment.c.key == row.key).values(**changes))
    booked = (moved or "state" in changes) and _is_ahead(values["state"], values["start"], now)
    return Written(change="changed", booked=booked)


_key: sa.BindParameter[str] = sa.bindparam("key")
_address: sa.BindParameter[str] = sa.bindparam("address")
_start: sa.BindParameter[datetime] = sa.bindparam("start", type_=appointment.c.start.type)
_WAYS = (
    appointment.c.key == _key,
    sa.and_(appointment.c.address == _address, appointment.c.start == _start),
    sa.and_(
        sa.bindparam("timed"),
        appointment.c.address == _address,
        appointment.c.start_by.is_not(None),
        appointment.c.start <= _start,
        appointment.c.start_by >= _start,
    ),
)
_KNOWN_AGAIN = (
    sa.select(appointment)
    .where(sa.or_(*_WAYS))
    .order_by(sa.case(*((way, number) for number, way in enumerate(_WAYS))), appointment.c.seen)
    .limit(1)
)


def _row_of(connection: sa.Connection, one: Appointment) -> Row | None:
    """The row of this appointment: by its own name, else by who comes when, else by the day that the customer named."""
    values = {"key": one.key, "address": one.address, "start": one.start, "timed": one.timed}
    return connection.execute(_KNOWN_AGAIN, values).first()


def _is_ahead(state: str, start: datetime, now: datetime) -> bool:
    return state == AppointmentState.BOOKED and start > now


def _told(one: Appointment) -> dict[str, Any]:
    return {
        "address": one.address,
        "name": one.name[:256],
        "language": one.language,
        "start": one.start,
        "start_by": one.start_by,
        "end": one.end,
        "service": one.service[:128],
        "state": one.state,
        "cause": one.cause[:64],
        "price": _text(one.price),
        "paid": _text(one.paid),
        "spent": _text(one.spent),
        "currency": one.currency,
        "package": one.package,
        "sessions_left": one.sessions_left,
        "source": one.source,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def read(row: Row) -> Appointment:
    """A row of the appointment table as the core's record."""
    return Appointment(
        key=row.key,
        address=row.address,
        name=row.name,
        language=row.language,
        start=row.start,
        start_by=row.start_by,
        end=row.end,
        service=row.service,
        state=AppointmentState(row.state),
        cause=row.cause,
        since=row.since,
        price=_amount(row.price),
        paid=_amount(row.paid),
        spent=_amount(row.spent),
        currency=row.currency,
        package=row.package,
        sessions_left=row.sessions_left,
        source=row.source,
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
