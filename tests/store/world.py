"""Ready-made records for the tests of the store: one customer, one mail, one plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.core.records import (
    Address,
    Batch,
    Caps,
    ContactState,
    Cursor,
    Decision,
    Draft,
    FollowUp,
    Intent,
    Kind,
    Message,
    Outcome,
    Place,
    Plan,
    Raw,
    Reason,
    Screening,
    Send,
    StepPlan,
    Verdict,
    digest,
)
from pipeline.store import Store, schema

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CAPS = Caps()
FOLDER = "maildir:/inbox"
MARIA = Address(name="Maria Lopez", address="maria@example.org")


def raw(uid: str, data: bytes | None = None, epoch: str = "1") -> Raw:
    place = Place(folder=FOLDER, epoch=epoch, uid=uid)
    return Raw(key=place.key, place=place, arrived=NOW, data=data or f"Subject: {uid}\n\nhello".encode())


def batch(*uids: str, last: int = 0, epoch: str = "1") -> Batch:
    cursor = Cursor(folder=FOLDER, epoch=epoch, last=last, old_before=NOW - DAY)
    return Batch(mails=tuple(raw(uid, epoch=epoch) for uid in uids), cursor=cursor)


def message(uid: str = "1", sender: Address = MARIA, **more: object) -> Message:
    return Message(
        key=raw(uid).key,
        message_id=f"<{uid}@example.org>",
        sender=sender,
        subject="Cancel",
        text="It is too expensive.",
        arrived=NOW,
        sent=NOW,
        **more,
    )


def draft(of: Message, number: int = 0, revision: int = 0) -> Draft:
    assert of.sender
    return Draft(
        key=digest("draft", of.key, number, revision),
        kind=Kind.FOLLOW_UP if number else Kind.ACKNOWLEDGMENT,
        case=of.key,
        number=number,
        recipient=of.sender,
        subject="Re: Cancel",
        text="Thank you.",
        quote="> It is too expensive.",
        language="en",
        template=f"price_{number}" if number else "price",
        headers=(("In-Reply-To", of.message_id or ""),),
        notes=(("Reason", "price"),),
        reason="price",
    )


def mail(of: Draft, store: Store, *, automatic: bool = True) -> Send:
    key = f"mail:{of.key}"
    return Send(
        key=key,
        draft=of.key,
        message_id=f"<{store.keys.stamp(key)}@bluedoor.example>",
        recipient=of.recipient.address,
        data=b"the mail",
        automatic=automatic,
    )


def steps(of: Message, count: int = 2) -> tuple[FollowUp, ...]:
    assert of.sender
    return tuple(
        FollowUp(
            key=digest("step", of.key, "price", number),
            case=of.key,
            address=of.sender.key,
            track="price",
            number=number,
            template=f"price_{number}",
            due=NOW + 5 * number * DAY,
        )
        for number in range(1, count + 1)
    )


VERDICT = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, confidence=0.97, intent_confidence=0.99, language="en")


def plan(of: Message, store: Store, *, automatic: bool = False, count: int = 2) -> Plan:
    made = draft(of)
    return Plan(
        message=of,
        screening=Screening(authenticated=True),
        verdict=VERDICT,
        decision=Decision(
            outcome=Outcome.ANSWER, template="price", review=not automatic, steps=steps(of, count), why=("Sure.",)
        ),
        draft=replace(made, review=not automatic),
        outgoing=mail(made, store) if automatic else None,
        stop="new_cancellation",
        stopped=(of.sender.key,) if of.sender else (),
        contact=ContactState.IN_FOLLOW_UP,
    )


def nothing(of: Message, **more: object) -> Plan:
    decision = Decision(outcome=Outcome.IGNORE, cause="not_a_cancellation", review=False)
    return Plan(message=of, screening=Screening(), verdict=Verdict(intent=Intent.NONE), decision=decision, **more)


def cancelled(store: Store, uid: str = "1", *, automatic: bool = False, sender: Address = MARIA, count: int = 2) -> Message:
    """A cancellation that was taken over and decided."""
    store.intake.take(batch(uid, last=int(uid)), NOW)
    of = message(uid, sender)
    store.plans.decided([plan(of, store, automatic=automatic, count=count)], NOW)
    return of


def sent(store: Store, at: datetime = NOW) -> list[Send]:
    """Claim and send whatever is due."""
    claimed = store.sends.claim(20, "me", CAPS, at)
    for one in claimed:
        assert store.sends.may_finish(one, at)
        assert store.sends.sent(one, "250 ok", at)
    return claimed


def send_of(store: Store, draft_key: str) -> sa.Row[Any]:
    """The key, the state and the cause of a draft's only send."""
    query = sa.select(schema.send.c.key, schema.send.c.state, schema.send.c.cause).where(schema.send.c.draft == draft_key)
    with store.database.reading() as connection:
        return connection.execute(query).one()


def touched(store: Store, of: Message, number: int = 1, *, automatic: bool = True) -> Send:
    """A step that became a mail."""
    made = draft(of, number)
    out = mail(made, store, automatic=automatic)
    step = steps(of)[number - 1]
    assert store.plans.step(StepPlan(step=step, draft=made, outgoing=out if automatic else None), NOW)
    return out
