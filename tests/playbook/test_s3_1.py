"""S3.1: the rules stand in one document, made from the configuration that decides, and it is known who accepted which."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from site_of import make_config

from pipeline import people
from pipeline.config import Config, load
from pipeline.core.policy import version
from pipeline.errors import WinbackError
from pipeline.policy_page import markdown
from pipeline.store import Store, open_store

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
MARIA = "Maria@example.org"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store.db", NOW)


def config(folder: Path, notice: str = "24h") -> Config:
    return load(make_config(folder, notice=notice))


def told(store: Store, rules: Config, kind: str = "accepted", of: str | None = None, language: str | None = None) -> str:
    return people.policy_told(store, rules, MARIA, kind, of, language, TODAY, NOW)


def test_s3_1_it_is_written_down_who_received_and_who_accepted_which_version(store: Store, tmp_path: Path):
    rules = config(tmp_path)
    present = version(rules.cancelling())
    assert told(store, rules, "received") == f"{MARIA} received version {present} on 2026-11-23"
    assert told(store, rules) == f"{MARIA} accepted version {present} on 2026-11-23"
    rows = store.bookings.policy_receipts(MARIA)
    assert [(row["address"], row["kind"], row["version"], row["day"]) for row in rows] == [
        ("maria@example.org", "accepted", present, TODAY),
        ("maria@example.org", "received", present, TODAY),
    ]


def test_s3_1_the_words_that_were_accepted_can_be_read_after_the_rules_have_changed(store: Store, tmp_path: Path):
    before, after = config(tmp_path / "a"), config(tmp_path / "b", notice="48h")
    told(store, before, language="es")
    told(store, after)
    first, second = version(before.cancelling()), version(after.cancelling())
    assert first != second
    assert store.bookings.policy_text(first) == markdown(before.cancelling(), before.rules().business, "es")
    assert store.bookings.policy_text(second, "en") == markdown(after.cancelling(), after.rules().business, "en")


def test_s3_1_an_older_version_can_be_named_but_none_that_was_never_handed_out(store: Store, tmp_path: Path):
    before, after = config(tmp_path / "a"), config(tmp_path / "b", notice="48h")
    told(store, before, "received")
    assert told(store, after, of=version(before.cancelling())).startswith(f"{MARIA} accepted version")
    with pytest.raises(WinbackError, match="123456789abc: no such version was handed out"):
        told(store, after, of="123456789abc")


def test_s3_1_telling_it_twice_writes_it_down_once(store: Store, tmp_path: Path):
    rules = config(tmp_path)
    told(store, rules)
    assert told(store, rules).endswith(": that was written down before")
    assert len(store.bookings.policy_receipts()) == 1


def test_s3_1_a_person_who_is_forgotten_has_accepted_nothing(store: Store, tmp_path: Path):
    told(store, config(tmp_path))
    assert store.people.export(MARIA)["policy_receipt"][0]["day"] == "2026-11-23"
    store.people.erase(MARIA, NOW)
    assert store.bookings.policy_receipts() == []
