"""The store as a whole: opening, durability, migrations, privacy, and that its tables say what they are for."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from rows import steps_of

from pipeline.core.records import Appointment
from pipeline.errors import StoreBroken
from pipeline.store import Store, database, open_store
from pipeline.store.database import Database, settings
from pipeline.store.schema import STATES, UtcTime, metadata
from store.world import DAY, MARIA, NOW, batch, cancelled, draft, message, nothing, raw, sent


def test_a_wal_is_used_only_where_sqlite_keeps_it_sound():
    assert settings((3, 51, 2)) == ("truncate", "EXTRA")
    assert settings((3, 51, 3)) == ("wal", "FULL")


def test_the_durability_settings_are_in_force(store: Store):
    journal, level = settings(sqlite3.sqlite_version_info)
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == {"FULL": 2, "EXTRA": 3}[level]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_opening_again_keeps_the_install_key(tmp_path: Path):
    first = open_store(tmp_path / "a.db", NOW)
    again = open_store(tmp_path / "a.db", NOW + DAY)
    assert first.keys.stamp("x") == again.keys.stamp("x")
    assert first.keys.stamp("x") != open_store(tmp_path / "b.db", NOW).keys.stamp("x")


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store):
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_a_store_of_a_newer_version_is_refused_with_what_to_do(tmp_path: Path):
    open_store(tmp_path / "a.db", NOW).close()
    with sqlite3.connect(tmp_path / "a.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreBroken, match="newer winback"):
        open_store(tmp_path / "a.db", NOW)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "a.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreBroken, match=r"a\.db"):
        open_store(tmp_path / "a.db", NOW)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreBroken, match="can't be made"):
        open_store(tmp_path / "file" / "a.db", NOW)


def test_a_failed_transaction_leaves_nothing(store: Store):
    with pytest.raises(RuntimeError), store.database.writing() as connection:
        connection.execute(sa.text("INSERT INTO control (name, value, at) VALUES ('x', 'y', 'z')"))
        raise RuntimeError
    with store.database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM control WHERE name = 'x'")).scalar() == 0


@pytest.mark.parametrize("table", ["event", "attempt"])
def test_history_cannot_be_rewritten(store: Store, table: str):
    cancelled(store, automatic=True)
    sent(store)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), store.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET at = 'never'")


def test_no_state_outside_the_documented_ones(store: Store):
    of = cancelled(store, automatic=True)
    store.bookings.take([Appointment(key="one", address="maria@example.org", start=NOW)], NOW)
    for table in STATES:
        with pytest.raises(sa.exc.IntegrityError), store.database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE \"{table}\" SET state = 'lost'")
    assert store.drafts.get(draft(of).key).state == "approved"


def test_every_table_says_what_it_is_for():
    assert [table.name for table in metadata.sorted_tables if not table.comment] == []


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        UtcTime().process_bind_param(NOW.replace(tzinfo=None), None)


def test_alarms_are_raised_once_and_cleared(store: Store):
    assert store.control.raise_alarm("poll", "no answer", NOW)
    assert not store.control.raise_alarm("poll", "no answer", NOW + DAY)
    assert store.control.raise_alarm("poll", "wrong password", NOW + DAY)
    (alarm,) = store.control.alarms()
    assert (alarm.name, alarm.text, alarm.since) == ("poll", "wrong password", NOW)
    assert store.control.clear_alarm("poll", NOW)
    assert not store.control.clear_alarm("poll", NOW)


def test_the_stop_switch_remembers_who_and_when(store: Store):
    store.control.stop("the owner", NOW)
    store.control.stop("somebody else", NOW + DAY)
    assert store.control.stopped() == ("the owner", NOW)
    assert store.control.resume("the owner", NOW)
    assert not store.control.resume("the owner", NOW)


def test_the_heartbeat_tells_which_daemon_lives(store: Store):
    assert store.control.heartbeat() is None
    store.control.beat("host 1", NOW)
    store.control.beat("host 2", NOW + DAY)
    assert store.control.heartbeat() == ("host 2", NOW + DAY)


def test_a_person_is_exported_as_plain_json(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    told = json.loads(json.dumps(store.people.export("Maria@example.org")))
    assert {name: len(rows) for name, rows in told.items() if rows} == {
        "contact": 1,
        "message": 1,
        "decision": 1,
        "raw": 1,
        "case": 1,
        "draft": 1,
        "step": 2,
        "send": 1,
    }


def test_an_erased_person_leaves_no_byte_behind(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    store.people.suppress(MARIA.address, "opt_out", NOW)
    assert store.people.erase(MARIA.address, NOW) > 0
    kept = store.database.path.read_bytes()
    for canary in (b"maria", b"Lopez", b"too expensive", b"the mail"):
        assert canary not in kept
    assert store.people.suppressed(MARIA.address) == "opt_out"
    assert store.people.get(MARIA.address) is None


def test_an_erased_mail_is_not_fetched_again(store: Store):
    of = cancelled(store)
    store.people.erase(MARIA.address, NOW)
    assert store.intake.take(batch("1"), NOW) == 0
    assert store.overview.causes() == {"erased": 1}
    assert store.intake.raw(of.key) is None


def test_contacts_are_listed(store: Store):
    cancelled(store)
    assert [person.address for person in store.people.all()] == ["maria@example.org"]


def test_raw_mails_are_emptied_after_their_time(store: Store):
    of = cancelled(store)
    keep = timedelta(days=180)
    assert store.overview.tidy(keep, 4 * keep, NOW + keep) == (0, 0)
    assert store.overview.tidy(keep, 4 * keep, NOW + keep + DAY) == (1, 0)
    assert store.intake.raw(of.key) is None


def test_a_mail_that_is_held_for_ever_is_emptied_as_well(store: Store):
    store.intake.take(batch("1", "2"), NOW)
    store.intake.failed(raw("1").key, "too deep", NOW, final=True)
    keep = timedelta(days=180)
    assert store.overview.tidy(keep, 4 * keep, NOW + keep + DAY) == (1, 0)
    assert [mail.place.uid for mail in store.intake.received(10)] == ["2"]


def test_nobody_else_can_read_the_mails_in_the_store(tmp_path: Path):
    open_store(tmp_path / "state" / "winback.db", NOW).close()
    assert [(tmp_path / "state" / name).stat().st_mode & 0o777 for name in (".", "winback.db")] == [0o700, 0o600]


def test_a_lost_file_is_published_again_only_while_its_draft_waits(store: Store):
    key = draft(cancelled(store)).key
    store.drafts.published([(key, "a.eml")])
    store.drafts.lost([key])
    assert [stored.draft.key for stored in store.drafts.to_publish(9)] == [key]
    store.drafts.published([(key, "a.eml")])
    store.drafts.reject(key, by="outbox", now=NOW)
    store.drafts.lost([key])
    assert store.drafts.get(key).file == "a.eml"


def test_ended_cases_are_forgotten_after_their_time(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), stop="reply", stopped=(MARIA.key,))], NOW)
    case_and_customer = 2
    assert store.overview.tidy(DAY, 30 * DAY, NOW + 31 * DAY)[1] == case_and_customer
    assert steps_of(store, message().key) == []


def test_what_became_of_each_mail_is_one_line(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    (line,) = store.overview.lines()
    assert (line.sender, line.intent, line.reason, line.draft_state, line.send_state, line.steps) == (
        "maria@example.org",
        "cancel",
        "price",
        "approved",
        "sent",
        2,
    )
    assert store.overview.counts()["send"] == {"sent": 1}


def test_the_next_thing_to_do_has_a_time(store: Store):
    assert store.overview.next_due() is None
    cancelled(store)
    assert store.overview.next_due() == NOW + 5 * DAY


def test_a_full_disk_is_one_clear_sentence(store: Store):
    with store.database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreBroken, match=r"disk is full.*check the disk space"):
        store.intake.take(batch(*map(str, range(300)), last=300), NOW)


def test_a_damaged_store_says_that_a_backup_is_the_way_out(tmp_path: Path):
    path = tmp_path / "winback.db"
    open_store(path, NOW).close()
    path.write_bytes(b"\xee" * 8192)
    with pytest.raises(StoreBroken, match=r"put your newest backup in its place.*leave winback\.db\.sent where it is"):
        open_store(path, NOW)


def test_a_database_closed_and_opened_is_whole(tmp_path: Path):
    first = open_store(tmp_path / "a.db", NOW)
    cancelled(first)
    first.close()
    again = Database(tmp_path / "a.db")
    with again.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_store_that_another_program_holds_says_so_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "PATIENCE", 0)
    path = tmp_path / "winback.db"
    open_store(path, NOW).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBroken, match="another program has held it"):
        open_store(path, NOW)
    other.close()
