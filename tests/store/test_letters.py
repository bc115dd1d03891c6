"""The weekly letter on its way through the store: once, beside all customers' matters, past the caps."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from pipeline.core.figures import Period
from pipeline.core.records import Caps, ContactState, Draft, Kind, Send
from pipeline.store import Store, schema
from store.world import DAY, MARIA, NOW, cancelled, draft, mail, message, sent


def letter(week: str = "1") -> Draft:
    made = draft(message(week))
    return replace(made, kind=Kind.LETTER, case=f"letter-{week}", key=f"draft-{week}", template="letter", quote="")


def written(store: Store, week: str = "1", *, at_once: bool = False) -> Send | None:
    made = letter(week)
    out = mail(made, store) if at_once else None
    assert store.letters.write(made, out, NOW)
    return out


def test_a_letter_is_written_once(store: Store):
    assert not store.letters.written("letter-1")
    written(store)
    assert store.letters.written("letter-1")
    assert not store.letters.write(letter(), None, NOW)
    assert [stored.draft.kind for stored in store.drafts.waiting()] == [Kind.LETTER]


def test_a_letter_that_still_waits_gives_way_to_the_next(store: Store):
    written(store, "1")
    written(store, "2")
    assert [stored.draft.key for stored in store.drafts.waiting()] == ["draft-2"]
    old = store.drafts.get("draft-1")
    assert old
    assert (old.state, old.by) == ("superseded", "newer letter")


def test_a_letter_is_in_no_list_of_mails_and_makes_nobody_a_customer(store: Store):
    written(store)
    assert store.overview.lines() == []
    assert store.overview.causes() == {}
    assert store.people.all() == []
    assert store.past.of_address(MARIA.address).case is None
    assert store.report.facts(Period(start=NOW - DAY, end=NOW + DAY)).matters == ()


def test_no_cap_holds_a_letter_up_and_none_counts_it(store: Store):
    none_left = Caps(domain_hour=1, hour=1, day=1)
    cancelled(store, automatic=True)
    sent(store)
    before = store.past.of_address(MARIA.address).last_automatic
    for week in ("1", "2"):
        out = written(store, week, at_once=True)
        (claimed,) = store.sends.claim(20, "me", none_left, NOW)
        assert out
        assert claimed.key == out.key
        assert store.sends.may_finish(claimed, NOW)
        assert store.sends.sent(claimed, "250 ok", NOW)
    assert store.past.of_address(MARIA.address).last_automatic == before
    with store.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.cap_event)).scalar() == 1


def test_a_letter_that_is_turned_down_ends_alone(store: Store):
    cancelled(store, automatic=True)  # the owner may be a customer as well, on trial
    written(store)
    assert store.drafts.reject("draft-1", by="outbox", now=NOW)
    assert store.letters.written("letter-1")
    assert store.drafts.waiting() == []
    assert [person.state for person in store.people.all()] == [ContactState.IN_FOLLOW_UP]


def test_letters_are_forgotten_with_the_rest(store: Store):
    written(store, at_once=True)
    _, forgotten = store.overview.tidy(180 * DAY, 30 * DAY, NOW + 31 * DAY)
    assert forgotten == 1
    assert store.drafts.get("draft-1") is None
