"""Mail in the name of strangers gets no automatic answer unless a trusted server vouches for its sender; and caps hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fakes import World, mail

from pipeline.core.records import Caps
from pipeline.daemon import Daemon
from pipeline.store.schema import cap_event
from reliability.attacked import CANCEL, attacked, work
from reliability.test_caps import most_within
from reliability.world import quick_folder

FORGED = 5_000
OURS = "Authentication-Results: mx.bluedoor.example; "


def plain(victim: str, head: str = "", *, sender: str = "", below: str = "") -> bytes:
    """A cancellation in the name of a victim, with headers above and below its From."""
    made = mail(CANCEL, sender or f"Ann Poe <{victim}>", headers=below, trusted=False, uid=victim.partition("@")[0])
    return head.replace("\n", "\r\n").encode() + made


def domain(victim: str) -> str:
    return victim.partition("@")[2]


# What a forger may write, and what our own server, on top of it, says at best: that it knows nothing.
SHAPES: Mapping[str, Callable[[str], bytes]] = {
    "no result at all": lambda v: plain(v),
    "a result of a server of the forger": lambda v: plain(
        v, f"Authentication-Results: mx.evil.example; dmarc=pass header.from={domain(v)}\n"
    ),
    "a result in our name below the true one": lambda v: plain(
        v, f"{OURS}dmarc=none; spf=none\n{OURS}dmarc=pass header.from={domain(v)}\n"
    ),
    "a result in our name below From": lambda v: plain(v, f"{OURS}spf=neutral\n", below=f"{OURS}dmarc=pass\n"),
    "a failure, and a pass below": lambda v: plain(v, f"{OURS}dmarc=fail header.from={domain(v)}\n{OURS}dmarc=pass\n"),
    "a name that begins like ours": lambda v: plain(
        v, "Authentication-Results: mx.bluedoor.example.evil.example; dmarc=pass\n"
    ),
    "our name in a comment": lambda v: plain(v, "Authentication-Results: evil.example (mx.bluedoor.example); dmarc=pass\n"),
    "our name in letters that look alike": lambda v: plain(v, "Authentication-Results: mx.bluedo\u043er.example; dmarc=pass\n"),
    "our name as an encoded word": lambda v: plain(
        v, "Authentication-Results: =?utf-8?q?mx.bluedoor.example?=; dmarc=pass\n"
    ),
    "a pass in a comment": lambda v: plain(v, f"{OURS}spf=fail (dmarc=pass header.from={domain(v)}) smtp.mailfrom={v}\n"),
    "a pass in a quoted string": lambda v: plain(v, f'{OURS}spf=fail reason="; dmarc=pass header.from={domain(v)}"\n'),
    "a pass for the forger's domain": lambda v: plain(
        v, f"{OURS}spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example\n"
    ),
    "a pass for a domain that ends like the victim's": lambda v: plain(v, f"{OURS}dkim=pass header.d=x{domain(v)}\n"),
    "headers of other names": lambda v: plain(v, f"X-{OURS}dmarc=pass\nARC-{OURS}i=1; dmarc=pass\n"),
    "a pass for the first of two senders": lambda v: plain(
        v, f"{OURS}dmarc=pass header.from={domain(v)}\n", sender=f"Ann <{v}>, Eve <eve@evil.example>"
    ),
    "two From headers": lambda v: plain(v, f"{OURS}dmarc=pass header.from={domain(v)}\n", below="From: eve@evil.example\n"),
    "the victim's address as the name": lambda v: plain(
        v, f"{OURS}dmarc=pass header.from=evil.example\n", sender=f'"{v}" <eve@evil.example>'
    ),
    "two addresses in one": lambda v: plain(v, f"{OURS}dmarc=pass\n", sender=f"{v})eve@evil.example"),
    "the answer wanted elsewhere": lambda v: plain(
        v, f"{OURS}dmarc=pass header.from={domain(v)}\n", below="Reply-To: eve@evil.example\n"
    ),
}  # fmt: skip


def no_auto(world: World) -> Counter[str]:
    """How many mails were decided in which way; none may have gone out."""
    assert world.delivery.delivered_mails == []
    return Counter(world.site.store.overview.counts()["message"])


@pytest.mark.slow
def test_of_five_thousand_forged_senders_none_is_answered_without_a_person():
    with quick_folder() as folder, attacked(folder, shipped_model=False) as world:
        work(world)
        shapes = list(SHAPES.values())
        for start in range(0, FORGED, 1_000):
            for number in range(start, start + 1_000):
                world.inbox.arrive(shapes[number % len(shapes)](f"p{number}@d{number % 97}.example.org"))
            world.clock.forward(days=1)
            work(world)
        ends = no_auto(world)
        assert sum(ends.values()) == FORGED
        assert ends["decided"] > 0 and ends["held"] > 0


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_answered_by_a_person_or_nobody(shape: str):
    assert len(SHAPES) >= 12
    with quick_folder() as folder, attacked(folder, shipped_model=False) as world:
        work(world)
        world.inbox.arrive(SHAPES[shape]("ann@poe.example.org"))
        work(world)
        (end,) = no_auto(world)
        assert end in ("decided", "held")


@pytest.fixture
def flooded() -> Iterator[World]:
    """A thousand customers cancel at once, half of them of one domain, and a trusted server vouches for all."""
    with quick_folder() as folder, attacked(folder, shipped_model=False) as world:
        work(world)
        for number in range(1_000):
            customer = f"p{number}@{'big' if number % 2 else f'd{number}'}.example.org"
            world.inbox.arrive(plain(customer, f"{OURS}dmarc=pass\n"))
        yield world


def test_a_flood_opens_the_breaker_and_all_the_rest_waits_for_people(flooded: World):
    work(flooded)
    assert Daemon(flooded.site).once()["watch"] == -1  # an alarm
    assert len(flooded.delivery.delivered_mails) == flooded.site.caps.burst
    (alarm,) = flooded.site.store.control.alarms()
    assert "nothing goes out by itself" in alarm.text
    assert [note.name for note in flooded.outbox.glob("NOTE*")] == ["NOTE - watch.txt"]
    flooded.clock.forward(hours=2)
    flooded.inbox.arrive(plain("late@late.example.org", f"{OURS}dmarc=pass\n"))
    Daemon(flooded.site).once()
    assert len(flooded.delivery.delivered_mails) == flooded.site.caps.burst
    assert any("Ann Poe" in draft.name for draft in flooded.files("review"))
    flooded.site.store.control.resume("terminal", flooded.clock())
    flooded.clock.forward(minutes=1)
    work(flooded)
    assert len(flooded.delivery.delivered_mails) > flooded.site.caps.burst
    assert flooded.site.store.control.alarms() == []


@pytest.mark.slow
def test_a_flood_is_answered_up_to_the_caps_and_not_one_more(flooded: World):
    caps = Caps(burst=1_000_000)
    flooded.site = replace(flooded.site, caps=caps)
    for _ in range(24 * 4):
        work(flooded)
        flooded.clock.forward(minutes=15)
    with flooded.site.store.database.reading() as connection:
        rows = connection.execute(sa.select(cap_event.c.at, cap_event.c.domain).order_by(cap_event.c.at)).all()
    times = [row.at for row in rows]
    assert most_within(times, timedelta(hours=1)) == caps.hour
    assert most_within(times, timedelta(days=1)) == caps.day == len(flooded.delivery.delivered_mails)
    assert most_within([row.at for row in rows if row.domain == "big.example.org"], timedelta(hours=1)) == caps.domain_hour
