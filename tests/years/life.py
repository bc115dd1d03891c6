"""Lives the years: the real daemon on a real site, its clock set by hand, between customers and a rep."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from fakes import ROOT, FakeClock
from ruamel.yaml import YAML

from pipeline import app
from pipeline.config import load
from pipeline.core.records import Receipt, Send
from pipeline.daemon import Daemon
from pipeline.edges.maildir import MaildirDelivery
from pipeline.site import Site
from years.customers import AWAY, CHAT, HUMAN, MINUTE, NO_MORE, PLAIN, TOLD_WHY, Customer, Ear, Saying, customers, pick
from years.observer import DAY, Deed, House, Story, Texts, read_sent

FIRST = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
YAML_FILE = YAML()
SHIPPED = YAML_FILE.load(ROOT / "config.yaml")
ROUNDS = ((3, 11), (9, 20), (7, 14), (10, 23))  # at least these hours of a day the daemon works, day by day in turn
TEXTS = Texts(ROOT / "templates")


def _after() -> dict[str, timedelta]:
    follow = SHIPPED["follow_ups"]
    touches = [touch for track in follow["tracks"].values() for touch in track] + [follow["thanks"]]
    return {touch["template"]: timedelta(days=int(touch["after"].removesuffix("d"))) for touch in touches}


BLUEDOOR = House(
    name="Bluedoor Studio",
    country="US",
    zone="America/Chicago",
    sender="dana@bluedoor.example",
    address="1 Canal Street, Springfield, IL 62701",
    opens=time(9),
    closes=time(18),
    days=frozenset(range(5)),
    max_touches=3,
    after=_after(),
    address_days=7,
    domain_hour=20,
    hour=60,
    day=400,
    asks_basis=False,
)


@dataclass(frozen=True, kw_only=True)
class Town:
    """A house, how it works with winback, and the share of its customers who write Spanish."""

    house: House
    acknowledgments: str
    follow_ups: str
    spanish: float


TOWNS = (
    Town(house=BLUEDOOR, acknowledgments="when_sure", follow_ups="when_sure", spanish=0.2),
    Town(
        house=replace(
            BLUEDOOR,
            country="ES",
            zone="Europe/Madrid",
            address="Calle del Canal 1, 28001 Madrid",
            opens=time(10),
            closes=time(19, 30),
            page="https://bluedoor.example/baja",
            asks_basis=True,
        ),
        acknowledgments="when_sure",
        follow_ups="review",
        spanish=0.9,
    ),
    Town(
        house=replace(
            BLUEDOOR,
            country="CA",
            zone="America/Toronto",
            address="1 Canal Street, Toronto, ON M5V 2T6",
            days=frozenset({0, 2, 4}),
            max_touches=2,
            domain_hour=1,
            hour=2,
            day=5,
            asks_basis=True,
        ),
        acknowledgments="review",
        follow_ups="when_sure",
        spanish=0.1,
    ),
)


class StampedDelivery(MaildirDelivery):
    """A folder of sent mail in which each file bears the time by the clock of the site."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        super().__init__(path)
        self.folder, self.now = path / "new", now

    @contextmanager
    def session(self) -> Iterator[StampedDelivery]:
        yield self

    def deliver(self, send: Send, sender: str, may_finish: Callable[[], bool]) -> Receipt | None:
        receipt = super().deliver(send, sender, may_finish)
        if receipt:
            stamp = self.now().timestamp()
            os.utime(self.folder / f"{send.key}.eml", (stamp, stamp))
        return receipt


