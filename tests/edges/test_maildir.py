"""A Maildir is read without loss while mail programs move its files about, and filled without doubles."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from costs import seconds
from servers import until

from pipeline.core.records import Batch, Cursor, Raw, Send
from pipeline.edges import maildir
from pipeline.edges.maildir import MaildirDelivery, MaildirInbox
from pipeline.errors import NeedsHuman, TryLater, WinbackError

MAIL = (Path(__file__).parents[1] / "mails" / "edge-haircut.eml").read_bytes()
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
NUMBERS = count(1)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (tmp_path / "inbox" / part).mkdir(parents=True)
    return tmp_path / "inbox"


def put(box: Path, data: bytes = MAIL, *, name: str | None = None, part: str = "new", arrived: datetime = NOW) -> Path:
    path = box / part / (name or f"{next(NUMBERS):04}.host")
    written = box / "tmp" / path.name.replace(":", "_")
    written.write_bytes(data)
    os.utime(written, (arrived.timestamp(), arrived.timestamp()))
    written.rename(path)
    return path


def nothing(names: Sequence[str]) -> set[str]:
    return set()


def batches(inbox: MaildirInbox, cursor: Cursor | None = None) -> list[Batch]:
    return list(inbox.new(cursor or inbox.begin("all", NOW).cursor, nothing))


def raws(inbox: MaildirInbox) -> list[Raw]:
    return [raw for batch in batches(inbox) for raw in batch.mails]


def names(inbox: MaildirInbox) -> list[str]:
    return [raw.place.uid for raw in raws(inbox)]


def raises(kind: type[WinbackError], call: Callable[[], object], *words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)


class TestBeginning:
    def test_new_passes_over_what_is_there(self, box: Path):
        put(box, name="1.a")
        put(box, name="2.a:2,S", part="cur")
        beginning = MaildirInbox(box).begin("new", NOW)
        assert beginning.passed == ("1.a", "2.a")
        assert beginning.cursor == Cursor(folder=f"maildir:{box}", epoch="maildir", last=0, old_before=NOW)

    def test_all_passes_over_nothing(self, box: Path):
        put(box)
        assert MaildirInbox(box).begin("all", NOW).passed == ()

    def test_a_date_passes_over_what_came_before_that_day(self, box: Path):
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        for name, arrived in (("1", midnight - timedelta(seconds=1)), ("2", midnight), ("3", midnight + timedelta(days=1))):
            put(box, name=name, arrived=arrived)
        assert MaildirInbox(box).begin(date(2026, 11, 20), NOW).passed == ("1",)

    def test_the_first_look_makes_what_is_missing(self, tmp_path: Path):
        inbox = MaildirInbox(tmp_path / "deep" / "inbox")
        assert "made at the first start" in inbox.check()
        assert not (tmp_path / "deep").exists()
        assert inbox.begin("new", NOW).passed == ()
        assert names(inbox) == []
        assert (tmp_path / "deep" / "inbox").stat().st_mode & 0o077 == 0

    def test_a_folder_that_goes_away_later_is_not_made_again(self, box: Path):
        inbox = MaildirInbox(box)
        cursor = inbox.begin("new", NOW).cursor
        box.rename(box.with_name("elsewhere"))
        raises(NeedsHuman, lambda: batches(inbox, cursor), str(box), "inbox.url")
        raises(NeedsHuman, lambda: inbox.wait(0.01), str(box))
        assert not box.exists()

    def test_nothing_is_made_when_that_is_not_wanted(self, tmp_path: Path):
        inbox = MaildirInbox(tmp_path / "inbox", create=False)
        raises(NeedsHuman, lambda: inbox.begin("new", NOW), "is no Maildir")
        raises(NeedsHuman, inbox.check, "is no Maildir")

    def test_a_file_is_no_maildir(self, tmp_path: Path):
        (tmp_path / "inbox").write_text("")
        raises(NeedsHuman, lambda: MaildirInbox(tmp_path / "inbox").begin("new", NOW), str(tmp_path / "inbox"))


class TestReading:
    def test_a_mail_comes_as_it_lies_there(self, box: Path):
        path = put(box, name="1.host")
        (raw,) = raws(MaildirInbox(box))
        assert raw.data == MAIL
        assert raw.arrived == NOW
        assert (raw.place.folder, raw.place.epoch, raw.place.uid) == (f"maildir:{box}", "maildir", "1.host")
        assert raw.key == raw.place.key
        assert raw.whole
        assert list(box.rglob("*.host")) == [path]

    def test_mail_that_arrived_before_the_first_look_is_old(self, box: Path):
        put(box, arrived=NOW - timedelta(seconds=1))
        put(box, arrived=NOW)
        inbox = MaildirInbox(box)
        # File times are behind the clock by some milliseconds: a mail of the same second counts as new.
        cursor = inbox.begin("all", NOW + timedelta(milliseconds=700)).cursor
        assert [raw.old for batch in batches(inbox, cursor) for raw in batch.mails] == [True, False]

    def test_mails_come_oldest_first(self, box: Path):
        for name, hours in (("c", 3), ("a", 1), ("b", 2)):
            put(box, name=name, arrived=NOW + timedelta(hours=hours))
        assert names(MaildirInbox(box)) == ["a", "b", "c"]

    def test_only_what_the_store_does_not_know_is_read(self, box: Path):
        for name in ("1", "2:2,S", "3"):
            put(box, name=name, part="cur")
        inbox = MaildirInbox(box)
        asked: list[str] = []

        def known(uids: Sequence[str]) -> set[str]:
            asked.extend(uids)
            return {"1", "2"}

        (batch,) = inbox.new(inbox.begin("all", NOW).cursor, known)
        assert [raw.place.uid for raw in batch.mails] == ["3"]
        assert sorted(asked) == ["1", "2", "3"]

    def test_a_mail_keeps_its_name_wherever_it_is_moved(self, box: Path):
        path = put(box, name="1.host,S=12")
        inbox = MaildirInbox(box)
        before = raws(inbox)
        path.rename(box / "cur" / "1.host,S=12:2,FRS")
        assert raws(inbox) == before

    def test_what_is_no_mail_is_left_alone(self, box: Path, tmp_path: Path):
        put(box, name=".hidden")
        put(box, name=":2,S", part="cur")
        (box / "new" / "folder").mkdir()
        (tmp_path / "secret").write_text("root:x:0:0")
        (box / "new" / "link").symlink_to(tmp_path / "secret")
        (box / "tmp" / "half").write_text("From: ")
        assert raws(MaildirInbox(box)) == []

    def test_no_batch_holds_more_than_two_hundred_mails(self, box: Path):
        for _ in range(401):
            put(box, b"Subject: x\n\n")
        assert [len(batch.mails) for batch in batches(MaildirInbox(box))] == [200, 200, 1]

    def test_no_batch_is_heavier_than_its_limit(self, box: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(maildir, "BATCH_BYTES", 1000)
        for name, size in zip("abcde", (400, 600, 1, 2000, 10), strict=True):
            put(box, b"x" * size, name=name)
        got = batches(MaildirInbox(box))
        assert [[raw.place.uid for raw in batch.mails] for batch in got] == [["a", "b"], ["c"], ["d"], ["e"]]

    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    def test_a_mail_that_is_too_big_comes_alone_and_as_its_headers(self, box: Path, end: bytes):
        head = b"From: maria@customer.example" + end + b"Subject: x" + end + end
        put(box, b"small", name="a")
        put(box, head + b"big" * 1000 + end + end, name="b")
        put(box, b"small", name="c")
        got = batches(MaildirInbox(box, max_bytes=1000))
        assert [[raw.whole for raw in batch.mails] for batch in got] == [[True], [False], [True]]
        assert got[1].mails[0].data == head

    def test_headers_without_an_end_are_cut(self, box: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(maildir, "HEADER_BYTES", 100)
        put(box, b"X: " + b"y" * 5000)
        (raw,) = raws(MaildirInbox(box, max_bytes=1000))
        assert len(raw.data) == 100

    @pytest.mark.parametrize("name", ["2026-11-22 Mañana.eml", "a b\tc", "x" * 200])
    def test_a_file_may_have_any_name(self, box: Path, name: str):
        put(box, name=name)
        assert names(MaildirInbox(box)) == [name]

    def test_a_name_that_is_no_text_is_spelled_out(self, box: Path):
        os.close(os.open(os.fsencode(box / "new") + b"/ma\xf1ana", os.O_CREAT | os.O_WRONLY))
        (name,) = names(MaildirInbox(box))
        assert name.encode() == rb"ma\xf1ana"

    @pytest.mark.parametrize("stamp", [2.0**40, -(2.0**40), 2.0**62])
    def test_a_file_from_a_time_that_no_calendar_has_is_old(self, stamp: float):
        # Only some file systems keep such a time, so no file is made here.
        assert maildir._arrived(stamp) == maildir.LONG_AGO


class TestMeanwhile:
    def test_a_mail_that_is_moved_between_two_looks_is_found_again(self, box: Path):
        path = put(box, name="1.host")
        inbox = MaildirInbox(box)

        def move(uids: Sequence[str]) -> set[str]:
            path.rename(box / "cur" / "1.host:2,S")
            return set()

        (batch,) = inbox.new(inbox.begin("all", NOW).cursor, move)
        assert [raw.data for raw in batch.mails] == [MAIL]

    def test_a_mail_that_is_moved_after_it_was_measured_is_found_again(self, box: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(maildir, "BATCH_MAILS", 1)
        put(box, name="1")
        path = put(box, name="2")
        inbox = MaildirInbox(box)
        going = inbox.new(inbox.begin("all", NOW).cursor, nothing)
        next(going)
        path.rename(box / "cur" / "2:2,S")
        assert [raw.place.uid for raw in next(going).mails] == ["2"]

    def test_a_mail_that_is_taken_away_is_missing(self, box: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(maildir, "BATCH_MAILS", 1)
        put(box, name="1")
        path = put(box, name="2")
        put(box, name="3")
        inbox = MaildirInbox(box)
        going = inbox.new(inbox.begin("all", NOW).cursor, nothing)
        next(going)
        path.unlink()
        assert [raw.place.uid for batch in going for raw in batch.mails] == ["3"]

    def test_a_file_that_can_not_be_read_holds_nobody_up_and_is_told_once(
        self, box: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        put(box, name="1")
        put(box, name="2")
        read = maildir._read

        def broken(path: Path, limit: int | None) -> bytes:
            if path.name == "1":
                raise OSError(errno.EIO, "Input/output error")
            return read(path, limit)

        monkeypatch.setattr(maildir, "_read", broken)
        inbox = MaildirInbox(box)
        with caplog.at_level(logging.WARNING):
            assert [names(inbox) for _ in range(3)] == [["2"]] * 3
        assert [record.getMessage() for record in caplog.records] == [
            f"{box}/new/1 can't be read (Input/output error): it is left out until it can"
        ]
        monkeypatch.undo()
        assert names(inbox) == ["1", "2"]

    @pytest.mark.parametrize(
        ("number", "kind"), [(errno.EMFILE, TryLater), (errno.EACCES, NeedsHuman), (errno.EIO, NeedsHuman)]
    )
    def test_a_folder_that_can_not_be_read_is_an_error(
        self, number: int, kind: type[WinbackError], box: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(path: Path) -> None:
            raise OSError(number, os.strerror(number))

        inbox = MaildirInbox(box)
        monkeypatch.setattr(os, "scandir", refuse)
        raises(kind, inbox.check, str(box), os.strerror(number))


class TestWaiting:
    def test_nothing_happens_and_the_wait_ends(self, box: Path):
        put(box)
        inbox = MaildirInbox(box)
        assert inbox.wait(0.05) is False
        names(inbox)
        assert inbox.wait(0.05) is False

    def test_a_new_mail_ends_the_wait(self, box: Path):
        inbox = MaildirInbox(box)
        names(inbox)
        later = threading.Timer(0.1, put, (box,))
        later.start()
        began = time.monotonic()
        assert inbox.wait(20) is True
        assert time.monotonic() - began < 5
        later.join()
        assert len(names(inbox)) == 1
        assert inbox.wait(0.05) is False

    def test_what_nobody_looked_at_ends_every_wait(self, box: Path):
        inbox = MaildirInbox(box)
        names(inbox)
        put(box)
        assert inbox.wait(5) is True
        assert inbox.wait(5) is True

    def test_a_mail_in_the_same_tick_of_the_clock_is_not_missed(self, box: Path):
        for _ in range(50):
            put(box)
            inbox = MaildirInbox(box)
            names(inbox)
            put(box)
            assert inbox.wait(5) is True

    def test_a_mail_that_is_only_read_in_a_mail_program_wakes_nobody(self, box: Path):
        path = put(box)
        inbox = MaildirInbox(box)
        names(inbox)
        path.rename(box / "cur" / f"{path.name}:2,S")
        assert inbox.wait(0.05) is False

    def test_the_wait_ends_early_when_the_daemon_is_called(self, box: Path):
        daemon, signal = socket.socketpair()
        with daemon, signal:
            signal.send(b"!")
            began = time.monotonic()
            assert MaildirInbox(box).wait(30, daemon.fileno()) is False
            assert time.monotonic() - began < 5

    def test_waiting_costs_next_to_nothing(self, box: Path):
        for _ in range(200):
            put(box)
        inbox = MaildirInbox(box)
        names(inbox)
        until(lambda: not inbox._changed() and inbox._times.settled, what="the end of the tick")
        assert inbox.wait(0.01) is False
        assert seconds(lambda: inbox.wait(1), enough=0.05) < 0.05


def test_the_folder_has_one_name_from_wherever_it_is_called(box: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(box.parent)
    assert MaildirInbox(Path("cur/../inbox")).folder == MaildirInbox(box).folder == f"maildir:{box}"


def test_a_check_is_one_sentence(box: Path):
    put(box)
    assert MaildirInbox(box).check() == f"maildir:{box}: can be read, mails in it: 1"


def test_the_rest_of_an_inbox_is_quiet(box: Path):
    path = put(box)
    inbox = MaildirInbox(box)
    inbox.mark(["1"])
    inbox.close()
    assert inbox.epoch() == "maildir"
    assert path.exists()


SEND = Send(
    key="7f3a90c1", draft="d1", message_id="<7f3a@bluedoor.example>", recipient="maria@customer.example", data=MAIL, fence=1
)


def deliver(out: MaildirDelivery, *, send: Send = SEND, go: bool = True) -> bool:
    with out.session() as session:
        return session.deliver(send, "dana@bluedoor.example", lambda: go) is not None


def lying(box: Path) -> list[str]:
    return sorted(str(path.relative_to(box)) for path in box.rglob("*") if path.is_file())


class TestDelivery:
    def test_a_mail_is_delivered_as_it_is(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path / "sent")
        assert deliver(out)
        assert lying(tmp_path / "sent") == ["new/7f3a90c1.eml"]
        assert (tmp_path / "sent" / "new" / "7f3a90c1.eml").read_bytes() == MAIL

    def test_the_receipt_says_where(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        with out.session() as session:
            receipt = session.deliver(SEND, "", lambda: True)
        assert receipt is not None
        assert (receipt.code, receipt.reply) == (250, f"delivered to {tmp_path}/new/7f3a90c1.eml")

    def test_nobody_else_can_read_it(self, tmp_path: Path):
        deliver(MaildirDelivery(tmp_path / "sent"))
        assert all(path.stat().st_mode & 0o077 == 0 for path in [tmp_path / "sent", *(tmp_path / "sent").rglob("*")])

    def test_a_mail_that_may_not_finish_leaves_nothing_behind(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        assert not deliver(out, go=False)
        assert lying(tmp_path) == []

    def test_the_question_comes_when_all_but_the_renaming_is_done(self, tmp_path: Path):
        seen: list[bytes] = []

        def ask() -> bool:
            seen.extend(path.read_bytes() for path in (tmp_path / "tmp").iterdir())
            assert not list((tmp_path / "new").iterdir())
            return True

        with MaildirDelivery(tmp_path).session() as session:
            assert session.deliver(SEND, "", ask)
        assert seen == [MAIL]

    def test_twice_is_once(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        assert deliver(out)
        assert deliver(out)
        assert lying(tmp_path) == ["new/7f3a90c1.eml"]

    def test_a_mail_that_was_read_meanwhile_is_not_delivered_again(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        assert deliver(out)
        (tmp_path / "new" / "7f3a90c1.eml").rename(tmp_path / "cur" / "7f3a90c1.eml:2,S")
        assert deliver(out)
        assert lying(tmp_path) == ["cur/7f3a90c1.eml:2,S"]

    @pytest.mark.parametrize(
        ("number", "kind"),
        [(errno.ENOSPC, TryLater), (errno.EDQUOT, TryLater), (errno.EIO, NeedsHuman), (errno.EROFS, NeedsHuman)],
    )
    def test_a_disk_that_does_not_take_it_is_an_error(
        self, number: int, kind: type[WinbackError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def fail(descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fail)
        asked: list[bool] = []
        with MaildirDelivery(tmp_path).session() as session:
            raises(
                kind, lambda: session.deliver(SEND, "", lambda: asked.append(True) or True), str(tmp_path), os.strerror(number)
            )
        assert asked == []
        assert list((tmp_path / "new").iterdir()) == []

    def test_a_folder_that_is_a_file_needs_a_person(self, tmp_path: Path):
        (tmp_path / "sent").write_text("")
        raises(NeedsHuman, lambda: deliver(MaildirDelivery(tmp_path / "sent")), str(tmp_path / "sent"))

    def test_everything_is_written_down_before_the_next_step(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        steps: list[str] = []
        fsync, rename = os.fsync, Path.rename

        def synced(descriptor: int) -> None:
            steps.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().relative_to(tmp_path)}")
            fsync(descriptor)

        def renamed(path: Path, target: Path) -> Path:
            steps.append(f"rename {path.relative_to(tmp_path)} {target.relative_to(tmp_path)}")
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(Path, "rename", renamed)
        with MaildirDelivery(tmp_path).session() as session:
            session.deliver(SEND, "", lambda: steps.append("asked") or True)
        draft, target = "tmp/7f3a90c1.eml.1", "new/7f3a90c1.eml"
        assert steps == [f"fsync {draft}", "asked", f"rename {draft} {target}", "fsync new"]


class TestProof:
    def test_a_mail_that_lies_there_was_delivered(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        assert deliver(out)
        assert out.delivered(SEND) is True
        (tmp_path / "new" / "7f3a90c1.eml").rename(tmp_path / "cur" / "7f3a90c1.eml:2,RS")
        assert out.delivered(SEND) is True

    def test_a_mail_that_broke_off_before_the_renaming_was_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        class PowerCut(BaseException):
            pass

        def cut(path: Path, target: Path) -> Path:
            raise PowerCut

        out = MaildirDelivery(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", cut)
            with pytest.raises(PowerCut):
                deliver(out)
        assert out.delivered(SEND) is False
        assert deliver(out)
        assert out.delivered(SEND) is True
        assert lying(tmp_path) == ["new/7f3a90c1.eml"]

    def test_a_draft_of_another_claim_proves_nothing(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path)
        assert deliver(out)
        (tmp_path / "new" / "7f3a90c1.eml").unlink()
        (tmp_path / "tmp" / "7f3a90c1.eml.0").write_bytes(MAIL)
        assert out.delivered(SEND) is None

    def test_without_a_trace_nothing_is_known(self, tmp_path: Path):
        assert MaildirDelivery(tmp_path / "sent").delivered(SEND) is None


class TestCheckingTheDelivery:
    def test_a_folder_that_is_still_to_be_made_is_well(self, tmp_path: Path):
        out = MaildirDelivery(tmp_path / "deep" / "sent")
        assert out.check() == f"maildir:{tmp_path}/deep/sent: mails are put there and not sent"
        assert not (tmp_path / "deep").exists()

    def test_a_folder_that_is_not_ours_needs_a_person(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        raises(NeedsHuman, MaildirDelivery(tmp_path).check, str(tmp_path), "delivery.url")
