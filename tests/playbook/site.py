"""A whole site for the tests of the playbook, and what a day in it looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email import policy as email_policy
from pathlib import Path

from fakes import ROOT, FakeClock, WordModel, World, mail, make_world

from pipeline import gestures, jobs, moments
from pipeline.core.appointments import key_of
from pipeline.core.records import (
    Appointment,
    AppointmentRules,
    Charge,
    ContactState,
    Draft,
    FollowUpRules,
    Package,
    Policy,
    Scores,
    Touch,
)
from pipeline.edges.content import Content

MARIA, TOM = "maria@example.org", "tom@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOUCHES = {
    "price": (Touch(after=5 * DAY, template="price_1"), Touch(after=30 * DAY, template="price_2")),
    "timing": (Touch(after=2 * DAY, template="timing_1"),),
}
SALON = Policy(
    currency="USD",
    notice=DAY,
    fees=(Charge(percent=Decimal(50), within=DAY), Charge(percent=Decimal(100), within=timedelta(0))),
    cap=Charge(percent=Decimal(100)),
    grace=1,
    exceptions=frozenset({"illness", "bereavement", "emergency"}),
    packages={"ten": Package(sessions=10, price=Decimal(400), extend=timedelta(minutes=10))},
)
AROUND = AppointmentRules(
    prepare_before=2 * DAY, content={"": "first_visit", "coaching": "conversation"}, tools=frozenset({"calendly.com"})
)


class Listener(WordModel):
    """Also hears what else a mail tells: trouble, a finer reason, that somebody is firm or wants no more mail."""

    TROUBLE: Mapping[str, str] = {"died": "bereavement", "lost my job": "hardship", "surgery": "illness"}
    FINER: Mapping[str, str] = {
        "ill": "illness",
        "moving": "moved",
        "other salon": "competitor",
        "you called it off": "provider_side",
    }

    def _score(self, text: str) -> Scores:
        finer = next((name for word, name in self.FINER.items() if word in text), None)
        return replace(
            super()._score(text),
            sensitive={name: 0.99 for word, name in self.TROUBLE.items() if word in text},
            subreason={finer: 0.99} if finer else {},
            opt_out=0.99 if "unsubscribe" in text else 0.0,
            firm=0.99 if "my mind is made up" in text else 0.0,
        )


class Town:
    """A business and its customers. It is Monday, 23 November 2026, 11 o'clock in Madrid, and every answer waits for a rep."""

    def __init__(
        self, folder: Path, *, policy: Policy = SALON, around: AppointmentRules = AROUND, **follow_ups: object
    ) -> None:
        self.world: World = make_world(folder, FakeClock(), acknowledgments="review")
        site = self.world.site
        rules = replace(
            site.rules,
            policy=policy,
            appointments=around,
            follow_ups=replace(FollowUpRules(tracks=TOUCHES), **follow_ups),
        )
        model = Listener()
        self.world.site = replace(site, rules=rules, content=Content(ROOT / "content"), model=model)
        self.mails = 0
        jobs.poll(self.world.site)
        self.forward(timedelta(minutes=1))

    @property
    def now(self) -> datetime:
        return self.world.clock()

    def forward(self, by: timedelta) -> None:
        self.world.clock.at += by

    def works(self, *, free: Callable[[datetime], tuple[datetime, ...]] | None = None) -> None:
        """What the daemon does in a minute."""
        if free:
            self.world.site = replace(self.world.site, free=free)
        done = (jobs.poll, jobs.work, gestures.collect, moments.appointments, jobs.remind, jobs.publish, jobs.send)
        for job in done:
            job(self.world.site)

    def days_pass(self, count: int, stride: int = 1) -> None:
        """Day after day, or every so many days, reps release everything that waits."""
        for _ in range(0, count, stride):
            self.forward(stride * DAY)
            self.works()
            self.reps_approve()

    def writes(self, words: str, who: str = f"Maria Lopez <{MARIA}>", subject: str = "Hello", headers: str = "") -> None:
        self.mails += 1
        data = mail(words, sender=who, subject=subject, uid=str(self.mails), headers=headers)
        day = f"{self.now.astimezone():%a, %d %b %Y %H:%M:%S +0000}".encode()
        self.world.inbox.arrive(data.replace(b"Mon, 23 Nov 2026 10:30:00 +0100", day))
        self.works()

    def books(self, start: datetime, who: str = MARIA, **more: object) -> Appointment:
        one = Appointment(
            key=key_of(who, start, "" if "uid" not in more else str(more.pop("uid"))), address=who, start=start, **more
        )
        self.world.site.store.bookings.take([one], self.now)
        return one

    def reps_approve(self) -> None:
        waiting = self.world.site.store.drafts.waiting()
        for stored in waiting:
            gestures.approve(self.world.site, stored, None, None, by="terminal")
        if waiting:
            self.works()

    def drafts(self, template: str | None = None) -> list[Draft]:
        waiting = [stored.draft for stored in self.world.site.store.drafts.waiting()]
        return [draft for draft in waiting if template in (None, draft.template.partition(".")[0])]

    def draft(self, template: str) -> Draft:
        (found,) = self.drafts(template)
        return found

    def sent(self, who: str = MARIA) -> list[str]:
        """The subjects of all mails that went out to somebody, in order."""
        mails = [send for send in self.world.delivery.delivered_mails if send.recipient == who]
        return [str(message_from_bytes(send.data, policy=email_policy.default)["Subject"]) for send in mails]

    def last_sent(self) -> str:
        """The text of the mail that went out last."""
        mail = message_from_bytes(self.world.delivery.delivered_mails[-1].data, policy=email_policy.default)
        return str(mail.get_content())

    def state(self, who: str = MARIA) -> tuple[ContactState, str]:
        person = self.world.site.store.people.get(who)
        assert person is not None
        return person.state, person.cause


def notes(draft: Draft, name: str) -> list[str]:
    return [value for key, value in draft.notes if key == name]
