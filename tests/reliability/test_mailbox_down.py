"""The line to the mailbox breaks, stalls or says goodbye in every state of the protocol: noticed in time, nothing lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from fakes import World, mail, make_world
from figures import Figures
from servers.dovecot import Dovecot
from servers.proxy import HOWS, STALL, Fault, Proxy
from site_of import make_config

from pipeline import app, jobs
from pipeline.config import load
from pipeline.daemon import Daemon
from pipeline.edges.imap import RENEW_IDLE, ImapInbox
from pipeline.errors import TryLater

PATIENCE = 0.4  # of the tests' inbox, in seconds; the product's is asserted below
BEFORE = (b"", b"CAPABILITY", b"AUTHENTICATE", b"EXAMINE")
FETCHING = (b"NOOP", b"SEARCH", b"RFC822.SIZE", b"BODY.PEEK", b"SELECT", b"STORE")
WAITING = (b"IDLE", b"DONE")
CANCEL = "Please cancel my membership, it is too expensive for me."


class Mailbox:
    """A site whose mailbox is a real Dovecot behind a proxy."""

    def __init__(self, world: World, dovecot: Dovecot, proxy: Proxy, user: str, patience: float = PATIENCE) -> None:
        self.dovecot, self.proxy, self.user, self.world = dovecot, proxy, user, world
        self.inbox = ImapInbox(
            host=proxy.host,
            port=proxy.port,
            user=user,
            password=lambda: dovecot.password,
            security="none",
            connect_timeout=patience,
            read_timeout=patience,
        )
        world.site = replace(world.site, inbox=self.inbox)
        jobs.poll(world.site)
        self.written = 0

    def somebody_writes(self) -> None:
        self.world.clock.forward(minutes=1)
        self.written += 1
        self.dovecot.deliver(self.user, mail(CANCEL, f"c{self.written}@example.org"), arrived=self.world.clock())

    def stored(self) -> int:
        return sum(len(part) for part in (self.world.site.store.intake.received(1000),))

    def looks(self) -> float:
        """Look for mail, as the daemon does, with another connection after each failure. Returns how long the longest took."""
        longest = 0.0
        for _ in range(3):
            began = time.monotonic()
            with suppress(TryLater):
                jobs.poll(self.world.site)
            with suppress(TryLater):
                self.inbox.wait(0.01)
            longest = max(longest, time.monotonic() - began)
        return longest


@pytest.fixture
def mailbox(dovecot: Dovecot, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    with Proxy(dovecot.port) as proxy:
        made = Mailbox(make_world(tmp_path), dovecot, proxy, f"down-{tmp_path.name}")
        yield made
        made.inbox.close()


def test_trouble_in_every_state_of_the_protocol_is_noticed_and_loses_nothing(mailbox: Mailbox, figures: Figures):
    slowest = tried = 0
    for state, how in product((*BEFORE, *FETCHING, *WAITING), HOWS):
        mailbox.inbox.close()
        mailbox.somebody_writes()
        mailbox.proxy.fault = Fault(how, after=state)
        slowest = max(slowest, mailbox.looks())
        tried += 1
        assert mailbox.proxy.fault is None, f"the client never said {state!r}"
        assert mailbox.stored() == mailbox.written, f"{how} at {state!r}"
    figures(
        "IMAP cut, reset, stalled and ended by BYE in each of 12 states",
        rounds=tried,
        lost=mailbox.written - mailbox.stored(),
        patience=f"noticed within {slowest / PATIENCE:.1f} x the",
    )
    assert slowest < 3 * PATIENCE + 1


@pytest.mark.slow
def test_a_line_that_breaks_after_any_byte_loses_nothing(mailbox: Mailbox, figures: Figures):
    mailbox.somebody_writes()
    before = mailbox.proxy.passed
    mailbox.inbox.close()
    mailbox.looks()
    length = mailbox.proxy.passed - before
    tried = 0
    for left in range(0, length // 2, 23):
        mailbox.inbox.close()
        mailbox.somebody_writes()
        mailbox.proxy.fault = Fault("cut" if left % 2 else "reset", left=left, to_client=left % 3 > 0)
        mailbox.looks()
        mailbox.proxy.fault = None
        tried += 1
        assert mailbox.stored() == mailbox.written, f"after {left} bytes"
    figures("IMAP cut or reset after N bytes", rounds=tried, lost=mailbox.written - mailbox.stored())
    assert tried > 20


def test_a_silent_server_costs_no_cpu(dovecot: Dovecot, tmp_path: Path, figures: Figures):
    with Proxy(dovecot.port) as proxy:
        share = _cpu_meanwhile(Mailbox(make_world(tmp_path), dovecot, proxy, f"down-{tmp_path.name}", patience=6.0))
    figures("CPU while the mailbox is silent", percent=100 * share)
    assert share < 0.02


def _cpu_meanwhile(mailbox: Mailbox) -> float:
    daemon = Daemon(mailbox.world.site)
    mailbox.inbox.close()
    mailbox.proxy.fault = Fault(STALL, after=b"EXAMINE")
    began, used = time.monotonic(), time.process_time()
    assert daemon.attempt("poll", jobs.poll) == -1
    for _ in range(2):
        assert not daemon._something_arrived(_nothing())  # waits in between instead of asking again and again
    return (time.process_time() - used) / (time.monotonic() - began)


def _nothing() -> int:
    return os.eventfd(0, os.EFD_NONBLOCK)


def test_the_real_patience_notices_a_dead_line_in_a_minute_and_a_silent_one_in_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MAIL_PASSWORD", "x")
    config = load(make_config(tmp_path, inbox="imap://dana@127.0.0.1:9/INBOX", password="MAIL_PASSWORD"))
    patience = app.build_inbox(config)._timeout
    assert (patience.connect, patience.read) == (30, 60)
    assert RENEW_IDLE + patience.read <= 600
