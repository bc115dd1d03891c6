from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from pipeline.core.records import Address, Batch, Caps, Cursor, Send
from pipeline.store import Store, breaker
from store.world import NOW, message, plan, raw

CAPS = Caps(burst=5)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def queue(store: Store, numbers: Sequence[int], *, automatic: bool = True, at: datetime = NOW) -> None:
    """A mail to a customer of her own for each number, queued by itself or left to a person."""
    raws = tuple(raw(str(number)) for number in numbers)
    cursor = Cursor(folder=raws[0].place.folder, epoch="1", last=max(numbers), old_before=NOW)
    store.intake.take(Batch(mails=raws, cursor=cursor), at)
    people = [Address(address=f"p{number}@d{number}.example") for number in numbers]
    mails = [message(str(number), who) for number, who in zip(numbers, people, strict=True)]
    store.plans.decided([plan(each, store, automatic=automatic) for each in mails], at)


def send(store: Store, at: datetime = NOW, *, reply: str = "", caps: Caps = CAPS) -> list[Send]:
    """Claim what may go and hand it over; `reply` is a refusal."""
    claimed = store.sends.claim(100, "me", caps, at)
    for mail in claimed:
        assert store.sends.may_finish(mail, at)
        if reply:
            store.sends.refused(mail, reply, at)
        else:
            assert store.sends.sent(mail, "250 ok", at)
    return claimed


def test_the_mail_that_is_one_too_many_opens_the_breaker(store: Store):
    queue(store, range(7))
    assert len(send(store)) == 5
    cause = store.control.breaker()
    assert cause == ("5 automatic mails went out within an hour, which is far more than usual", NOW)
    assert send(store, NOW + 10 * HOUR) == []


def test_a_person_closes_it_and_then_it_counts_anew(store: Store):
    queue(store, range(12))
    send(store)
    assert store.control.resume("terminal", NOW + MINUTE)
    assert len(send(store, NOW + 2 * MINUTE)) == 5
    assert store.control.breaker()
    assert store.control.resume("terminal", NOW + HOUR)
    assert len(send(store, NOW + HOUR)) == 2
    assert not store.control.resume("terminal", NOW + HOUR)


def test_what_a_person_released_goes_out_all_the_same(store: Store):
    queue(store, range(7))
    send(store)
    queue(store, [100], automatic=False)
    (waiting,) = store.drafts.waiting()
    released = plan(message("100", Address(address="p100@d100.example")), store, automatic=True).outgoing
    assert released is not None
    store.drafts.approve(waiting.draft.key, released_by_hand(released), None, by="rep", now=NOW)
    assert [mail.recipient for mail in send(store)] == ["p100@d100.example"]


def released_by_hand(mail: Send) -> Send:
    return Send(
        key=mail.key, draft=mail.draft, message_id=mail.message_id, recipient=mail.recipient, data=mail.data, automatic=False
    )


def test_three_times_a_usual_hour_is_allowed(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(breaker, "WEEK", 10)  # hours, for 168 take long
    for hour in range(6):
        queue(store, range(3 * hour, 3 * hour + 3), at=NOW + hour * HOUR)
        assert len(send(store, NOW + hour * HOUR)) == 3
    busy = NOW + 7 * HOUR
    queue(store, range(1000, 1020), at=busy)
    assert len(send(store, busy)) == 9
    assert store.control.breaker()


def test_calm_hours_never_open_it(store: Store):
    for hour in range(6):
        queue(store, range(4 * hour, 4 * hour + 4), at=NOW + hour * HOUR)
        assert len(send(store, NOW + hour * HOUR)) == 4
    assert store.control.breaker() is None


def test_three_addresses_of_twenty_that_do_not_exist_open_it(store: Store):
    for number in range(3):
        queue(store, [number])
        send(store, NOW + number * HOUR, reply="550 5.1.1 no such user")
    queue(store, [10])
    assert send(store, NOW + 3 * HOUR) == []
    assert store.control.breaker() == ("3 of the last 3 mails went to addresses that do not exist", NOW + 3 * HOUR)


def test_other_refusals_and_few_dead_addresses_do_not(store: Store):
    for number, reply in enumerate(["550 5.1.1 no such user"] * 2 + ["550 5.7.1 blocked"] * 5):
        queue(store, [number])
        send(store, NOW + number * HOUR, reply=reply)
    queue(store, [10])
    assert len(send(store, NOW + 20 * HOUR)) == 1


def test_mails_that_came_back_count_as_well(store: Store):
    queue(store, range(3))
    for mail in send(store):
        store.people.suppress(mail.recipient, "bounce", NOW)
    queue(store, [10])
    assert send(store, NOW + HOUR) == []
