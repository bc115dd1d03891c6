"""A folder on a server is read without loss, whatever the server, the network and other mail programs do meanwhile."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from servers import Authority, Line, make_authority, until
from servers.dovecot import Dovecot
from servers.imap import ScriptedImap

from pipeline.core.records import Batch, Cursor, Raw
from pipeline.edges import imap
from pipeline.edges.imap import RENEW_IDLE, ImapInbox
from pipeline.errors import ConfigError, NeedsHuman, TryLater, WinbackError

MAIL = (Path(__file__).parents[1] / "mails" / "edge-haircut.eml").read_bytes().replace(b"\n", b"\r\n")
NOW = datetime(2025, 11, 22, 10, 30, tzinfo=UTC)  # Dovecot knows no mail of the future
USERS = count(1)
STEPS = ("GREETING", "CAPABILITY", "AUTHENTICATE", "EXAMINE", "NOOP", "UID SEARCH", "UID FETCH")


def mail(text: str = "Please cancel my haircut.") -> bytes:
    return f"From: maria@customer.example\r\nSubject: Haircut\r\n\r\n{text}\r\n".encode()


def known(uids: object) -> set[str]:
    return set()


def batches(inbox: ImapInbox, cursor: Cursor) -> list[Batch]:
    return list(inbox.new(cursor, known))


def raws(inbox: ImapInbox, cursor: Cursor) -> list[Raw]:
    return [raw for batch in batches(inbox, cursor) for raw in batch.mails]


def uids(inbox: ImapInbox, cursor: Cursor) -> list[int]:
    return [int(raw.place.uid) for raw in raws(inbox, cursor)]


def raises(kind: type[WinbackError], call: Callable[[], object], *words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.fixture
def user() -> str:
    return f"dana{next(USERS)}@bluedoor.example"


class CutShort(ScriptedImap):
    """Cuts the connection when it has said so many bytes."""

    left = 0

    def talk(self, line: Line) -> None:
        write = line.write

        def write_some(data: bytes) -> None:
            room, self.left = self.left, self.left - len(data)
            write(data[:room])
            if self.left < 0:
                line.cut()

        line.write = write_some
        super().talk(line)


Opened = Callable[..., ImapInbox]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Makes inboxes and closes them in the end."""
    made: list[ImapInbox] = []

    def make(server: Any, user: str = "dana", **options: Any) -> ImapInbox:
        usual = {
            "host": server.host,
            "port": server.port,
            "user": user,
            "security": "none",
            "password": lambda: Dovecot.password,
        }
        made.append(ImapInbox(**(usual | options)))
        return made[-1]

    yield make
    for inbox in made:
        inbox.close()


