"""What the store looks like from outside: counts for `status`, lines for the live table, time lines of customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.core.records import Intent, Kind, Lesson, Reason, mailbox
from pipeline.store.database import Database
from pipeline.store.forget import empty_done, forget
from pipeline.store.schema import (
    LETTER,
    NO_SHOW,
    appointment,
    contact,
    decision,
    draft,
    label,
    message,
    raw,
    send,
    step,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One mail and what became of it. Fields that do not apply are None."""

    key: str
    arrived: datetime
    sender: str | None
    name: str | None
    subject: str | None
    state: str
    cause: str | None
    intent: str | None
    reason: str | None
    confidence: float | None
    draft: str | None
    draft_state: str | None
    send_state: str | None
    steps: int


class Overview:
    """Reads; changes nothing but what `tidy` takes away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by table and state."""
        with self._database.reading() as connection:
            return {
                table.name: dict(
                    connection.execute(
                        sa.select(table.c.state, sa.func.count()).group_by(table.c.state).order_by(table.c.state)
                    ).all()
                )
                for table in (message, draft, send, step, contact, appointment)
            }

    def causes(self) -> dict[str, int]:
        """Why mails were ignored or held, most frequent first."""
        query = (
            sa.select(message.c.reason, sa.func.count())
            .where(message.c.reason.is_not(None))
            .group_by(message.c.reason)
            .order_by(sa.func.count().desc(), message.c.reason)
        )
        with self._database.reading() as connection:
            return dict(connection.execute(query).all())

    def lines(self, limit: int = 200) -> list[Line]:
        """The newest mails with what became of them, oldest first."""
        first = sa.and_(draft.c.number == 0, draft.c.kind == Kind.ACKNOWLEDGMENT)
        acknowledgment = sa.and_(draft.c.case == message.c.key, first, draft.c.state != "superseded")
        steps = (
            sa.select(sa.func.count())
            .where(step.c.case == message.c.key, step.c.state.in_(("planned", "moved", "drafted")))
            .scalar_subquery()
        )
        query = (
            sa.select(
                message,
                decision.c.intent,
                decision.c.reason.label("why_cancelled"),
                decision.c.confidence,
                draft.c.key.label("draft"),
                draft.c.state.label("draft_state"),
                send.c.state.label("send_state"),
                steps.label("steps"),
            )
            .select_from(
                message.outerjoin(decision, decision.c.message == message.c.key)
                .outerjoin(draft, acknowledgment)
                .outerjoin(send, send.c.draft == draft.c.key)
            )
            .where(sa.or_(message.c.reason.is_(None), message.c.reason != "passed"))
            .where(message.c.folder.not_in((NO_SHOW, LETTER)))
            .order_by(message.c.arrived.desc(), message.c.key)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [_line(row) for row in reversed(rows)]

    def next_due(self) -> datetime | None:
        """When the next planned step or queued mail is due, or None."""
        with self._database.reading() as connection:
            planned = connection.execute(
                sa.select(sa.func.min(step.c.due)).where(step.c.state.in_(("planned", "moved")))
            ).scalar()
            queued = connection.execute(sa.select(sa.func.min(send.c.not_before)).where(send.c.state == "queued")).scalar()
        times = [moment for moment in (planned, queued) if moment]
        return min(times) if times else None

    def corrections(self) -> list[Lesson]:
        """What reps said mails really are, oldest first; the last word on each mail."""
        query = sa.select(label, message.c.sender).join(message, message.c.key == label.c.message).order_by(label.c.at)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [_lesson(row) for row in rows]

    def tidy(self, keep_raw: timedelta, keep_history: timedelta, now: datetime) -> tuple[int, int]:
        """Empty raw mails that are older than `keep_raw`, or that an erasure waits for, and forget what is older than
        `keep_history` (see `forget`).

        Returns how many raw mails were emptied, and how many cases and customers forgotten. Mails that nobody has read stay.
        """
        with self._database.writing() as connection:
            read = sa.select(message.c.key).where(message.c.taken < now - keep_raw, message.c.state != "received")
            emptied = connection.execute(raw.delete().where(raw.c.message.in_(read))).rowcount
            emptied += empty_done(connection)
            forgotten = forget(connection, now - keep_history)
        return emptied, forgotten


def _lesson(row: sa.Row[Any]) -> Lesson:
    return Lesson(
        message=row.message,
        sender=mailbox(row.sender or ""),
        at=row.at,
        by=row.by,
        intent=Intent(row.intent),
        reason=Reason(row.reason) if row.reason else None,
        was_intent=Intent(row.was_intent) if row.was_intent else None,
        was_reason=Reason(row.was_reason) if row.was_reason else None,
        confidence=row.confidence,
    )


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        key=row.key,
        arrived=row.arrived,
        sender=row.sender,
        name=row.name,
        subject=row.subject,
        state=row.state,
        cause=row.reason,
        intent=row.intent,
        reason=row.why_cancelled,
        confidence=row.confidence,
        draft=row.draft,
        draft_state=row.draft_state,
        send_state=row.send_state,
        steps=row.steps,
    )
