"""Hand-written stand-ins for the outside, beside a real store, real files and the real core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from pipeline.core import flow
from pipeline.core.records import (
    Address,
    AnswerRules,
    Batch,
    Beginning,
    Business,
    Caps,
    Cursor,
    FollowUpRules,
    Intent,
    Message,
    Place,
    Raw,
    Reason,
    Receipt,
    Rules,
    Scores,
    Send,
    Text,
    Touch,
)
from pipeline.edges.outbox import Outbox
from pipeline.edges.templates import Templates
from pipeline.errors import Unreadable, WinbackError
from pipeline.site import Site
from pipeline.store import open_store
from pipeline.store.schema import step

Kind = TypeVar("Kind", Intent, Reason)

ROOT = Path(__file__).parents[1]
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FOLDER = "fake:inbox"


@dataclass
class FakeClock:
    """Tells the time that it was set to."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class FakeInbox:
    """A folder in memory. `trouble` is raised by the next look."""

    clock: FakeClock
    folder: str = FOLDER
    mails: list[tuple[str, datetime, bytes]] = field(default_factory=list)
    validity: str = "1"
    trouble: WinbackError | None = None
    marked: list[str] = field(default_factory=list)
    batch_size: int = 200

    def arrive(self, data: bytes, at: datetime | None = None) -> str:
        uid = str(len(self.mails) + 1)
        self.mails.append((uid, at or self.clock(), data))
        return uid

    def begin(self, start: str | date, now: datetime) -> Beginning:
        last = len(self.mails) if start == "new" else 0
        if isinstance(start, date):
            last = sum(arrived.date() < start for _, arrived, _ in self.mails)
        return Beginning(cursor=Cursor(folder=self.folder, epoch=self.validity, last=last, old_before=now))

    def epoch(self) -> str:
        if self.trouble:
            raise self.trouble
        return self.validity

    def new(self, cursor: Cursor, known: Callable[[Sequence[str]], set[str]]) -> Iterator[Batch]:
        left = [mail for mail in self.mails if int(mail[0]) > cursor.last]
        for at in range(0, len(left), self.batch_size):
            part = left[at : at + self.batch_size]
            raws = tuple(self._raw(*mail, cursor) for mail in part)
            last = int(part[-1][0])
            yield Batch(
                mails=raws,
                cursor=Cursor(folder=self.folder, epoch=self.validity, last=last, old_before=cursor.old_before),
            )

    def _raw(self, uid: str, arrived: datetime, data: bytes, cursor: Cursor) -> Raw:
        place = Place(folder=self.folder, epoch=self.validity, uid=uid)
        return Raw(key=place.key, place=place, arrived=arrived, data=data, old=arrived < cursor.old_before)

    def wait(self, seconds: float) -> bool:
        return False

    def mark(self, uids: Sequence[str]) -> None:
        self.marked += uids

    def find(self, header: str, value: str, *, sent: bool = False) -> str | None:
        return None

    def check(self) -> str:
        return "fine"

    def close(self) -> None:
        pass


@dataclass
class FakeDelivery:
    """Takes mails over. `replies` are used up one a mail: an error to raise (before or after the dot), or None for a 250."""

    delivered_mails: list[Send] = field(default_factory=list)
    before_dot: list[WinbackError | None] = field(default_factory=list)
    after_dot: list[WinbackError | None] = field(default_factory=list)
    at_open: WinbackError | None = None
    proof: bool | None = None
    senders: list[str] = field(default_factory=list)

    @contextmanager
    def session(self) -> Iterator[FakeDelivery]:
        if self.at_open:
            raise self.at_open
        yield self

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        if error := _next(self.before_dot):
            raise error
        if not may_finish():
            return None
        if error := _next(self.after_dot):
            raise error
        self.delivered_mails.append(send)
        self.senders.append(sender)
        return Receipt(code=250, reply="ok")

    def delivered(self, send: Send) -> bool | None:
        return self.proof

    def check(self) -> str:
        return "fine"


def _next(errors: list[WinbackError | None]) -> WinbackError | None:
    return errors.pop(0) if errors else None


class PlainReader:
    """Reads in this process."""

    def read_all(self, raws: Iterable[Raw]) -> Iterator[tuple[Raw, Message | Unreadable]]:
        for raw in raws:
            try:
                yield raw, flow.read(raw)
            except Unreadable as error:
                yield raw, error


