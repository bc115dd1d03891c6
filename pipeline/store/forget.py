"""What privacy.keep_history takes away: ended matters, customers who fell silent, and whose mail an old row tells of.

And what an erasure takes away in the mails of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.store.schema import (
    appointment,
    attempt,
    basis,
    cap_event,
    case,
    contact,
    control,
    decision,
    draft,
    event,
    label,
    message,
    policy_receipt,
    raw,
    send,
    step,
)

_OWED = "empty:"
_BLANK = {"sender": None, "name": None, "subject": None, "message_id": None}


def forget(connection: sa.Connection, before: datetime) -> int:
    """Forget what ended before this moment, and customers not heard from since. Returns how many cases and customers went.

    A customer for whom something is still planned stays, and so does what a person recorded as the basis for follow-ups:
    it is the proof of the right to write, and is kept as long as the right. Rows of mails stay, so that none is fetched
    again, but tell of nobody any more.
    """
    connection.execute(appointment.delete().where(appointment.c.start < before))
    silent = _silent(before)
    old = sa.select(case.c.message).where(
        sa.or_(sa.and_(case.c.opened < before, case.c.closed.is_not(None)), case.c.address.in_(silent))
    )
    drafts = sa.select(draft.c.key).where(draft.c.case.in_(old))
    sends = sa.select(send.c.key).where(send.c.draft.in_(drafts))
    followed = sa.select(case.c.address).where(case.c.closed.is_(None))
    for table, which in (
        (attempt, attempt.c.send.in_(sends)),
        (cap_event, cap_event.c.send.in_(sends)),
        (step, step.c.case.in_(old)),
        (send, send.c.draft.in_(drafts)),
        (draft, draft.c.case.in_(old)),
        (policy_receipt, policy_receipt.c.address.in_(silent)),
    ):
        connection.execute(table.delete().where(which))
    gone = connection.execute(case.delete().where(case.c.message.in_(old))).rowcount
    gone += connection.execute(contact.delete().where(contact.c.address.in_(silent))).rowcount
    found = sa.and_(basis.c.at < before, ~basis.c.by_person, basis.c.address.not_in(followed))
    connection.execute(basis.delete().where(found))
    _blank_mails(connection, before)
    return gone


def _silent(before: datetime) -> sa.Select[tuple[str]]:
    """The customers not heard from since this moment, for whom nothing is planned or on its way."""
    wrote = sa.select(message.c.key).where(message.c.sender == contact.c.address, message.c.taken >= before)
    planned = sa.select(step.c.key).where(
        step.c.address == contact.c.address, step.c.state.in_(("planned", "moved", "drafted"))
    )
    leaving = sa.select(send.c.key).where(
        send.c.address == contact.c.address, send.c.state.in_(("queued", "sending", "uncertain"))
    )
    booked = sa.select(appointment.c.key).where(appointment.c.address == contact.c.address)
    return sa.select(contact.c.address).where(
        contact.c.since < before,
        *(~rows.correlate(contact).exists() for rows in (wrote, planned, leaving, booked)),
    )


def _blank_mails(connection: sa.Connection, before: datetime) -> None:
    """Take from the rows of old mails whom they are from and what they say; those of a matter that goes on stay."""
    over = sa.and_(message.c.taken < before, message.c.state != "received", message.c.key.not_in(sa.select(case.c.message)))
    keys = sa.select(message.c.key).where(over)
    connection.execute(decision.delete().where(decision.c.message.in_(keys)))
    connection.execute(label.delete().where(label.c.message.in_(keys)))
    connection.execute(event.delete().where(event.c.at < before))
    connection.execute(message.update().where(over, message.c.sender.is_not(None)).values(**_BLANK))


def empty(connection: sa.Connection, keys: Sequence[str], now: datetime) -> int:
    """Take away what these mails say, of each as soon as it is done with. Returns how many went at once.

    One that waits to be read, or to be shown to a person, is somebody's matter: it would be lost. It goes with `empty_done`.
    """
    rows = [{"name": f"{_OWED}{key}", "value": key, "at": now} for key in keys]
    if rows:
        connection.execute(insert(control).on_conflict_do_nothing(), rows)
    return empty_done(connection)


def empty_done(connection: sa.Connection) -> int:
    """Take away what mails say that were to be emptied and were read, and shown if they are held, meanwhile."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    waits = sa.or_(message.c.state == "received", sa.and_(message.c.state == "held", ~message.c.shown))
    done = sa.and_(control.c.name.startswith(_OWED), control.c.value.not_in(sa.select(message.c.key).where(waits)))
    keys = sa.select(control.c.value).where(done)
    gone = connection.execute(raw.delete().where(raw.c.message.in_(keys))).rowcount
    connection.execute(message.update().where(message.c.key.in_(keys)).values(subject=None))
    connection.execute(control.delete().where(done))
    return gone
