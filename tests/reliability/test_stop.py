"""After `stop`, or after a customer is suppressed, no final dot is granted: at whatever point of a send that happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import MONDAY
from figures import Figures

from pipeline import jobs
from pipeline.core.records import Send
from pipeline.store import Store, open_store
from pipeline.store.sends import Sends
from reliability.cycle import MARIA, mails_of
from reliability.world import FAULTS, NONE, Outside, Points, copied, fresh, opened, patched, play, quick_folder, watched

ADDRESS = f"maria@{MARIA.name}.example.org"


def stop_by_command(folder: Path) -> None:
    with_store(folder, lambda store: store.control.stop("terminal", MONDAY))


def stop_by_file(folder: Path) -> None:
    (folder / "STOP").touch()


def suppress(folder: Path) -> None:
    with_store(folder, lambda store: store.people.suppress(ADDRESS, "complaint", MONDAY))


def opt_out(folder: Path) -> None:
    with_store(folder, lambda store: store.people.suppress(ADDRESS, "opt_out", MONDAY))


def erase(folder: Path) -> None:
    with_store(folder, lambda store: store.people.erase(ADDRESS, MONDAY))


def with_store(folder: Path, act: Callable[[Store], None]) -> None:
    """As another process does it."""
    store = open_store(folder / "state" / "winback.db", MONDAY)
    act(store)
    store.close()


ACTS = (stop_by_command, stop_by_file, suppress, opt_out, erase)


@dataclass
class Sending:
    """One queued mail; `at` a point of its send, something happens."""

    queued: Path
    folder: Path

    def points(self, fault: str) -> Iterator[tuple[int, bool]]:
        """Every point at which another process can write, and whether the dot is granted already."""
        names = self.run(fault, Points())
        dot = names.index("dot of " + ADDRESS) + 1 if "dot of " + ADDRESS in names else len(names) + 1
        for at, name in enumerate(names, 1):
            if name != "commit" and not name.startswith(("create", "fsync")):
                yield at, at >= dot

    def run(self, fault: str, points: Points) -> list[str]:
        copied(self.queued, self.folder)
        outside = Outside(self.folder / "outside", fault, False, points)
        with opened(self.folder, outside) as site, watched(points):
            jobs.send(site)
        return points.names

    def taken(self) -> int:
        return len(Outside(self.folder / "outside").accepted())

    def go_on(self) -> None:
        """Some hours of the daemon."""
        outside = Outside(self.folder / "outside")
        with opened(self.folder, outside) as site:
            for _ in range(3):
                play(site, outside, self.folder, ())
                outside.forward(hours=2)


@pytest.fixture(scope="module")
def sending() -> Iterator[Sending]:
    with quick_folder() as folder:
        queued = fresh(folder / "queued")
        outside = Outside(queued / "outside")
        with opened(queued, outside) as site:
            mails_of([MARIA])(outside, queued)
            jobs.poll(site)
            jobs.work(site)
        yield Sending(queued, folder / "site")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", ACTS)
def test_no_dot_is_granted_after_it(sending: Sending, act: Callable[[Path], None], fault: str, figures: Figures):
    tried = 0
    for at, granted in list(sending.points(fault)):
        sending.run(fault, Points(at, lambda: act(sending.folder)))
        if not granted:
            assert sending.taken() == 0, f"at point {at}"
        before = sending.taken()
        sending.go_on()
        assert sending.taken() == before, f"later, at point {at}"
        tried += 1
    figures(f"{act.__name__.replace('_', ' ')} at every point of a send, {fault}", points=tried, dots_after_it=0)
    assert tried >= 2


def test_after_resume_the_mail_goes_out_once(sending: Sending):
    (at, _), *_ = sending.points(NONE)
    sending.run(NONE, Points(at, lambda: stop_by_command(sending.folder)))
    with_store(sending.folder, lambda store: store.control.resume("terminal", MONDAY))
    sending.go_on()
    assert sending.taken() == 1


def look_only_when_claiming(patch: pytest.MonkeyPatch) -> None:
    def may_finish(self: Sends, mail: Send, now: object) -> bool:
        return True

    patch.setattr(Sends, "may_finish", may_finish)


def test_a_product_that_looks_only_once_is_caught(sending: Sending):
    caught = 0
    for at, granted in list(sending.points(NONE)):
        with patched(look_only_when_claiming):
            sending.run(NONE, Points(at, lambda: suppress(sending.folder)))
        caught += not granted and sending.taken() > 0
    assert caught
