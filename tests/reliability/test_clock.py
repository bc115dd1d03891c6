"""Clocks that jump, and the nights when summer time begins or ends: no burst, nothing twice, caps and quiet hours hold."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import FakeClock, FakeDelivery, World, mail, make_world
from figures import Figures

from pipeline.core.records import Caps, FollowUpRules, Receipt, Send, Touch
from pipeline.daemon import CLOCK_JUMP, Daemon
from reliability.world import quick_folder

CAPS = Caps(hour=6, day=30)
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)


@dataclass(frozen=True)
class Left:
    """A mail that went out: when by the clock, and when by a watch that nobody sets."""

    send: Send
    clock: datetime
    watch: timedelta

    @property
    def touch(self) -> bool:
        return b"List-Unsubscribe:" in self.send.data


@dataclass
class Years:
    """A site in simulated time. `watch` goes on steadily, the clock may be set."""

    world: World
    watch: timedelta = timedelta(0)
    left: list[Left] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.site = replace(self.world.site, caps=CAPS, delivery=Noting(self))

    def now(self) -> datetime:
        return self.world.clock()

    def passes(self, by: timedelta, every: timedelta) -> None:
        end = self.watch + by
        while self.watch < end:
            self.watch += every
            self.world.clock.at += every
            self.work()

    def work(self) -> None:
        done = Daemon(self.world.site).once()
        assert min(done.values()) >= 0

    def set_clock(self, by: timedelta) -> None:
        """As the daemon sees it: before the next job."""
        self.world.clock.at += by
        if by > timedelta(seconds=CLOCK_JUMP):
            self.world.site.store.sends.clock_set_ahead(by, self.now())

    def cancels(self, who: str) -> None:
        text = "Please cancel my membership, it is too expensive for me."
        self.world.inbox.arrive(mail(text, f"{who} <{who}@{who}.example>", uid=who))


@dataclass
class Noting(FakeDelivery):
    years: Years | None = None

    def __init__(self, years: Years) -> None:
        super().__init__()
        self.years = years

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        receipt = super().deliver(send, sender, may_finish)
        if receipt:
            self.years.left.append(Left(send, self.years.now(), self.years.watch))
        return receipt


def site(folder: Path, zone: str, begin: datetime, rules: FollowUpRules) -> Years:
    world = make_world(folder, FakeClock(begin), follow_ups="when_sure")
    business = replace(world.site.rules.business, timezone=zone)
    world.site = replace(world.site, rules=replace(world.site.rules, business=business, follow_ups=rules))
    years = Years(world)
    years.work()
    return years


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as quick:
        yield quick


def most_in_an_hour(left: list[Left]) -> int:
    return max(sum(one.watch <= other.watch < one.watch + HOUR for other in left) for one in left)


def doubles(left: list[Left]) -> list[str]:
    return [key for key, count in Counter(one.send.key for one in left).items() if count > 1]


NIGHTS = (
    ("Europe/Madrid", datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 3, 14, tzinfo=UTC)),
    ("Europe/Madrid", datetime(2027, 3, 28, tzinfo=UTC)),
)
# The usual hours, and hours that begin and end while the clocks change.
OPEN = ((time(9), time(18)), (time(1, 30), time(2, 30)))


@pytest.mark.slow
@pytest.mark.parametrize(("opens", "closes"), OPEN)
@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_touches_of_every_hour_of_such_a_night_go_out_once_and_in_open_hours(
    folder: Path, zone: str, night: datetime, opens: time, closes: time, figures: Figures
):
    days = frozenset(range(7))
    tracks = {"price": (Touch(after=8 * DAY, template="price_1"),)}
    rules = FollowUpRules(quiet_from=closes, quiet_to=opens, days=days, tracks=tracks)
    years = site(folder, zone, night - 8 * DAY - 3 * HOUR, rules)
    customers = [f"c{hour}" for hour in range(12)]
    for who in customers:  # one an hour, so that one touch falls due in every hour of the night
        years.cancels(who)
        years.passes(HOUR, every=HOUR)
    years.passes(night - 3 * HOUR - years.now(), every=12 * HOUR)
    years.passes(18 * HOUR, every=HOUR / 4)
    years.passes(42 * HOUR, every=HOUR / 2)

    touches = [one for one in years.left if one.touch]
    when = f"{zone}, night of {night:%Y-%m-%d}, open {opens:%H:%M} to {closes:%H:%M}"
    figures(when, touches=len(touches), doubles=len(doubles(years.left)), most_in_an_hour=most_in_an_hour(years.left))
    assert doubles(years.left) == []
    assert sorted(one.send.recipient.partition("@")[0] for one in touches) == sorted(customers)
    assert [one.clock for one in touches if not opens <= one.clock.astimezone(ZoneInfo(zone)).time() < closes] == []
    assert most_in_an_hour(years.left) <= CAPS.hour


CUSTOMERS = 20
JUMPS = (HOUR, -HOUR, -timedelta(minutes=10), YEAR, -YEAR)


def jumping(folder: Path, seed: int) -> Years:
    """Five weeks with some customers and four jumps of the clock."""
    luck = random.Random(seed)
    tracks = {"price": (Touch(after=8 * DAY, template="price_1"), Touch(after=16 * DAY, template="price_2"))}
    years = site(folder, "Europe/Madrid", datetime(2026, 11, 23, 8, tzinfo=UTC), FollowUpRules(tracks=tracks))
    todo = [*((luck.uniform(0, 10), f"c{number}") for number in range(CUSTOMERS))]
    todo += [(luck.uniform(1, 28), luck.choice(JUMPS)) for _ in range(4)]
    for at, what in sorted(todo, key=lambda one: one[0]):
        years.passes(at * DAY - years.watch, every=4 * HOUR)
        if isinstance(what, timedelta):
            years.set_clock(what)
            # The jobs run again at once, and every few minutes: if there is a burst, it comes now.
            years.passes(HOUR, every=10 * timedelta(minutes=1))
        else:
            years.cancels(what)
    years.passes(35 * DAY - years.watch, every=4 * HOUR)
    return years


def wrongs(years: Years) -> list[str]:
    """What a jumping clock led to and must not."""
    found = [f"twice: {key}" for key in doubles(years.left)]
    answers = {one.send.draft for one in years.left if not one.touch}
    answers |= {one.draft.key for one in years.world.site.store.drafts.waiting() if not one.draft.number}
    if len(answers) != CUSTOMERS:
        found.append(f"{len(answers)} of {CUSTOMERS} customers have an answer, or a draft of one")
    if most_in_an_hour(years.left) > CAPS.hour:
        found.append(f"{most_in_an_hour(years.left)} mails in an hour")
    touches: defaultdict[str, list[Left]] = defaultdict(list)
    for one in years.left:
        if one.touch:
            touches[one.send.recipient].append(one)
            local = one.clock.astimezone(ZoneInfo("Europe/Madrid"))
            if not 9 <= local.hour < 18 or local.weekday() > 4:
                found.append(f"a touch at {local}")
    for of in touches.values():
        with suppress(ValueError):
            first, second = of
            if second.watch - first.watch < HOUR:
                found.append(f"two touches within an hour: {first.send.recipient}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_jumps_brings_no_burst_and_nothing_twice(folder: Path, seed: int, figures: Figures):
    found = wrongs(jumping(folder, seed))
    figures(f"clock that jumps, seed {seed}", jumps=4, days=35, wrongs=len(found))
    assert found == []


@pytest.mark.parametrize("by", [HOUR, YEAR])
def test_a_clock_set_ahead_while_many_wait_opens_no_cap(folder: Path, by: timedelta):
    years = site(folder, "Europe/Madrid", datetime(2026, 11, 23, 8, tzinfo=UTC), FollowUpRules())
    for number in range(20):
        years.cancels(f"c{number}")
    years.passes(10 * timedelta(minutes=1), every=timedelta(minutes=1))
    assert len(years.left) == CAPS.hour
    years.set_clock(by)
    years.passes(45 * timedelta(minutes=1), every=timedelta(minutes=1))
    assert len(years.left) == CAPS.hour
    years.passes(4 * HOUR, every=5 * timedelta(minutes=1))
    assert (len(years.left), most_in_an_hour(years.left)) == (20, CAPS.hour)


@pytest.mark.parametrize("by", [-timedelta(minutes=10), -HOUR, -YEAR])
def test_a_clock_set_back_doubles_nothing_and_keeps_nothing_waiting(folder: Path, by: timedelta):
    years = site(folder, "Europe/Madrid", datetime(2026, 11, 23, 8, tzinfo=UTC), FollowUpRules())
    for number in range(20):
        years.cancels(f"c{number}")
    years.passes(10 * timedelta(minutes=1), every=timedelta(minutes=1))
    years.set_clock(by)
    years.passes(8 * HOUR, every=5 * timedelta(minutes=1))
    assert (len(years.left), doubles(years.left), most_in_an_hour(years.left)) == (20, [], CAPS.hour)
