"""What privacy.keep_history promises: who is not heard from is forgotten; who is, or has something planned, is not."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from rows import steps_of

from pipeline.core.records import Intent
from pipeline.store import Correction, Store, schema
from store.world import DAY, MARIA, NOW, batch, cancelled, message, nothing, sent

KEEP = 730 * DAY
LATER = NOW + KEEP + DAY


def tidied(store: Store, now: datetime = LATER) -> int:
    return store.overview.tidy(180 * DAY, KEEP, now)[1]


def hibernating(store: Store) -> None:
    """A customer whose answer went out and for whom nothing is planned."""
    cancelled(store, automatic=True, count=0)
    sent(store)


def rows_that_name(store: Store, words: str) -> list[str]:
    """The tables in which these words stand."""
    with store.database.reading() as connection:
        return [
            table.name
            for table in schema.metadata.sorted_tables
            if any(words in str(row).lower() for row in connection.execute(sa.select(table)))
        ]


def test_who_is_not_heard_from_is_forgotten_everywhere(store: Store):
    hibernating(store)
    said = Correction(intent=Intent.NONE, reason=None, by="outbox")
    store.plans.corrected(nothing(message()), said, NOW)
    assert "label" in rows_that_name(store, message().key)
    tidied(store)
    assert rows_that_name(store, MARIA.key) == []
    assert rows_that_name(store, message().key) == ["message"]
    assert not store.events.of_message(message().key)


def test_an_open_case_does_not_keep_who_is_not_heard_from(store: Store):
    hibernating(store)
    assert store.past.of_address(MARIA.address).case is not None
    assert tidied(store) == 2
    assert rows_that_name(store, MARIA.key) == []


def test_who_wrote_since_is_known_on(store: Store):
    hibernating(store)
    store.intake.take(batch("2", last=2), NOW + 30 * DAY)
    store.plans.decided([nothing(message("2"))], NOW + 30 * DAY)
    assert tidied(store) == 0
    assert store.people.get(MARIA.address) is not None


def test_for_whom_something_is_planned_is_known_on(store: Store):
    cancelled(store)
    assert tidied(store) == 0
    assert steps_of(store, message().key) != []


def test_a_mail_is_not_taken_anew_when_it_is_forgotten(store: Store):
    hibernating(store)
    tidied(store)
    assert store.intake.take(batch("1"), LATER) == 0


def test_the_subject_of_a_mail_that_was_no_cancellation_goes_as_well(store: Store):
    store.intake.take(batch("1"), NOW)
    store.plans.decided([nothing(message())], NOW)
    tidied(store, NOW + KEEP)
    assert "message" in rows_that_name(store, MARIA.key)
    tidied(store)
    assert rows_that_name(store, MARIA.key) == []


def test_forgetting_twice_is_as_good_as_once(store: Store):
    hibernating(store)
    tidied(store)
    assert tidied(store) == 0
