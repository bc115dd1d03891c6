from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.core.records import Place, Raw
from pipeline.edges.reader import CHUNK_MAILS, Reader
from pipeline.errors import TryLater, Unreadable

ARRIVED = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


def raw(data: bytes = b"", number: int = 0) -> Raw:
    place = Place(folder="inbox", epoch="1", uid=str(number))
    return Raw(key=place.key, place=place, arrived=ARRIVED, data=data)


def many(count: int) -> list[Raw]:
    return [raw(b"%d" % number, number) for number in range(count)]


# What the children do. They import this module and find it by its name.


def obey(mail: Raw) -> Any:
    """Do what the mail says."""
    match mail.data:
        case b"loop":
            while True:
                pass
        case b"sleep":
            time.sleep(60)
        case b"allocate":
            return len(bytearray(4 * 2**30))
        case b"leak":
            hoard = []
            while True:
                hoard.append("x" * 1_000_000)
        case b"exit":
            os._exit(3)
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"refuse":
            raise Unreadable("it is written in invisible ink")
        case b"fail":
            raise KeyError("subject")
        case b"unpicklable":
            return lambda: None
        case b"pid":
            return os.getpid()
    if mail.data.startswith(b"touch "):
        Path(mail.data[6:].decode()).touch()
    return mail.data


def pid(mail: Raw) -> int:
    return os.getpid()


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader[Any]]:
    with Reader(obey, workers=2, seconds=1, memory_mb=256) as shared:
        yield shared


# --- the normal way


def test_mails_come_back_in_the_order_given(reader: Reader[Any]):
    mails = many(5 * CHUNK_MAILS + 3)
    assert list(reader.read_all(mails)) == [(mail, mail.data) for mail in mails]


def test_no_mail_is_no_work(reader: Reader[Any]):
    assert list(reader.read_all([])) == []


def test_a_refusal_comes_back_with_its_reason(reader: Reader[Any]):
    ((_, answer),) = reader.read_all([raw(b"refuse")])
    assert isinstance(answer, Unreadable)
    assert str(answer) == "it is written in invisible ink"


def test_it_reads_ahead_and_not_everything():
    taken = 0

    def mails() -> Iterator[Raw]:
        nonlocal taken
        for mail in many(100 * CHUNK_MAILS):
            taken += 1
            yield mail

    with Reader(obey, workers=1) as reader:
        answers = reader.read_all(mails())
        next(answers)
        assert CHUNK_MAILS < taken < 10 * CHUNK_MAILS
        answers.close()  # type: ignore[attr-defined]


def test_the_children_work_while_the_caller_does(tmp_path: Path, reader: Reader[Any]):
    mails = [raw(b"touch %s" % str(tmp_path / str(number)).encode()) for number in range(2 * CHUNK_MAILS)]
    answers = reader.read_all(mails)
    next(answers)
    assert eventually((tmp_path / str(len(mails) - 1)).exists)
    assert sum(1 for _ in answers) == len(mails) - 1


def test_a_reader_can_be_asked_again_after_a_caller_lost_interest(reader: Reader[Any]):
    next(iter(reader.read_all(many(10 * CHUNK_MAILS))))
    assert [answer for _, answer in reader.read_all([raw(b"again")])] == [b"again"]


def test_without_children_everything_happens_here():
    with Reader(obey, workers=0) as reader:
        answers = [answer for _, answer in reader.read_all([raw(b"pid"), raw(b"refuse"), raw(b"fail")])]
    assert answers[0] == os.getpid()
    assert [type(answer) for answer in answers[1:]] == [Unreadable, Unreadable]


def test_children_are_other_processes(reader: Reader[Any]):
    ((_, answer),) = reader.read_all([raw(b"pid")])
    assert answer != os.getpid()