class TestBeginning:
    def test_new_passes_over_what_is_there(self, dovecot: Dovecot, user: str, opened: Opened):
        for _ in range(3):
            dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        cursor = inbox.begin("new", NOW).cursor
        assert raws(inbox, cursor) == []
        dovecot.deliver(user, mail("the fourth"))
        assert [raw.data for raw in raws(inbox, cursor)] == [mail("the fourth")]

    def test_all_passes_over_nothing(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        beginning = inbox.begin("all", NOW)
        assert beginning.passed == ()
        assert len(raws(inbox, beginning.cursor)) == 1

    @pytest.mark.parametrize("batch", [1, 200])
    def test_a_date_passes_over_what_came_before_that_day(
        self, batch: int, dovecot: Dovecot, user: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(imap, "BATCH_MAILS", batch)
        midnight = datetime(2025, 11, 20, tzinfo=UTC)
        for arrived in (midnight - timedelta(days=30), midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=1)):
            dovecot.append(user, mail(str(arrived)), arrived=arrived)
        inbox = opened(dovecot, user)
        assert uids(inbox, inbox.begin(date(2025, 11, 20), NOW).cursor) == [3, 4]

    def test_a_date_after_the_last_mail_passes_over_all(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.append(user, mail(), arrived=NOW)
        inbox = opened(dovecot, user)
        assert inbox.begin(date(2025, 12, 1), NOW).cursor.last == 1

    def test_a_date_means_a_day_in_utc_whatever_zone_the_server_writes(self, dovecot: Dovecot, user: str, opened: Opened):
        # 19 November in New York, 20 November in UTC.
        dovecot.append(user, mail(), arrived=datetime.fromisoformat("2025-11-19T22:00:00-05:00"))
        inbox = opened(dovecot, user)
        assert inbox.begin(date(2025, 11, 20), NOW).cursor.last == 0

    def test_mail_that_arrived_before_the_first_look_is_old(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.append(user, mail(), arrived=NOW - timedelta(seconds=1))
        dovecot.append(user, mail(), arrived=NOW)
        inbox = opened(dovecot, user)
        # INTERNALDATE has whole seconds: a mail of the same second counts as new.
        cursor = inbox.begin("all", NOW + timedelta(milliseconds=700)).cursor
        assert [(raw.arrived, raw.old) for raw in raws(inbox, cursor)] == [(NOW - timedelta(seconds=1), True), (NOW, False)]

    def test_an_empty_folder_is_a_beginning_too(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user)
        cursor = inbox.begin("new", NOW).cursor
        assert (cursor.last, cursor.old_before, cursor.folder) == (0, NOW, inbox.folder)

    def test_a_server_that_does_not_tell_uidnext_is_asked_for_its_last_mail(self, opened: Opened):
        silent = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n%t OK done\r\n"
        with ScriptedImap({4: MAIL, 9: MAIL}, {"EXAMINE": silent}) as server:
            assert opened(server).begin("new", NOW).cursor.last == 9


class TestFetching:
    def test_a_mail_comes_as_it_lies_there(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.append(user, MAIL, arrived=datetime.fromisoformat("2025-11-22T12:30:00+02:00"))
        inbox = opened(dovecot, user)
        cursor = inbox.begin("all", NOW).cursor
        (raw,) = raws(inbox, cursor)
        assert raw.data == MAIL
        assert raw.arrived == NOW
        assert raw.arrived.tzinfo is UTC
        assert (raw.place.folder, raw.place.epoch, raw.place.uid) == (inbox.folder, cursor.epoch, "1")
        assert raw.key == raw.place.key
        assert raw.whole

    def test_reading_leaves_a_mail_unseen(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        assert uids(inbox, inbox.begin("all", NOW).cursor) == [1]
        assert r"\Seen" not in dovecot.flags(user)[1]

    def test_the_cursor_of_a_batch_goes_on_behind_it(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        (batch,) = batches(inbox, inbox.begin("all", NOW).cursor)
        assert batch.cursor.last == 1
        assert batches(inbox, batch.cursor) == []

    def test_a_mail_that_arrives_between_two_looks_is_seen_at_once(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user)
        cursor = inbox.begin("new", NOW).cursor
        assert batches(inbox, cursor) == []
        dovecot.lmtp(user, mail())
        assert uids(inbox, cursor) == [1]

    def test_no_batch_holds_more_than_two_hundred_mails(self, dovecot: Dovecot, user: str, opened: Opened):
        for number in range(201):
            dovecot.deliver(user, mail(str(number)))
        inbox = opened(dovecot, user)
        got = batches(inbox, inbox.begin("all", NOW).cursor)
        assert [len(batch.mails) for batch in got] == [200, 1]
        assert [batch.cursor.last for batch in got] == [200, 201]

    def test_no_batch_is_heavier_than_its_limit(
        self, dovecot: Dovecot, user: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(imap, "BATCH_BYTES", 1000)
        for size in (300, 300, 600, 2000, 10):
            dovecot.append(user, mail("x" * size))
        inbox = opened(dovecot, user)
        got = batches(inbox, inbox.begin("all", NOW).cursor)
        assert [[int(raw.place.uid) for raw in batch.mails] for batch in got] == [[1, 2], [3], [4], [5]]

    def test_a_mail_that_is_too_big_comes_alone_and_as_its_headers(self, dovecot: Dovecot, user: str, opened: Opened):
        for text in ("small", "big" * 1000, "small again"):
            dovecot.append(user, mail(text))
        inbox = opened(dovecot, user, max_bytes=1000)
        got = batches(inbox, inbox.begin("all", NOW).cursor)
        assert [[raw.whole for raw in batch.mails] for batch in got] == [[True], [False], [True]]
        assert got[1].mails[0].data == b"From: maria@customer.example\r\nSubject: Haircut\r\n\r\n"
        assert r"\Seen" not in dovecot.flags(user)[2]

    def test_a_mail_that_is_expunged_meanwhile_is_missing_and_the_cursor_goes_on(
        self, dovecot: Dovecot, user: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(imap, "BATCH_MAILS", 2)
        for number in range(4):
            dovecot.deliver(user, mail(str(number)))
        inbox = opened(dovecot, user)
        going = inbox.new(inbox.begin("all", NOW).cursor, known)
        assert [raw.place.uid for raw in next(going).mails] == ["1", "2"]
        dovecot.expunge(user, [3, 4])
        rest = list(going)
        assert [batch.mails for batch in rest] == [()]
        assert rest[-1].cursor.last == 4

    def test_a_server_that_says_no_because_one_mail_is_gone_loses_none_of_the_others(self, opened: Opened):
        with ScriptedImap({1: MAIL, 2: MAIL, 3: MAIL}, {"UID FETCH": [b"%t NO some are gone\r\n"]}) as server:
            inbox = opened(server)
            assert uids(inbox, inbox.begin("all", NOW).cursor) == [1, 2, 3]

    def test_a_mail_that_an_answer_leaves_out_is_asked_for_again(self, opened: Opened):
        lame = b"* 1 FETCH (UID 1 RFC822.SIZE %d)\r\n%%t OK done\r\n" % len(MAIL)
        with ScriptedImap({1: MAIL, 2: MAIL}, {"UID FETCH": [lame]}) as server:
            inbox = opened(server)
            assert uids(inbox, inbox.begin("all", NOW).cursor) == [1, 2]

    @pytest.mark.parametrize(
        "answer", [b"%t OK done\r\n", b"* 1 FETCH (UID 1 BODY[] NIL)\r\n%t OK done\r\n", b"%t NO damaged\r\n"]
    )
    def test_a_mail_that_is_listed_and_never_handed_out_is_an_error(self, answer: bytes, opened: Opened):
        sizes = b"* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n%t OK done\r\n"
        with ScriptedImap({1: MAIL}, {"UID FETCH": [sizes, answer, answer]}) as server:
            inbox = opened(server)
            raises(TryLater, lambda: batches(inbox, inbox.begin("all", NOW).cursor))

    def test_a_mail_that_was_cut_off_once_is_fetched_again(self, opened: Opened):
        cut = b"* 1 FETCH (UID 1 BODY[] {4}\r\nFrom)\r\n%t OK done\r\n"
        with ScriptedImap({1: MAIL}, {"UID FETCH": [None, cut]}) as server:
            inbox = opened(server)
            assert [raw.data for raw in raws(inbox, inbox.begin("all", NOW).cursor)] == [MAIL]

    def test_a_mail_that_comes_with_two_lengths_is_not_taken(self, opened: Opened):
        cuts = [b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%%t OK done\r\n" % (size, MAIL[:size]) for size in (4, 5)]
        with ScriptedImap({1: MAIL}, {"UID FETCH": [None, *cuts]}) as server:
            inbox = opened(server)
            raises(TryLater, lambda: batches(inbox, inbox.begin("all", NOW).cursor), "UID 1", "4 bytes", "cut off")

    def test_a_server_that_only_estimates_sizes_is_believed_when_it_repeats_itself(self, opened: Opened):
        estimate = b"* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n%t OK done\r\n"
        with ScriptedImap({1: MAIL}, {"UID FETCH": [estimate]}) as server:
            inbox = opened(server)
            assert [raw.data for raw in raws(inbox, inbox.begin("all", NOW).cursor)] == [MAIL]

    def test_a_literal_that_ends_early_is_never_taken_for_a_mail(self, opened: Opened):
        def cut_in_the_middle(line: Line) -> None:
            line.write(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s" % (len(MAIL), MAIL[:20]))
            line.cut()

        with ScriptedImap({1: MAIL}, {"UID FETCH": [None, cut_in_the_middle]}) as server:
            inbox = opened(server)
            cursor = inbox.begin("all", NOW).cursor
            raises(TryLater, lambda: batches(inbox, cursor))
            assert [raw.data for raw in raws(inbox, cursor)] == [MAIL]

    @pytest.mark.parametrize("stamp", [b'"yesterday"', b'"31-Dec-9999 23:59:59 -1200"', b"NIL"])
    def test_a_mail_with_an_unreadable_date_is_old(self, stamp: bytes, opened: Opened):
        answer = b"* 1 FETCH (UID 1 INTERNALDATE %s BODY[] {%d}\r\n%s)\r\n%%t OK done\r\n" % (stamp, len(MAIL), MAIL)
        with ScriptedImap({1: MAIL}, {"UID FETCH": [None, answer]}) as server:
            inbox = opened(server)
            assert [raw.old for raw in raws(inbox, inbox.begin("all", NOW).cursor)] == [True]

    def test_a_sparse_folder_is_searched_in_spans(self, opened: Opened, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(imap, "SEARCH_SPAN", 10)
        with ScriptedImap({1: MAIL, 10: MAIL, 11: MAIL, 35: MAIL}) as server:
            inbox = opened(server)
            assert uids(inbox, inbox.begin("all", NOW).cursor) == [1, 10, 11, 35]
            assert [each for each in server.commands if each.startswith("UID SEARCH")] == [
                "UID SEARCH UID 1:10",
                "UID SEARCH UID 11:20",
                "UID SEARCH UID 21:30",
                "UID SEARCH UID 31:*",
            ]

    def test_bodies_are_not_formatted_for_a_log_that_nobody_reads(self, opened: Opened):
        with ScriptedImap() as server:
            stock = IMAPClient(server.host, server.port, ssl=False, timeout=5)
            # When this fails, imapclient no longer logs by itself: then the line in ImapInbox._connect can go.
            assert stock._imap.debug == 5
            stock.logout()
            inbox = opened(server)
            inbox.epoch()
            assert inbox._client._imap.debug == 0


class TestEpochs:
    def test_a_folder_made_anew_has_another_epoch(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.create(user, "Work")
        inbox = opened(dovecot, user, folder="Work")
        cursor = inbox.begin("new", NOW).cursor
        assert inbox.epoch() == cursor.epoch
        inbox.close()
        dovecot.recreate(user, "Work")
        assert inbox.epoch() != cursor.epoch
        raises(TryLater, lambda: batches(inbox, cursor), cursor.epoch)

    def test_a_folder_that_is_made_anew_under_an_open_connection_is_noticed(self, dovecot: Dovecot, user: str, opened: Opened):
        dovecot.create(user, "Work")
        inbox = opened(dovecot, user, folder="Work")
        cursor = inbox.begin("new", NOW).cursor
        dovecot.recreate(user, "Work")
        assert inbox.epoch() != cursor.epoch
        raises(TryLater, lambda: batches(inbox, cursor), cursor.epoch)

    def test_an_epoch_that_changes_between_two_batches_ends_the_reading(self, opened: Opened, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(imap, "BATCH_MAILS", 1)
        with ScriptedImap({1: MAIL, 2: MAIL}) as server:
            inbox = opened(server)
            going = inbox.new(inbox.begin("all", NOW).cursor, known)
            assert len(next(going).mails) == 1
            server.validity += 1
            inbox.close()
            raises(TryLater, lambda: next(going), "UIDVALIDITY")


class TestSecurity:
    def test_a_verified_certificate_is_accepted(self, dovecot: Dovecot, user: str, authority: Authority, opened: Opened):
        secure = {"host": "localhost", "security": "tls", "port": dovecot.tls_port, "ssl_context": authority.client()}
        assert "folder: 0" in opened(dovecot, user, **secure).check()

    def test_starttls_is_used_when_it_is_asked_for(self, dovecot: Dovecot, user: str, authority: Authority, opened: Opened):
        inbox = opened(dovecot, user, host="localhost", security="starttls", ssl_context=authority.client())
        assert inbox.epoch()
        assert isinstance(inbox._client.socket(), ssl.SSLSocket)

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    def test_a_certificate_of_a_stranger_is_refused(
        self, security: str, dovecot: Dovecot, user: str, tmp_path: Path, opened: Opened
    ):
        port = dovecot.tls_port if security == "tls" else dovecot.port
        other = make_authority(tmp_path).client()
        inbox = opened(dovecot, user, host="localhost", port=port, security=security, ssl_context=other)
        raises(NeedsHuman, inbox.epoch, "certificate", f"localhost:{port}", "inbox.url")

    def test_by_default_only_the_authorities_of_the_system_are_trusted(self, dovecot: Dovecot, user: str, opened: Opened):
        raises(NeedsHuman, opened(dovecot, user, port=dovecot.tls_port, security="tls").epoch, "certificate")

    def test_a_certificate_for_another_name_is_refused(self, tmp_path: Path, opened: Opened):
        other = make_authority(tmp_path, names="DNS:imap.example.com")
        with ScriptedImap(capabilities="IMAP4rev1 STARTTLS", tls=other.server()) as server:
            inbox = opened(server, host="localhost", security="starttls", ssl_context=other.client())
            raises(NeedsHuman, inbox.epoch, "certificate", "localhost", "inbox.url")

    def test_a_server_without_starttls_gets_no_password(self, opened: Opened, authority: Authority):
        with ScriptedImap() as server:
            raises(
                NeedsHuman, opened(server, security="starttls", ssl_context=authority.client()).epoch, "STARTTLS", "imaps://"
            )
            assert server.said("AUTHENTICATE") == server.said("LOGIN") == 0

    def test_a_server_that_claims_to_know_us_already_gets_no_plaintext(self, opened: Opened):
        capabilities = "IMAP4rev1 STARTTLS"
        with ScriptedImap(answers={"GREETING": b"* PREAUTH welcome\r\n"}, capabilities=capabilities) as server:
            raises(TryLater, opened(server, security="starttls").epoch)
            assert set(server.commands) == {"CAPABILITY"}

    def test_what_was_slipped_in_before_the_encryption_is_forgotten(self, opened: Opened, authority: Authority):
        def inject(line: Line) -> None:
            line.write(b"%s OK go on\r\n* BYE injected\r\n" % server.tag)
            line.start_tls(authority.server())

        with ScriptedImap(answers={"STARTTLS": inject}, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN") as server:
            assert opened(server, host="localhost", security="starttls", ssl_context=authority.client()).epoch() == "7"

    def test_a_port_that_speaks_no_tls_needs_a_person(self, dovecot: Dovecot, user: str, opened: Opened):
        raises(NeedsHuman, opened(dovecot, user, security="tls").epoch, "TLS", str(dovecot.port))

    def test_a_server_that_breaks_off_the_handshake_is_tried_later(self, opened: Opened):
        with ScriptedImap(answers={"GREETING": Line.cut}) as server:
            raises(TryLater, opened(server, security="tls").epoch)

    def test_old_tls_is_not_spoken(self, opened: Opened):
        with ScriptedImap() as server:
            assert opened(server)._context.minimum_version == ssl.TLSVersion.TLSv1_2

    @pytest.mark.parametrize("host", ["imap.example.com", "10.0.0.1", "localhost.example.com"])
    def test_plaintext_goes_to_this_machine_only(self, host: str):
        with pytest.raises(ConfigError, match="unencrypted"):
            ImapInbox(host=host, port=143, user="dana", password=str, security="none")

    @pytest.mark.parametrize(("user", "folder"), [("dana\r\nA1 DELETE INBOX", "INBOX"), ("dana", "INBOX\nx"), ("dana", "a\0b")])
    def test_no_name_can_smuggle_a_command(self, user: str, folder: str):
        with pytest.raises(ConfigError, match="control characters"):
            ImapInbox(host="localhost", port=143, user=user, folder=folder, password=str, security="none")


class TestRefusals:
    def test_a_wrong_password_needs_a_person(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user, password=lambda: "wrong-horse")
        with pytest.raises(NeedsHuman) as caught:
            inbox.epoch()
        assert f"{user} at 127.0.0.1:{dovecot.port}" in str(caught.value)
        assert "inbox.password" in str(caught.value)
        assert "wrong-horse" not in str(caught.value)

    def test_a_password_that_was_corrected_works_at_the_next_call(self, dovecot: Dovecot, user: str, opened: Opened):
        passwords = iter(["wrong", Dovecot.password])
        inbox = opened(dovecot, user, password=lambda: next(passwords))
        raises(NeedsHuman, inbox.epoch)
        assert inbox.epoch()

    def test_a_folder_that_is_missing_needs_a_person(self, dovecot: Dovecot, user: str, opened: Opened):
        raises(NeedsHuman, opened(dovecot, user, folder="Gone").epoch, user, "'Gone'", "127.0.0.1", "inbox.url")
        assert dovecot.flags(user) == {}

    def test_a_folder_may_have_any_name(self, dovecot: Dovecot, user: str, opened: Opened):
        folder = 'Año "nuevo" \\ 会'
        dovecot.create(user, folder)
        assert "folder: 0" in opened(dovecot, user, folder=folder).check()

    @pytest.mark.parametrize(
        "said", [b"[UNAVAILABLE] sorry", b"[ALERT] Too many simultaneous connections. (Failure)", b"[LIMIT] x"]
    )
    def test_a_no_that_passes_by_itself_is_tried_later(self, said: bytes, opened: Opened):
        for command in ("AUTHENTICATE", "EXAMINE"):
            with ScriptedImap(answers={command: b"%t NO " + said + b"\r\n"}) as server:
                raises(TryLater, opened(server).epoch)

    def test_a_connection_that_dies_during_the_login_is_no_wrong_password(self, opened: Opened):
        with ScriptedImap(answers={"AUTHENTICATE": [Line.cut]}) as server:
            inbox = opened(server)
            raises(TryLater, inbox.epoch)
            assert inbox.epoch() == "7"

    def test_a_password_outside_ascii_goes_by_authenticate(self, opened: Opened):
        with ScriptedImap() as server:
            assert opened(server, password=lambda: "contraseña").epoch() == "7"

    def test_a_password_outside_ascii_needs_a_person_when_the_server_knows_login_only(self, opened: Opened):
        with ScriptedImap(capabilities="IMAP4rev1") as server:
            raises(NeedsHuman, opened(server, password=lambda: "contraseña").epoch, "inbox.password")
            assert opened(server, password=lambda: "plain").epoch() == "7"

    def test_a_password_with_a_line_break_is_never_sent(self, opened: Opened):
        with ScriptedImap(capabilities="IMAP4rev1") as server:
            raises(NeedsHuman, opened(server, password=lambda: "a\r\nA1 DELETE INBOX").epoch, "line break")
            assert server.said("LOGIN") == 0


class TestWaiting:
    def test_nothing_happens_and_the_wait_ends(self, dovecot: Dovecot, user: str, opened: Opened):
        assert opened(dovecot, user).wait(0.1) is False

    @pytest.mark.parametrize("security", ["none", "tls"])
    def test_a_new_mail_ends_the_wait(self, security: str, dovecot: Dovecot, user: str, authority: Authority, opened: Opened):
        port = dovecot.tls_port if security == "tls" else dovecot.port
        inbox = opened(dovecot, user, port=port, security=security, ssl_context=authority.client())
        cursor = inbox.begin("new", NOW).cursor
        assert inbox.wait(0.01) is False
        dovecot.lmtp(user, mail())
        assert inbox.wait(10) is True
        assert uids(inbox, cursor) == [1]
        assert inbox.wait(0.01) is False

    def test_the_connection_stays_in_idle_from_call_to_call(self, opened: Opened):
        with ScriptedImap() as server:
            inbox = opened(server)
            for _ in range(5):
                assert inbox.wait(0.01) is False
            assert (server.said("IDLE"), server.said("DONE")) == (1, 0)

    def test_another_command_leaves_idle_by_itself(self, opened: Opened):
        with ScriptedImap({1: MAIL}) as server:
            inbox = opened(server)
            cursor = inbox.begin("all", NOW).cursor
            assert batches(inbox, cursor)
            assert inbox.wait(0.01) is False
            assert uids(inbox, cursor) == [1]
            assert server.commands.index("DONE") > server.commands.index("IDLE")

    def test_idle_is_renewed_before_anybody_grows_tired_of_it(self, opened: Opened):
        ahead = 0.0
        with ScriptedImap() as server:
            inbox = opened(server, clock=lambda: time.monotonic() + ahead)
            assert inbox.wait(0.01) is False
            ahead = RENEW_IDLE
            assert inbox.wait(0.01) is False
            assert (server.said("IDLE"), server.said("DONE")) == (2, 1)
        assert RENEW_IDLE <= 9 * 60

    def test_news_in_one_packet_with_the_answer_to_idle_are_noticed(self, opened: Opened):
        def hurry(line: Line) -> None:
            line.write(b"+ idling\r\n* 1 EXISTS\r\n")
            line.read()
            line.write(b"%s OK done\r\n" % server.tag)

        with ScriptedImap(answers={"IDLE": [hurry]}) as server:
            assert opened(server).wait(5) is True

    def test_news_in_one_tls_record_with_the_answer_to_idle_are_noticed(self, opened: Opened, authority: Authority):
        def hurry(line: Line) -> None:
            line.write(b"+ idling\r\n* 1 EXISTS\r\n")
            line.read()
            line.write(b"%s OK done\r\n" % server.tag)

        capabilities = "IMAP4rev1 STARTTLS IDLE AUTH=PLAIN"
        with ScriptedImap(answers={"IDLE": [hurry]}, capabilities=capabilities, tls=authority.server()) as server:
            inbox = opened(server, host="localhost", security="starttls", ssl_context=authority.client())
            assert inbox.wait(5) is True
            assert inbox.wait(0.01) is False

    def test_mail_that_came_before_idle_began_is_noticed(self, opened: Opened):
        with ScriptedImap({1: MAIL}) as server:
            inbox = opened(server)
            cursor = inbox.begin("new", NOW).cursor
            assert batches(inbox, cursor) == []
            server.mails[2], server.uidnext = MAIL, 3
            assert inbox.wait(5) is True
            assert server.said("IDLE") == 0
            assert uids(inbox, cursor) == [2]
            assert inbox.wait(0.01) is False

    def test_a_last_mail_that_was_expunged_unseen_does_not_wake_for_ever(self, opened: Opened):
        with ScriptedImap({1: MAIL}) as server:
            inbox = opened(server)
            cursor = inbox.begin("new", NOW).cursor
            server.uidnext = 5
            assert inbox.wait(0.01) is True
            assert batches(inbox, cursor) == []
            assert inbox.wait(0.01) is False

    def test_mails_that_the_caller_left_for_later_wake_at_once(self, opened: Opened, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(imap, "BATCH_MAILS", 1)
        with ScriptedImap({1: MAIL, 2: MAIL}) as server:
            inbox = opened(server)
            with closing(inbox.new(inbox.begin("all", NOW).cursor, known)) as going:
                assert next(going).cursor.last == 1
            assert inbox.wait(5) is True

    def test_a_server_that_is_only_still_there_wakes_nobody(self, opened: Opened):
        with ScriptedImap() as server:
            inbox = opened(server)
            assert inbox.wait(0.01) is False
            server.push(b"* OK Still here\r\n")
            assert inbox.wait(0.3) is False
            assert server.said("DONE") == 1
            server.push(b"* 1 EXISTS\r\n")
            assert inbox.wait(5) is True

    @pytest.mark.parametrize("idle", [True, False])
    def test_the_wait_ends_early_when_the_daemon_is_called(self, idle: bool, opened: Opened):
        daemon, signal = socket.socketpair()
        with ScriptedImap() as server, daemon, signal:
            inbox = opened(server, idle=idle)
            signal.send(b"!")
            began = time.monotonic()
            assert inbox.wait(30, daemon.fileno()) is False
            assert time.monotonic() - began < 5

    def test_a_server_without_idle_is_only_polled(self, opened: Opened):
        with ScriptedImap({1: MAIL}, capabilities="IMAP4rev1 AUTH=PLAIN") as server:
            inbox = opened(server)
            assert inbox.wait(0.01) is False
            assert "next poll" in inbox.check()
            assert uids(inbox, inbox.begin("all", NOW).cursor) == [1]
            assert server.said("IDLE") == 0

    def test_idle_that_is_not_wanted_is_not_used(self, opened: Opened):
        with ScriptedImap() as server:
            assert opened(server, idle=False).wait(0.01) is False
            assert server.connections == 0

    def test_a_server_that_refuses_idle_after_all_is_no_endless_loop(self, opened: Opened):
        with ScriptedImap(answers={"IDLE": b"%t BAD not now\r\n"}) as server:
            raises(TryLater, lambda: opened(server).wait(5))


class TestBrokenConnections:
    def test_a_restarted_server_is_found_again(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user)
        cursor = inbox.begin("new", NOW).cursor
        dovecot.restart()
        raises(TryLater, lambda: batches(inbox, cursor))
        dovecot.deliver(user, mail())
        assert uids(inbox, cursor) == [1]

    def test_a_server_that_stops_ends_the_wait_and_costs_no_cpu(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user)
        assert inbox.wait(0.01) is False
        stopping = threading.Thread(target=dovecot.stop)
        stopping.start()
        began, cpu = time.monotonic(), time.process_time()
        raises(TryLater, lambda: inbox.wait(30))
        assert time.monotonic() - began < 10
        stopping.join()
        for _ in range(20):
            raises(TryLater, lambda: inbox.wait(30), "failed")
        assert time.process_time() - cpu < 1
        dovecot.start()
        assert inbox.wait(0.01) is False

    @pytest.mark.parametrize(
        "end", [Line.cut, Line.reset, lambda line: line.write(b"* BYE\r\n"), lambda line: line.write(b"+ ?\r\n")]
    )
    def test_whatever_ends_idle_is_noticed_at_once(self, end: Callable[[Line], None], opened: Opened):
        def idle(line: Line) -> None:
            line.write(b"+ idling\r\n")
            end(line)
            line.cut()

        with ScriptedImap(answers={"IDLE": [idle]}) as server:
            inbox = opened(server)
            began = time.monotonic()
            # The last words may come with the answer to IDLE, and then count as news; the end is noticed at the next call.
            with pytest.raises(TryLater):
                while inbox.wait(10):
                    pass
            assert time.monotonic() - began < 5
            assert inbox.wait(0.01) is False

    @pytest.mark.parametrize("command", STEPS)
    @pytest.mark.parametrize(
        "trouble",
        [
            Line.cut,
            Line.reset,
            b"* BYE too busy\r\n",
            b"%t NO [UNAVAILABLE]\r\n",
            b"* 1 \xff {\r\n",
            b"+\r\n",
            b"%t\r\n",
            b"* 0 FETCH (UID\r\n%t OK done\r\n",
            b"* SEARCH x\r\n* LIST\r\n* OK [UIDVALIDITY x]\r\n%t OK done\r\n",
        ],
        ids=["cut", "reset", "bye", "no", "garbage", "plus", "half", "fetch", "nonsense"],
    )
    def test_no_trouble_is_fatal_or_forgotten(self, command: str, trouble: Any, opened: Opened):
        with ScriptedImap({1: MAIL}, {command: [trouble] * 2}) as server:
            inbox = opened(server, read_timeout=0.2, connect_timeout=0.2)
            cursor = Cursor(folder=inbox.folder, epoch="7", last=0, old_before=NOW)
            got: list[Batch] = []

            def look() -> bool:
                with suppress(TryLater, NeedsHuman):
                    got.extend(batches(inbox, cursor))
                return bool(got)

            until(look, what="the mail")
            assert [[raw.data for raw in batch.mails] for batch in got] == [[MAIL]]

    def test_a_connection_may_break_at_any_byte(self, opened: Opened):
        with CutShort({1: MAIL, 2: MAIL}) as server:
            inbox = opened(server)
            cursor = Cursor(folder=inbox.folder, epoch="7", last=0, old_before=NOW)
            server.left = 100_000
            whole = batches(inbox, cursor)
            length = 100_000 - server.left
            inbox.close()
            for server.left in range(0, length, 5):
                raises(TryLater, lambda: batches(inbox, cursor))
            server.left = length
            assert batches(inbox, cursor) == whole

    @pytest.mark.parametrize("command", [*STEPS, "IDLE"])
    def test_a_server_that_falls_silent_is_given_up(self, command: str, opened: Opened):
        with ScriptedImap({1: MAIL}, {command: [Line.hang]}) as server:
            inbox = opened(server, read_timeout=0.2, connect_timeout=0.2)

            def look() -> bool:
                return inbox.wait(0.01) or bool(raws(inbox, inbox.begin("all", NOW).cursor))

            raises(TryLater, look, inbox.folder, "failed")
            assert look()

    def test_a_server_that_falls_silent_in_idle_is_given_up_at_the_renewal(self, opened: Opened):
        def idle(line: Line) -> None:
            line.write(b"+ idling\r\n")
            line.hang()

        ahead = 0.0
        with ScriptedImap(answers={"IDLE": [idle]}) as server:
            inbox = opened(server, read_timeout=0.2, clock=lambda: time.monotonic() + ahead)
            assert inbox.wait(0.01) is False
            ahead = RENEW_IDLE
            raises(TryLater, lambda: inbox.wait(30))

    def test_a_host_that_refuses_connections_is_tried_later(self, opened: Opened):
        with ScriptedImap() as server:
            inbox = opened(server)
        raises(TryLater, inbox.epoch, inbox.folder, "refused", "look at host and port in inbox.url")

    def test_a_host_that_does_not_exist_is_tried_later(self, opened: Opened):
        with ScriptedImap() as server:
            raises(
                TryLater,
                opened(server, host="nowhere.invalid", security="tls").epoch,
                "imaps://",
                "nowhere.invalid",
                "look at host",
            )

    def test_an_interrupted_command_is_never_gone_on_with(self, opened: Opened):
        class Interrupted(BaseException):
            pass

        def interrupt() -> str:
            raise Interrupted

        with ScriptedImap({1: MAIL}) as server:
            inbox = opened(server, password=interrupt)
            with pytest.raises(Interrupted):
                inbox.epoch()
            until(lambda: not server._lines, what="the end of the connection")


class TestMarking:
    def test_a_mail_gets_our_keyword_and_stays_unseen(self, dovecot: Dovecot, user: str, opened: Opened):
        for _ in range(2):
            dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        inbox.mark(["2"])
        flags = dovecot.flags(user)
        assert ("$Winback" in flags[1], "$Winback" in flags[2]) == (False, True)
        assert r"\Seen" not in flags[2]

    def test_marking_between_two_batches_disturbs_nothing(
        self, dovecot: Dovecot, user: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(imap, "BATCH_MAILS", 1)
        for _ in range(3):
            dovecot.deliver(user, mail())
        inbox = opened(dovecot, user)
        for batch in inbox.new(inbox.begin("all", NOW).cursor, known):
            inbox.mark([raw.place.uid for raw in batch.mails])
        assert all("$Winback" in flags for flags in dovecot.flags(user).values())

    def test_a_mail_that_is_gone_is_no_error(self, dovecot: Dovecot, user: str, opened: Opened):
        inbox = opened(dovecot, user)
        inbox.mark(["77"])
        assert inbox.epoch()

    @pytest.mark.parametrize(
        "answers",
        [
            {"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [READ-ONLY]\r\n%t OK [READ-ONLY] done\r\n"},
            {"SELECT": b"%t NO [NOPERM] read only\r\n"},
            {"UID STORE": b"%t NO [OVERQUOTA] full\r\n"},
        ],
        ids=["read-only", "no", "full"],
    )
    def test_a_folder_that_takes_no_mark_is_no_error(self, answers: dict[str, bytes], opened: Opened):
        with ScriptedImap({1: MAIL}, answers) as server:
            inbox = opened(server)
            inbox.mark(["1"])
            assert uids(inbox, inbox.begin("all", NOW).cursor) == [1]

    def test_a_connection_that_dies_meanwhile_is_an_error(self, opened: Opened):
        with ScriptedImap({1: MAIL}, {"SELECT": [Line.cut]}) as server:
            inbox = opened(server)
            raises(TryLater, lambda: inbox.mark(["1"]), "marking")
            inbox.mark(["1"])
            assert server.said("UID STORE") == 1

    def test_a_folder_without_keywords_is_not_bothered(self, opened: Opened):
        fixed = b"* 1 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen)]\r\n* OK [UIDVALIDITY 7]\r\n%t OK [READ-WRITE] done\r\n"
        with ScriptedImap({1: MAIL}, {"SELECT": fixed}) as server:
            opened(server).mark(["1"])
            assert server.said("UID STORE") == 0

    def test_no_mails_need_no_connection(self, opened: Opened):
        with ScriptedImap() as server:
            opened(server).mark([])
            assert server.connections == 0


def test_the_folder_is_named_without_its_password(dovecot: Dovecot, opened: Opened):
    inbox = opened(dovecot, "dana@bluedoor.example", folder="inbox")
    assert inbox.folder == f"imap://dana@bluedoor.example@127.0.0.1:{dovecot.port}/INBOX"


def test_a_check_is_one_sentence(dovecot: Dovecot, user: str, opened: Opened):
    dovecot.deliver(user, mail())
    inbox = opened(dovecot, user)
    assert inbox.check() == (f"{inbox.folder}: logged in, mails in the folder: 1, the server announces new ones at once")


def test_closing_twice_and_going_on_is_no_error(dovecot: Dovecot, user: str, opened: Opened):
    inbox = opened(dovecot, user)
    inbox.close()
    inbox.wait(0.01)
    inbox.close()
    inbox.close()
    assert inbox.epoch()
