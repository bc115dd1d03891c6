"""An older copy of the store sends nothing by itself, and nothing twice."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.records import Address
from pipeline.errors import StoreBroken
from pipeline.store import Store, open_store
from pipeline.store.journal import Journal
from store.world import CAPS, DAY, NOW, cancelled, draft, send_of, sent


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Store]:
    """A store that was copied when a mail was queued, and restored after that mail was sent."""
    path, copy = tmp_path / "winback.db", tmp_path / "copy.db"
    first = open_store(path, NOW)
    cancelled(first, automatic=True)
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    sent(first)
    first.close()
    shutil.copy(copy, path)
    again = open_store(path, NOW + DAY)
    yield again
    again.close()


def claim(store: Store) -> list[str]:
    return [one.key for one in store.sends.claim(20, "me", CAPS, NOW + DAY)]


def test_the_newest_store_sends_on(tmp_path: Path):
    for _ in range(2):
        store = open_store(tmp_path / "winback.db", NOW)
        cancelled(store, automatic=True)
        sent(store)
        assert not store.control.restored()
        store.close()


def test_an_older_copy_sends_nothing_until_a_person_says_so(restored: Store):
    assert restored.control.restored()
    assert claim(restored) == []


def test_what_went_out_since_the_copy_is_not_sent_again_even_then(restored: Store):
    restored.control.resume("terminal", NOW + DAY)
    assert not restored.control.restored()
    assert claim(restored) == []
    (waiting,) = restored.sends.uncertain_sends()
    assert send_of(restored, waiting.draft)[2] == "sent before an older copy of the store was restored"


def test_the_delivery_may_prove_that_it_went_out(restored: Store):
    restored.control.resume("terminal", NOW + DAY)
    claim(restored)
    (waiting,) = restored.sends.uncertain_sends()
    assert restored.sends.proved(waiting.key, "it lies in the Maildir", NOW + DAY)
    assert send_of(restored, waiting.draft)[1] == "sent"


@pytest.mark.parametrize("way", ["queue_again", "disproved"])
def test_a_person_or_the_delivery_may_say_that_it_never_arrived(restored: Store, way: str):
    restored.control.resume("terminal", NOW + DAY)
    claim(restored)
    (waiting,) = restored.sends.uncertain_sends()
    assert getattr(restored.sends, way)(waiting.key, "never arrived", NOW + DAY)
    assert claim(restored) == [waiting.key]


def test_what_went_out_since_the_copy_counts_against_the_caps(restored: Store):
    restored.control.resume("terminal", NOW + DAY)
    claim(restored)
    of = cancelled(restored, "2", automatic=True)
    assert claim(restored) == []
    assert "address cap" in send_of(restored, draft(of).key)[2]


def test_what_comes_after_the_copy_is_sent_after_the_resume(restored: Store):
    restored.control.resume("terminal", NOW + DAY)
    cancelled(restored, "2", automatic=True, sender=Address(address="tom@example.org"))
    assert len(claim(restored)) == 1


def test_the_hold_is_found_once(restored: Store, tmp_path: Path):
    restored.control.resume("terminal", NOW + DAY)
    again = open_store(tmp_path / "winback.db", NOW + DAY)
    assert not again.control.restored()
    again.close()


def test_a_new_store_beside_an_old_journal_is_held_as_well(tmp_path: Path):
    first = open_store(tmp_path / "winback.db", NOW)
    cancelled(first, automatic=True)
    sent(first)
    first.close()
    (tmp_path / "winback.db").unlink()
    again = open_store(tmp_path / "winback.db", NOW)
    assert again.control.restored()
    again.close()


def test_a_dot_that_cannot_be_written_down_is_not_granted(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = store.sends.claim(20, "me", CAPS, NOW)
    journal = store.database.path.with_name("winback.db.sent")
    journal.mkdir()
    with pytest.raises(StoreBroken, match="nothing is sent"):
        store.sends.may_finish(mine, NOW)
    assert send_of(store, draft(of).key)[1] == "queued"
    journal.rmdir()
    assert len(sent(store)) == 1


def test_a_journal_that_cannot_be_read_means_no_sending(tmp_path: Path):
    (tmp_path / "winback.db.sent").mkdir()
    with pytest.raises(StoreBroken, match="can't be read"):
        open_store(tmp_path / "winback.db", NOW)


def test_half_a_line_of_a_crash_is_passed_over(tmp_path: Path):
    journal = Journal(tmp_path / "journal")
    journal.note(1, "mail:a")
    with journal.path.open("a") as file:
        file.write("2")
    journal.note(3, "mail:c")
    assert journal.read() == {1: "mail:a", 3: "mail:c"}
