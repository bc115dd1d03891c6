"""Kill a site between any two effects, start it again until it is quiet, and compare it with one that was never killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fakes import MONDAY

from pipeline.store import Store, open_store
from reliability.cycle import EVERYBODY, TWO, Customer, acts, essence, findings
from reliability.world import FAULTS, KILLED, NONE, Outside, Patch, Points, copied, fresh, live, opened, patched, play


@dataclass(frozen=True, kw_only=True)
class World:
    """What a campaign runs on. `patch` makes a wrong product of the right one, to see whether it is caught."""

    fault: str = NONE
    proves: bool = True
    customers: Sequence[Customer] = TWO
    patch: Patch | None = None

    def __str__(self) -> str:
        return f"{self.fault}, delivery {'can' if self.proves else 'can not'} prove, {len(self.customers)} customers"


WORLDS = tuple(World(fault=fault, proves=proves) for fault in FAULTS for proves in (True, False))
FULL = tuple(World(fault=fault, proves=proves, customers=EVERYBODY) for fault in FAULTS for proves in (True, False))


@dataclass
class Stage:
    """One act of a world: what was there before it, and what is there after it when nobody dies."""

    before: Path
    number: int
    names: tuple[str, ...]
    after: str


@dataclass
class Campaign:
    """All the kills in one world. `failures` are plans with what they broke."""

    folder: Path
    world: World
    plans: int = 0
    points: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._site = copied(fresh(self.folder / "fresh"), self.folder / "site")
        self._acts = acts(self.world.customers)
        self._store = self._warm()
        self._good: set[str] = set()
        self.stages = self._stages()

    def _warm(self) -> Store:
        """A store for the place of the site that holds no connection, with its statements compiled: that is no state."""
        store = open_store(self._site / "state" / "winback.db", MONDAY)
        outside = Outside(self._site / "outside")
        with opened(self._site, outside, store=store) as site:
            play(site, outside, self._site, self._acts)
        return store

    def _stages(self) -> list[Stage]:
        found = []
        before = self.folder / "fresh"
        for number in range(1, len(self._acts) + 1):
            names = self._run(before, number, quiet=True)
            found.append(Stage(before, number, names, essence(self._site)))
            before = copied(self._site, self.folder / f"after-{number}")
        self.points = sum(len(stage.names) for stage in found)
        self._judge(len(self._acts), "nobody dies")
        return found

    def _run(self, before: Path | None, number: int, at: int | None = None, *, quiet: bool = False) -> tuple[str, ...]:
        """Live from `before` (or from what is there) to the end of an act, or die at point `at` of it.

        `quiet`: there is nothing left to do before the act.
        """
        if before:
            copied(before, self._site)
        life = live(self._task(number, quiet=quiet), at)
        assert at is None or life.code == KILLED, "the point was not reached"
        return life.names

    def _task(self, number: int, *, quiet: bool) -> Callable[[Points], None]:
        def task(points: Points) -> None:
            outside = Outside(self._site / "outside", self.world.fault, self.world.proves, points)
            with patched(self.world.patch), opened(self._site, outside, store=self._store) as site:
                play(site, outside, self._site, self._acts[:number], quiet=quiet)

        return task

    def singles(self, *, until_failure: bool = False) -> Campaign:
        """Die once, at every point."""
        for stage in self.stages:
            for at in range(1, len(stage.names) + 1):
                self._run(stage.before, stage.number, at, quiet=True)
                self._recover(stage, f"act {stage.number}, before {stage.names[at - 1]!r} ({at})")
                if self.failures and until_failure:
                    return self
        return self

    def pairs(self) -> Campaign:
        """Die at every point, and once more at every point of the recovery."""
        for stage in self.stages:
            for first in range(1, len(stage.names) + 1):
                self._run(stage.before, stage.number, first, quiet=True)
                crashed = copied(self._site, self.folder / "crashed")
                names = self._run(None, stage.number)
                for second in range(1, len(names) + 1):
                    self._run(crashed, stage.number, second)
                    self._recover(stage, f"act {stage.number}, points {first} and {second}")
        return self

    def _recover(self, stage: Stage, plan: str) -> None:
        self.plans += 1
        self._run(None, stage.number)
        reached = essence(self._site)
        # A site that is the same as the one which nobody killed goes on as that one did, and that one was judged.
        if reached == stage.after or reached in self._good:
            return
        before = len(self.failures)
        self._judge(stage.number, plan)
        if len(self.failures) == before:
            self._good.add(reached)

    def _judge(self, number: int, plan: str) -> None:
        if number < len(self._acts):
            self._run(None, len(self._acts))
        found = findings(self._site, self.world.customers, proves=self.world.proves)
        self.failures += [f"{plan}: {finding}" for finding in found]
