"""Two machines never keep each other busy: at most one automatic mail a side, whatever the other one strips or changes."""

from __future__ import annotations

import email
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from fakes import FakeClock, WordModel, World, mail
from servers.smtp import SmtpServer

from pipeline.core.records import Address, Intent, Reason, Scores
from pipeline.edges.smtp import SmtpDelivery
from reliability.attacked import CANCEL, attacked, work
from reliability.world import quick_folder

INJECTIONS = 10_000


class Credulous(WordModel):
    """Takes everything for a cancellation, and is sure of it: nothing but the rules against loops stands in the way."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        cancel = {intent: float(intent is Intent.CANCEL) for intent in Intent}
        why = {reason: float(reason is Reason.UNSPECIFIED) for reason in Reason}
        return [Scores(intent=cancel, reason=why) for _ in texts]


class Side:
    """A business with a winback of its own and a server that takes its mail."""

    def __init__(self, world: World, server: SmtpServer, domain: str) -> None:
        self.server, self.domain, self.delivered = server, domain, 0
        self.address = f"dana@{domain}"
        rules = world.site.rules
        business = replace(rules.business, domain=domain, sender=Address(name="Dana Reyes", address=self.address))
        own = replace(rules, business=business, own_addresses=frozenset({self.address}), trusted_authserv=frozenset({domain}))
        delivery = SmtpDelivery(host=server.host, port=server.port, security="none", hello=domain)
        world.site = replace(world.site, rules=own, delivery=delivery, model=Credulous())
        self.world = world

    def arrives(self, sent: bytes) -> None:
        """The domain's own server vouches for what comes in."""
        self.world.inbox.arrive(f"Authentication-Results: {self.domain}; dmarc=pass\r\n".encode() + sent)

    def new_mails(self) -> list[bytes]:
        """What it sent since this was asked last."""
        taken = [each.data for each in self.server.mails[self.delivered :]]
        self.delivered += len(taken)
        return taken


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    with ExitStack() as stack:
        made = []
        for domain in ("left.example", "right.example"):
            folder = stack.enter_context(quick_folder())
            server = stack.enter_context(SmtpServer())
            made.append(Side(stack.enter_context(attacked(folder, FakeClock(), shipped_model=False)), server, domain))
        for side in made:
            work(side.world)
        yield made[0], made[1]


def kept(sent: bytes) -> bytes:
    return sent


def stripped(sent: bytes) -> bytes:
    """A relay that leaves nothing but the letter."""
    names = rb"Auto-Submitted|X-[\w-]+|In-Reply-To|References|Message-ID|List-Unsubscribe"
    return re.sub(rb"^(?:%s):.*\r\n(?:[ \t].*\r\n)*" % names, b"", sent, flags=re.M | re.I)


def answered_as_new(sent: bytes) -> bytes:
    """It also says its words anew: nothing in the text is quoted any more."""
    return stripped(sent).replace(b"\r\n> ", b"\r\n").replace(b"wrote:", b"wrote")


@pytest.mark.parametrize("relay", [kept, stripped, answered_as_new])
def test_two_of_us_stop_after_one_mail_each(sides: tuple[Side, Side], relay: Callable[[bytes], bytes]):
    left, right = sides
    left.arrives(
        mail(CANCEL, f"Dana Reyes <{right.address}>", trusted=False).replace(b"dana@bluedoor.example", b"dana@left.example")
    )
    for _ in range(25):
        for one, other in ((left, right), (right, left)):
            work(one.world)
            for sent in one.new_mails():
                other.arrives(relay(sent))
            one.world.clock.forward(minutes=10)
    assert len(left.server.mails) == 1
    assert len(right.server.mails) <= 1


class Responder:
    """A machine that answers at once and looks like somebody new each time: another tag, another subject, no headers."""

    def __init__(self, luck: random.Random) -> None:
        self._luck = luck

    def answer(self, number: int) -> bytes:
        tag = f"{self._luck.getrandbits(64):x}"
        local = self._luck.choice((f"desk+{tag}", f"Desk+{tag}", f"desk+{number}+{tag}", "desk"))
        head = EmailMessage(policy=policy.SMTP)
        head["Authentication-Results"] = "mx.bluedoor.example; dmarc=pass header.from=machine.example"
        head["From"] = f"Ann {tag[:4]} <{local}@machine.example>"
        head["To"] = "dana@bluedoor.example"
        head["Subject"] = f"{self._luck.choice(('Request', 'Ticket', 'Re: Membership'))} {tag}"
        head.set_content(f"Request {tag}. {CANCEL}\n")
        return bytes(head)


@pytest.mark.slow
def test_a_responder_that_hides_itself_gets_one_automatic_mail_in_ten_thousand(tmp_path: Path):
    responder = Responder(random.Random(20))
    with quick_folder() as folder, attacked(folder, shipped_model=False) as world:
        world.site = replace(world.site, model=Credulous())
        work(world)
        for start in range(0, INJECTIONS, 500):
            for number in range(start, start + 500):
                world.inbox.arrive(responder.answer(number))
            world.clock.forward(minutes=500)
            work(world)
        assert world.site.store.overview.counts()["message"] == {"decided": INJECTIONS}
        assert len(world.delivery.delivered_mails) == 1
        assert email.message_from_bytes(world.delivery.delivered_mails[0].data)["To"]