@contextmanager
def opened(town: Town, folder: Path, clock: FakeClock) -> Iterator[Site]:
    """The site of a town, made from the shipped configuration."""
    house = town.house
    written = YAML_FILE.load(ROOT / "config.yaml")
    written["business"].update({"timezone": house.zone, "country": house.country, "address": house.address})
    written["outbox"].update({"acknowledgments": town.acknowledgments, "follow_ups": town.follow_ups})
    written["delivery"]["caps"].update(
        {"address_days": house.address_days, "domain_hour": house.domain_hour, "hour": house.hour, "day": house.day}
    )
    names = "mon tue wed thu fri sat sun".split()
    written["follow_ups"].update(
        {
            "quiet_hours": f"{house.closes:%H:%M}-{house.opens:%H:%M}",
            "days": [names[day] for day in sorted(house.days)],
            "max_touches": house.max_touches,
            "unsubscribe_url": house.page or None,
        }
    )
    written["templates"]["folder"] = str(ROOT / "templates")
    written["appointments"]["content"]["folder"] = str(ROOT / "content")
    for part in ("cur", "new", "tmp"):
        (folder / "inbox" / part).mkdir(parents=True)
    YAML_FILE.dump(written, folder / "config.yaml")
    ear = Ear()
    with app.build(load(folder / "config.yaml"), now=clock, model=ear, readers=1) as site:
        yield replace(site, delivery=StampedDelivery(folder / "sent-mail", clock))


