"""Kill a site between any two effects, start it again until it is quiet, and compare it with one that was never killed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fakes import MONDAY

from pipeline.store import Store, open_store
from reliability.cycle import EVERYBODY, TWO, Customer, acts, essence, findings
from reliability.world import (
    FAULTS,
    KILLED,
    NONE,
    Outside,
    Patch,
    Points,
    copied,
    fresh,
    live,
    lived,
    opened,
    patched,
    play,
)


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


def everything(site: Path) -> str:
    """A digest of all that a process leaves behind when it dies; of the times of files, the product reads those of the reps."""
    whole = hashlib.sha256()
    for file in sorted(site.rglob("*")):
        if file.is_file():
            saved = file.stat().st_mtime_ns if "outbox" in file.parts else 0
            data = file.read_bytes()
            whole.update(f"{file.relative_to(site)} {saved} {len(data)}\n".encode() + data)
    return whole.hexdigest()


@dataclass(frozen=True)
class Wrecks:
    """What a kill at each point of a process would leave behind: the kernel has it all, so a copy made there is the same.

    Equal ones are kept once, by their digest; `list` is read when the process has ended.
    """

    site: Path
    folder: Path

    def __call__(self, number: int) -> None:
        key = everything(self.site)
        if not (self.folder / key).exists():
            copied(self.site, self.folder / key)
        with (self.folder / "points").open("a") as points:
            points.write(f"{key}\n")

    def list(self) -> list[Path]:
        """By points, beginning with the first."""
        points = self.folder / "points"
        return [self.folder / key for key in points.read_text().split()] if points.exists() else []


@dataclass
class Stage:
    """One act of a world: what was there before it, what a kill at each of its points leaves, and its end without a kill."""

    before: Path
    number: int
    names: tuple[str, ...]
    wrecks: list[Path]
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
        self._lives = 0
        self._good: set[str] = set()
        self._recovered: dict[str, list[str]] = {}
        self.stages = list(self._stages())
        self.points = sum(len(stage.names) for stage in self.stages)
        self._judge(len(self._acts), "nobody dies")

    def _warm(self) -> Store:
        """A store for the place of the site that holds no connection, with its statements compiled: that is no state."""
        store = open_store(self._site / "state" / "winback.db", MONDAY)
        outside = Outside(self._site / "outside")
        with opened(self._site, outside, store=store) as site:
            play(site, outside, self._site, self._acts)
        return store

    def _stages(self) -> Iterator[Stage]:
        before = self.folder / "fresh"
        for number in range(1, len(self._acts) + 1):
            copied(before, self._site)
            names, wrecks = self._observed(number, quiet=True)
            yield Stage(before, number, names, wrecks, essence(self._site))
            before = copied(self._site, self.folder / f"after-{number}")

    def _observed(self, number: int, *, quiet: bool = False) -> tuple[tuple[str, ...], list[Path]]:
        """Live on to the end of an act. Returns the names of its points and what a kill at each of them leaves.

        `quiet`: there is nothing left to do before the act.
        """
        self._lives += 1
        wrecks = Wrecks(self._site, self.folder / "wrecks" / str(self._lives))
        wrecks.folder.mkdir(parents=True)
        return lived(self._task(number, quiet=quiet), Points(each=wrecks)), wrecks.list()

    def _task(self, number: int, *, quiet: bool = False) -> Callable[[Points], None]:
        def task(points: Points) -> None:
            outside = Outside(self._site / "outside", self.world.fault, self.world.proves, points)
            with patched(self.world.patch), opened(self._site, outside, store=self._store) as site:
                play(site, outside, self._site, self._acts[:number], quiet=quiet)

        return task

    def killed(self, stage: Stage, at: int) -> tuple[str, str]:
        """What is left when its process really dies at a point of an act, and what the campaign goes on from instead."""
        copied(stage.before, self._site)
        assert live(self._task(stage.number, quiet=True), at).code == KILLED, "the point was not reached"
        real = essence(self._site)
        return real, essence(copied(stage.wrecks[at - 1], self._site))

    def singles(self, *, until_failure: bool = False) -> Campaign:
        """Die once, at every point."""
        for stage in self.stages:
            for at, wreck in enumerate(stage.wrecks, 1):
                self._recover(stage, wreck, f"act {stage.number}, before {stage.names[at - 1]!r} ({at})")
                if self.failures and until_failure:
                    return self
        return self

    def pairs(self) -> Campaign:
        """Die at every point, and once more at every point of the recovery. Points that leave the same are one."""
        for stage in self.stages:
            seen: set[Path] = set()
            for first, wreck in enumerate(stage.wrecks, 1):
                if wreck in seen:
                    continue
                seen.add(wreck)
                copied(wreck, self._site)
                _, again = self._observed(stage.number)
                for second, wreck_of_wreck in enumerate(again, 1):
                    self._recover(stage, wreck_of_wreck, f"act {stage.number}, points {first} and {second}")
                shutil.rmtree(self.folder / "wrecks" / str(self._lives))
        return self

    def _recover(self, stage: Stage, wreck: Path, plan: str) -> None:
        self.plans += 1
        state = f"{stage.number} {wreck.name}"
        if state not in self._recovered:
            copied(wreck, self._site)
            self._task(stage.number)(Points())
            self._recovered[state] = self._wrongs(stage)
        self.failures += [f"{plan}: {finding}" for finding in self._recovered[state]]

    def _wrongs(self, stage: Stage) -> list[str]:
        """A site that is the same as the one which nobody killed goes on as that one did, and that one was judged."""
        reached = essence(self._site)
        if reached == stage.after or reached in self._good:
            return []
        if stage.number < len(self._acts):
            self._task(len(self._acts))(Points())
        found = findings(self._site, self.world.customers, proves=self.world.proves)
        if not found:
            self._good.add(reached)
        return found

    def _judge(self, number: int, plan: str) -> None:
        found = findings(self._site, self.world.customers, proves=self.world.proves)
        self.failures += [f"{plan}: {finding}" for finding in found]