class WordModel:
    """Knows a few words: enough to steer the pipeline, and no test of understanding."""

    WORDS = (
        ("expensive", Reason.PRICE),
        ("caro", Reason.PRICE),
        ("rude", Reason.SERVICE),
        ("work trip", Reason.TIMING),
        ("not ready", Reason.NOT_READY),
        ("moving", Reason.OTHER),
    )

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [self._score(text.lower()) for text in texts]

    def _score(self, text: str) -> Scores:
        cancels = "cancel" in text and "policy" not in text
        intent = Intent.CANCEL if cancels else Intent.RESCHEDULE if "move my" in text else Intent.NONE
        reason = next((reason for word, reason in self.WORDS if word in text), Reason.UNSPECIFIED)
        hints = intent is Intent.NONE and reason is not Reason.UNSPECIFIED
        return Scores(intent=_sure_of(intent, Intent, 0.8 if hints else 0.99), reason=_sure_of(reason, Reason))


def _sure_of(one: Kind, among: Iterable[Kind], sure: float = 0.99) -> dict[Kind, float]:
    kinds = list(among)
    return {kind: sure if kind == one else (1 - sure) / (len(kinds) - 1) for kind in kinds}


TRACKS = {
    "price": (Touch(after=timedelta(days=5), template="price_1"), Touch(after=timedelta(days=30), template="price_2")),
    "timing": (Touch(after=timedelta(days=2), template="timing_1"),),
    "service": (Touch(after=timedelta(days=1), template="service_1"),),
}


def make_rules(**answers: object) -> Rules:
    return Rules(
        business=Business(
            name="Bluedoor Studio",
            sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
            address="1 Blue Street",
            phone="+1 555 0100",
            timezone="Europe/Madrid",
            country="US",
            reschedule_url="https://bluedoor.example/book",
            domain="bluedoor.example",
        ),
        answers=AnswerRules(**answers),
        follow_ups=FollowUpRules(tracks=TRACKS),
        own_addresses=frozenset({"dana@bluedoor.example"}),
        trusted_authserv=frozenset({"mx.bluedoor.example"}),
    )


@dataclass
class FakeTexts:
    """Texts that come out of a function, each without variants."""

    render: Callable[[str, str, Mapping[str, str]], Text]

    def variants(self, name: str, language: str) -> tuple[str, ...]:
        return (name,)


@dataclass
class World:
    """A whole site with its outside."""

    site: Site
    clock: FakeClock
    inbox: FakeInbox
    delivery: FakeDelivery
    outbox: Path

    def files(self, folder: str) -> list[Path]:
        return sorted((self.outbox / folder).glob("*.eml"))

    def open_steps(self) -> list[tuple[str, int]]:
        """Track and number of the touches that are planned or drafted."""
        query = sa.select(step.c.track, step.c.number).where(step.c.state.in_(("planned", "moved", "drafted")))
        with self.site.store.database.reading() as connection:
            return sorted((row.track, row.number) for row in connection.execute(query))

    def move(self, file: Path, to: str) -> Path:
        """As a rep moves a file; its last change lies some seconds back."""
        stamp = (self.clock() - timedelta(seconds=10)).timestamp()
        os.utime(file, (stamp, stamp))
        return file.rename(self.outbox / to / file.name)


def make_world(folder: Path, clock: FakeClock | None = None, **answers: object) -> World:
    clock = clock or FakeClock()
    inbox, delivery, model = FakeInbox(clock), FakeDelivery(), WordModel()
    site = Site(
        store=open_store(folder / "state" / "winback.db", clock()),
        rules=make_rules(**answers),
        caps=Caps(),
        start="new",
        keep_raw=timedelta(days=180),
        keep_history=timedelta(days=730),
        inbox=inbox,
        delivery=delivery,
        outbox=Outbox(folder / "outbox"),
        reader=PlainReader(),
        model=model,
        texts=Templates(ROOT / "templates"),
        stopped=lambda: (folder / "STOP").exists(),
        leaving=lambda: False,
        free_space=lambda: 10**12,
        owner="test",
        now=clock,
        folder=folder,
    )
    return World(site=site, clock=clock, inbox=inbox, delivery=delivery, outbox=folder / "outbox")


def mail(
    text: str,
    sender: str = "Maria Lopez <maria@example.org>",
    subject: str = "Hello",
    headers: str = "",
    uid: str = "1",
    trusted: bool = True,
) -> bytes:
    """A plain mail to the business, vouched for by its own server."""
    domain = sender.rsplit("@", 1)[1].rstrip(">")
    vouched = f"Authentication-Results: mx.bluedoor.example; dmarc=pass header.from={domain}\n" if trusted else ""
    head = (
        f"{vouched}From: {sender}\nTo: dana@bluedoor.example\nSubject: {subject}\n"
        f"Message-ID: <{uid}@{domain}>\nDate: Mon, 23 Nov 2026 10:30:00 +0100\n{headers}"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
    )
    return (head + text + "\n").replace("\n", "\r\n").encode()