@dataclass
class Life:
    """A town and its people, through the days. `deeds` is what they did, in order."""

    town: Town
    site: Site
    folder: Path
    clock: FakeClock
    chance: Random
    deeds: list[Deed] = field(default_factory=list)
    released: int = 0
    _agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: int = 0
    _read: set[str] = field(default_factory=set)
    _got: dict[str, int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _people: dict[str, Customer] = field(default_factory=dict)

    def live(self, people: list[Customer], days: int) -> Story:
        """Let the days pass. Every round of the daemon must end well."""
        daemon = Daemon(self.site)
        self._settle(daemon)
        self._people = {one.address: one for one in people}
        for one in people:
            self._at(one.begins, lambda one=one: self._cancels(one, one.saying, one.words))
        zone = ZoneInfo(self.town.house.zone)
        for day in range(1, days + 1):
            for hour in ROUNDS[day % len(ROUNDS)]:
                local = datetime.combine(FIRST.date() + day * DAY, time(hour, self.chance.randrange(60)), zone)
                self._at(local.astimezone(UTC), lambda: None)
        end = FIRST + (days + 1) * DAY
        while self._agenda and self._agenda[0][0] < end:
            self.clock.at = self._agenda[0][0]
            while self._agenda and self._agenda[0][0] <= self.clock.at:
                heapq.heappop(self._agenda)[2]()
            self._settle(daemon)
            self._customers_read()
            self._rep_looks()
        return Story(
            house=self.town.house,
            sent=read_sent(self.folder / "sent-mail" / "new", TEXTS),
            deeds=self.deeds,
            variants=TEXTS.variants,
        )

    def _at(self, when: datetime, act: Callable[[], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._agenda, (when, self._numbers, act))

    def _settle(self, daemon: Daemon) -> None:
        """Rounds until nothing is left to do. When too many addresses are dead, the owner looks and says `winback resume`."""
        for _ in range(20):
            done = daemon.once()
            alarmed = self.site.store.control.breaker() is not None
            assert all(count >= 0 for name, count in done.items() if not (alarmed and name == "watch")), done
            if not any(count > 0 for count in done.values()):
                break
        if self.site.store.control.breaker():
            self.site.store.control.resume("owner", self.clock())

    def _rep_looks(self) -> None:
        for file in (self.folder / "outbox" / "review").glob("*.eml"):
            if file.name in self._seen:
                continue
            self._seen.add(file.name)
            hours = self.chance.expovariate(1 / 18)
            gesture = self.chance.choices(("approve", "edit", "reject"), (86, 9, 5))[0]
            self._at(self._awake(self.clock() + 10 * MINUTE + hours * 60 * MINUTE), lambda f=file, g=gesture: self._rep(f, g))

    def _awake(self, when: datetime) -> datetime:
        """Reps look into the folder from seven to ten in the evening, on Sundays as well."""
        local = when.astimezone(ZoneInfo(self.town.house.zone))
        return when if 7 <= local.hour < 22 else when + 10 * 60 * MINUTE

    def _rep(self, file: Path, gesture: str) -> None:
        if not file.exists():
            return
        if gesture == "edit":
            file.write_bytes(file.read_bytes().replace(b"\nDana\n", b"\nMy best wishes to you.\n\nDana\n", 1))
        stamp = (self.clock() - MINUTE).timestamp()
        os.utime(file, (stamp, stamp))
        answers = str(message_from_bytes(file.read_bytes(), policy=policy.default)["In-Reply-To"])
        if gesture == "reject":
            who = next(deed.who for deed in self.deeds if deed.mail == answers)
            self._did("rejected", who, answers)
        self.released += gesture != "reject"
        file.rename(self.folder / "outbox" / ("rejected" if gesture == "reject" else "approved") / file.name)

    def _customers_read(self) -> None:
        for file in sorted((self.folder / "sent-mail" / "new").glob("*")):
            if file.name in self._read:
                continue
            self._read.add(file.name)
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            one = self._people[mail["To"].addresses[0].addr_spec]
            self._got[one.address] = self._got.get(one.address, 0) + 1
            if self._got[one.address] == one.after:
                self._react(one, mail)

    def _react(self, one: Customer, mail: EmailMessage) -> None:
        acts: dict[str, Callable[[], None]] = {
            "replies": lambda: self._says(one, pick(self.chance, CHAT, one.saying.language), "replies", mail),
            "stops": lambda: self._says(one, pick(self.chance, NO_MORE, one.saying.language), "opts_out", mail),
            "away": lambda: self._says(one, pick(self.chance, AWAY, one.saying.language), "away", mail),
            "tells_why": lambda: self._cancels(one, why := pick(self.chance, TOLD_WHY, one.saying.language), why.words, mail),
            "again": lambda: self._cancels(one, more := pick(self.chance, PLAIN, one.saying.language), more.words),
            "books": lambda: self._books(one),
            "human": lambda: self._human(one, mail),
            "by_mail": lambda: self._by_mail(one, mail),
            "by_page": lambda: self._by_page(one, mail),
            "bounces": lambda: self._comes_back(one, mail, "bounces", _BOUNCE),
            "complains": lambda: self._comes_back(one, mail, "complains", _COMPLAINT),
        }
        if act := acts.get(one.fate):
            months = self.chance.randint(40, 160) * DAY if one.fate == "again" else timedelta()
            soon = {"bounces": 20 * MINUTE, "away": 11 * MINUTE}
            self._at(self.clock() + months + soon.get(one.fate, one.delay), act)

    def _did(self, kind: str, who: str, mail: str = "", **more: object) -> None:
        self.deeds.append(Deed(at=self.clock(), who=who, kind=kind, mail=mail, **more))

    def _cancels(self, one: Customer, said: Saying, words: str, answers: EmailMessage | None = None) -> None:
        about = {
            "reason": str(said.reason or ""),
            "excluded": said.excluded,
            "sensitive": bool(said.sensitive),
            "opts_out": said.opts_out,
            "wished": one.back if words != said.words else None,
            "basis": said.basis and one.vouched,
        }
        self._did("moves" if said.moves else "cancels", one.address, self._writes(one, words, answers), **about)

    def _says(self, one: Customer, said: Saying, kind: str, answers: EmailMessage) -> None:
        head = "Auto-Submitted: auto-replied\n" if kind == "away" else ""
        self._did(kind, one.address, self._writes(one, said.words, answers, head))

    def _books(self, one: Customer) -> None:
        start = self.clock() + self.chance.randint(3, 20) * DAY
        event = _INVITATION.format(
            number=self._numbers, who=one.address, start=f"{start:%Y%m%dT%H0000Z}", now=f"{self.clock():%Y%m%dT%H%M%SZ}"
        )
        head = 'Content-Type: text/calendar; charset=utf-8; method="REQUEST"\n'
        self._did("books", one.address, self._writes(one, event, None, head))

    def _human(self, one: Customer, mail: EmailMessage) -> None:
        """The owner writes by hand; a copy comes into the mailbox."""
        words = pick(self.chance, HUMAN, one.saying.language).words
        owner = replace(one, name="Dana Reyes", address=self.town.house.sender)
        self._did("human", one.address, self._writes(owner, words, mail, to=one.address))

    def _by_mail(self, one: Customer, mail: EmailMessage) -> None:
        if found := re.search(r"<mailto:[^?]+\?subject=([^>]+)>", str(mail.get("List-Unsubscribe", ""))):
            self._writes(one, "", None, subject=found[1].replace("%20", " "))
            self._did("opts_out", one.address)

    def _by_page(self, one: Customer, mail: EmailMessage) -> None:
        """As the page does when it is asked for by POST."""
        if found := re.search(r"\?t=(\w+)>", str(mail.get("List-Unsubscribe", ""))):
            assert self.site.store.people.unsubscribe(found[1], self.clock())
            self._did("opts_out", one.address)

    def _comes_back(self, one: Customer, mail: EmailMessage, kind: str, form: str) -> None:
        filled = form.format(to=one.address, ours=mail["Message-ID"], now=format_datetime(self.clock()), number=self._numbers)
        self._post(filled)
        self._did(kind, one.address)

    def _writes(
        self,
        one: Customer,
        words: str,
        answers: EmailMessage | None,
        head: str = "Content-Type: text/plain; charset=utf-8\n",
        to: str = "",
        subject: str = "",
    ) -> str:
        self._numbers += 1
        domain = one.address.rpartition("@")[2]
        name = f"<n{self._numbers}@{domain}>"
        if answers is not None:
            head += f"In-Reply-To: {answers['Message-ID']}\nReferences: {answers['Message-ID']}\n"
        vouched = f"Authentication-Results: mx.bluedoor.example; dmarc=pass header.from={domain}\n" if one.vouched else ""
        title = subject or ("Re: your message" if answers else "A message")
        self._post(
            f"{vouched}From: {one.name} <{one.address}>\nTo: {to or self.town.house.sender}\nSubject: {title}\n"
            f"Date: {format_datetime(self.clock())}\nMessage-ID: {name}\nMIME-Version: 1.0\n{head}\n{words}\n"
        )
        return name

    def _post(self, text: str) -> None:
        self._numbers += 1
        stamp = self.clock().timestamp()
        written = self.folder / "inbox" / "tmp" / f"{int(stamp)}.M{self._numbers}.years"
        written.write_bytes(text.replace("\n", "\r\n").encode())
        os.utime(written, (stamp, stamp))
        written.rename(self.folder / "inbox" / "new" / written.name)


_INVITATION = """BEGIN:VCALENDAR
PRODID:-//Example//Calendar//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:booking-{number}@calendar.example
DTSTAMP:{now}
DTSTART:{start}
DURATION:PT1H
SUMMARY:Visit
ORGANIZER:mailto:{who}
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dana@bluedoor.example
END:VEVENT
END:VCALENDAR"""
_BOUNCE = """Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.nowhere.example>
To: dana@bluedoor.example
Subject: Undelivered Mail Returned to Sender
Date: {now}
Message-ID: <bounce{number}@mx.nowhere.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

<{to}>: host mx.nowhere.example said: 550 5.1.1 User unknown

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.nowhere.example

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--=_b
Content-Type: message/rfc822

From: Dana Reyes <dana@bluedoor.example>
To: {to}
Subject: Ours
Message-ID: {ours}

Hello
--=_b--"""
_COMPLAINT = """From: <feedback@provider.example>
To: dana@bluedoor.example
Subject: Complaint about message from bluedoor.example
Date: {now}
Message-ID: <complaint{number}@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_c"

--=_c
Content-Type: text/plain; charset=us-ascii

This is an email abuse report.

--=_c
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1

--=_c
Content-Type: message/rfc822

From: Dana Reyes <dana@bluedoor.example>
To: {to}
Subject: Ours
Message-ID: {ours}

Hello
--=_c--"""


def lived(
    town: Town, folder: Path, *, count: int, days: int, seed: int, spoiled: Callable[[Site], Site] = lambda site: site
) -> Story:
    """The story of a town with so many customers through so many days. `spoiled` makes a worse product of it."""
    clock, chance = FakeClock(FIRST), Random(f"{seed} {town.house.country}")
    with opened(town, folder, clock) as site:
        return Life(town=town, site=spoiled(site), folder=folder, clock=clock, chance=chance).live(
            customers(chance, count, FIRST, days, town.spanish), days
        )
