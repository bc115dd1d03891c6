"""The breaker: when more goes out by itself than ever before, or too much of it reaches nobody, a person has to look (rule C6).

From then on nothing automatic leaves, in the very transaction that would have claimed the next mail. What reps release still
goes out. `winback resume` closes it again, and what happened before counts no more.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.records import Caps
from pipeline.store.events import record
from pipeline.store.keys import Keys
from pipeline.store.schema import attempt, cap_event, control, send, suppression

HOUR = timedelta(hours=1)
WEEK = 7 * 24  # hours
LAST = 20  # mails, among which the dead addresses are counted
MOST_DEAD = 2

# What a server says of an address that does not exist (RFC 3463: 5.1.x), with and without the code.
NOBODY_THERE = re.compile(r"\b5\.1\.[1236]\b|user unknown|unknown user|no such user|does not exist", re.IGNORECASE)


def open_since(connection: sa.Connection) -> tuple[str, datetime] | None:
    """Why nothing automatic leaves, and since when; None while the breaker is closed."""
    row = connection.execute(sa.select(control.c.value, control.c.at).where(control.c.name == "breaker")).first()
    return (row.value, row.at) if row else None


def lets_through(connection: sa.Connection, keys: Keys, caps: Caps, now: datetime) -> bool:
    """Whether one more automatic mail may be claimed; opens the breaker if it is the one too many."""
    if open_since(connection):
        return False
    closed = connection.execute(sa.select(control.c.at).where(control.c.name == "breaker_closed")).scalar()
    why = _too_many(connection, caps, closed, now) or _too_dead(connection, keys, closed)
    if why is None:
        return True
    connection.execute(insert(control).values(name="breaker", value=why, at=now).on_conflict_do_nothing())
    record(connection, keys, now, "breaker", text=why)
    return False


def close(connection: sa.Connection, now: datetime) -> bool:
    """A person looked: count anew from now on. False when it was not open."""
    done = connection.execute(control.delete().where(control.c.name == "breaker"))
    if done.rowcount:
        mark = insert(control).values(name="breaker_closed", value="", at=now)
        connection.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"at": now}))
    return bool(done.rowcount)


def _too_many(connection: sa.Connection, caps: Caps, closed: datetime | None, now: datetime) -> str | None:
    """Within an hour as many left by themselves as `burst`, and three times as many as in a usual hour of the last week."""
    since = max(now - HOUR, closed) if closed else now - HOUR
    automatic = sa.select(cap_event.c.at).where(cap_event.c.automatic)
    lately = len(connection.execute(automatic.where(cap_event.c.at > since)).all())
    if lately < caps.burst:
        return None
    before = automatic.where(cap_event.c.at > now - WEEK * HOUR, cap_event.c.at <= now - HOUR)
    hours = Counter((now - at) // HOUR for at in connection.execute(before).scalars())
    usual = median([*hours.values(), *[0] * (WEEK - 1 - len(hours))])
    if lately < 3 * usual:
        return None
    return f"{lately} automatic mails went out within an hour, which is far more than usual"


def _too_dead(connection: sa.Connection, keys: Keys, closed: datetime | None) -> str | None:
    """More than two of the last twenty mails went to addresses that do not exist."""
    ends = sa.select(attempt.c.at, attempt.c.phase, attempt.c.reply, send.c.address).join(send, send.c.key == attempt.c.send)
    last = ends.where(attempt.c.phase.in_(("sent", "refused"))).order_by(attempt.c.id.desc()).limit(LAST)
    rows = [row for row in connection.execute(last) if closed is None or row.at > closed]
    marks = {keys.mark(row.address) for row in rows}
    bounced = sa.select(suppression.c.mark).where(suppression.c.mark.in_(marks), suppression.c.cause == "bounce")
    dead = set(connection.execute(bounced).scalars())
    count = sum(
        keys.mark(row.address) in dead or (row.phase == "refused" and bool(NOBODY_THERE.search(row.reply))) for row in rows
    )
    return f"{count} of the last {len(rows)} mails went to addresses that do not exist" if count > MOST_DEAD else None
