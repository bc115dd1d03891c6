"""Work in a process beside: what it answers, how it dies, and who sits there next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from servers import until

from pipeline.edges.children import Broken, Death, Seat, Setup
from pipeline.errors import TryLater, Unreadable


class Takes:
    """What runs a command wherever it is taken in."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch taken",)


def obey(order: str) -> Any:
    """What the child does, which finds this by its name."""
    match order:
        case "refuse":
            raise Unreadable("not this one")
        case "fail":
            raise ValueError("of no use")
        case "hoard":
            return len(bytearray(4 * 2**30))
        case "loop":
            while True:
                pass
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "pid":
            return os.getpid()
        case "take over":
            return Takes()
    if order.startswith("begin "):
        Path(order[6:]).touch()
        while True:
            pass
    return order


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def seat() -> Iterator[Seat]:
    with_limits = Seat(Setup(obey, "obey", seconds=1, memory_mb=256))
    yield with_limits
    with_limits.close()
    with_limits.clear()


def test_each_item_has_its_answer_in_its_place(seat: Seat):
    answers = seat.ask(["one", "refuse", "two", "fail", "hoard"])
    assert isinstance(answers, list)
    assert (answers[0], answers[2]) == ("one", "two")
    assert isinstance(answers[1], Unreadable)
    assert answers[3:] == [Broken("it fails (ValueError: of no use)"), Broken("it needs more than 256 MiB")]


@pytest.mark.parametrize(
    ("bomb", "cause"), [("loop", "it takes longer than 1 s"), ("crash", "it crashes its process (SIGSEGV)")]
)
def test_a_death_tells_which_item_was_in_hand(seat: Seat, bomb: str, cause: str):
    assert seat.ask(["one", "two", bomb, "three"]) == Death(3, cause)


def test_a_child_that_was_taken_over_takes_nobody_over(seat: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    told = seat.ask(["one", "take over"])
    assert isinstance(told, Death)
    assert "its process answers what it may not (posix.system" in told.cause
    assert not (tmp_path / "taken").exists()


def test_after_a_death_another_child_sits_there(seat: Seat):
    first = seat.ask(["pid"])
    seat.ask(["crash"])
    second = seat.ask(["pid"])
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert first != second


def test_a_child_starts_with_the_first_item_and_leaves_nothing_behind(seat: Seat):
    before = open_files()
    assert seat.ask([]) == []
    (child,) = seat.ask(["pid"])
    seat.clear()
    assert open_files() == before
    assert not Path(f"/proc/{child}").exists()


def test_nobody_sits_on_a_closed_seat(seat: Seat):
    seat.ask(["one"])
    seat.close()
    with pytest.raises(TryLater, match="closed"):
        seat.ask(["one"])


def test_a_child_that_does_not_start_says_which_one_and_why(monkeypatch: pytest.MonkeyPatch):
    module = ModuleType("known_only_here")
    exec("def work(item): return item", module.__dict__)
    monkeypatch.setitem(sys.modules, "known_only_here", module)
    lost = Seat(Setup(module.work, "count sheep", seconds=1, memory_mb=256))
    with pytest.raises(TryLater, match=r"the process to count sheep does not start: ModuleNotFoundError.*enough memory"):
        lost.ask(["one"])


def test_closing_blames_no_item_that_was_in_hand(tmp_path: Path):
    begun, busy = tmp_path / "begun", Seat(Setup(obey, "obey", seconds=60, memory_mb=256))
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(busy.ask, [f"begin {begun}"])
        until(begun.exists, within=20, what="the child to begin")
        busy.close()
        with pytest.raises(TryLater, match="closed"):
            asked.result()


def test_a_child_has_its_time_for_each_item_and_none_runs_while_it_waits():
    patient = Seat(Setup(obey, "obey", seconds=1, memory_mb=256))
    first = patient.ask(["pid"])
    assert patient._child is not None
    with pytest.raises(subprocess.TimeoutExpired):
        patient._child._process.wait(1.5)
    assert patient.ask(["pid"]) == first
    patient.close()
    patient.clear()