# --- hostile mails


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (b"loop", "it takes longer than 1 s; look at it in a mail program"),
        (b"sleep", "it takes longer than 1 s; look at it in a mail program"),
        (b"allocate", "it needs more than 256 MiB; look at it in a mail program"),
        (b"leak", "it needs more than 256 MiB; look at it in a mail program"),
        (b"exit", "it ends its process (exit code 3)"),
        (b"crash", "it crashes its process (SIGSEGV)"),
        (b"fail", "it fails (KeyError: 'subject')"),
        (b"unpicklable", "its reader can't take it, or can't hand over what it read"),
    ],
)
def test_a_bomb_costs_itself_alone(reader: Reader[Any], bomb: bytes, reason: str):
    mails = many(CHUNK_MAILS + 4)
    mails[3] = raw(bomb, 3)
    answers = [answer for _, answer in reader.read_all(mails)]
    assert isinstance(answers[3], Unreadable)
    assert str(answers[3]).startswith(reason)
    assert answers[:3] + answers[4:] == [mail.data for mail in mails if mail.data != bomb]


class Stowaway(bytes):
    """Bytes that end the process that unpickles them."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (4,)


def test_a_mail_that_breaks_its_reader_on_the_way_is_found(reader: Reader[Any]):
    mails = [raw(b"good"), raw(Stowaway(b"bad")), raw(b"fine")]
    answers = [answer for _, answer in reader.read_all(mails)]
    assert (answers[0], answers[2]) == (b"good", b"fine")
    assert isinstance(answers[1], Unreadable)
    assert "exit code 4" in str(answers[1])


def test_several_bombs_in_a_row_are_each_found(reader: Reader[Any]):
    mails = [raw(data) for data in (b"exit", b"exit", b"good", b"crash", b"unpicklable", b"fine")]
    answers = [answer for _, answer in reader.read_all(mails)]
    assert [answer for answer in answers if not isinstance(answer, Unreadable)] == [b"good", b"fine"]
    assert [isinstance(answer, Unreadable) for answer in answers] == [True, True, False, True, True, False]


# --- the life of a child


def test_a_child_that_died_between_two_calls_is_replaced_in_silence():
    with Reader(pid, workers=1) as reader:
        ((_, first),) = reader.read_all([raw()])
        assert isinstance(first, int)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not lives(first))
        ((_, second),) = reader.read_all([raw()])
    assert isinstance(second, int)
    assert second != first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_leaves_signals_to_its_parent(number: signal.Signals):
    with Reader(pid, workers=1) as reader:
        ((_, child),) = reader.read_all([raw()])
        assert isinstance(child, int)
        os.kill(child, number)
        assert [answer for _, answer in reader.read_all([raw()])] == [child]


def test_closing_ends_the_children_even_if_they_are_busy():
    with Reader(obey, workers=1, seconds=60) as reader:
        ((_, child),) = reader.read_all([raw(b"pid")])
        reader._pool.submit(reader._read_chunk, [raw(b"sleep")])
        before = time.monotonic()
    assert time.monotonic() - before < 10
    assert not lives(child)


def test_a_closed_reader_says_so():
    reader = Reader(obey, workers=1)
    reader.close()
    with pytest.raises(TryLater, match="closed"):
        list(reader.read_all([raw()]))


def test_closing_blames_no_mail():
    reader = Reader(obey, workers=1, seconds=60)
    chunk = reader._pool.submit(reader._read_chunk, [raw(b"sleep")])
    assert eventually(lambda: any(seat._child for seat in reader._seats))
    reader.close()
    with pytest.raises(TryLater, match="closed"):
        chunk.result()


PARENT = """
import sys, time
sys.path[:] = {path!r}
from test_reader import Reader, obey, raw
reader = Reader(obey, workers=1, seconds=2)
((_, child),) = reader.read_all([raw(b"pid")])
print(child, flush=True)
list(reader.read_all([raw({data!r})]))
time.sleep(60)
"""


@pytest.mark.parametrize("data", [b"loop", b"idle"])
def test_children_end_with_their_parent(data: bytes):
    path = [str(Path(__file__).parent), *sys.path]
    code = PARENT.format(path=path, data=data)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert lives(child)
        parent.kill()
    assert eventually(lambda: not lives(child))


def test_a_function_that_a_child_cannot_import_is_reported(monkeypatch: pytest.MonkeyPatch):
    module = ModuleType("known_only_here")
    exec("def read(mail): return mail", module.__dict__)
    monkeypatch.setitem(sys.modules, "known_only_here", module)
    with (
        Reader(module.read, workers=1) as reader,
        pytest.raises(TryLater, match="does not start: ModuleNotFoundError: No module named 'known_only_here'"),
    ):
        list(reader.read_all([raw()]))
