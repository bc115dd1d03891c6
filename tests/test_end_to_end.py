"""The whole way of a message, on a real IMAP server and a real SMTP server. Read it as the specification."""

from __future__ import annotations

import email
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from fakes import FakeClock, mail
from servers.dovecot import Dovecot
from servers.smtp import SmtpServer
from site_of import make_config

from pipeline import app
from pipeline.config import load
from pipeline.daemon import Daemon

USER = "dana@bluedoor.example"
TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # nine in the morning in Chicago, where the shipped business is


class Business:
    """A small business for a while: its mailbox, its daemon, its rep, and what its customers receive."""

    def __init__(self, dovecot: Dovecot, smtp: SmtpServer, site: app.Site, clock: FakeClock, outbox: Path) -> None:
        self.dovecot, self.smtp, self.site, self.clock, self.outbox = dovecot, smtp, site, clock, outbox
        self.daemon = Daemon(site)

    @property
    def folder(self) -> str:
        return self.site.inbox.folder.rpartition("/")[2]

    def customer_writes(self, words: str, **more: str) -> None:
        self.clock.forward(minutes=1)
        self.dovecot.deliver(USER, mail(words, **more), folder=self.folder, arrived=self.clock())

    def daemon_works(self) -> None:
        done = self.daemon.once()
        assert min(done.values()) >= 0, done

    def days_pass(self, days: int) -> None:
        for _ in range(days):
            self.clock.forward(days=1)
            self.daemon_works()

    def drafts(self) -> list[Path]:
        return sorted((self.outbox / "review").glob("*.eml"))

    def rep_moves(self, draft: Path, to: str) -> None:
        saved = (self.clock() - timedelta(minutes=1)).timestamp()
        os.utime(draft, (saved, saved))
        draft.rename(self.outbox / to / draft.name)

    def received(self) -> list[EmailMessage]:
        return [email.message_from_bytes(taken.data, policy=default) for taken in self.smtp.mails]


@pytest.fixture
def business(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Business]:
    monkeypatch.setenv("MAIL_PASSWORD", dovecot.password)
    folder = tmp_path.name
    dovecot.create(USER, folder)
    clock = FakeClock(TUESDAY)
    config = load(
        make_config(
            tmp_path,
            inbox=f"imap://{USER.replace('@', '%40')}@127.0.0.1:{dovecot.port}/{folder}",
            delivery=f"smtp://127.0.0.1:{smtp_server.port}",
            password="MAIL_PASSWORD",
            acknowledgments="review",
        )
    )
    with app.build(config, now=clock) as site:
        made = Business(dovecot, smtp_server, site, clock, tmp_path / "outbox")
        made.daemon_works()  # the first look: what comes from now on is new
        yield made


def test_from_the_customers_mail_to_the_last_word(business: Business):
    # A customer cancels. The mail lies in the mailbox, unread for people as before.
    business.customer_writes(
        "Hi Dana,\n\nplease cancel my membership from December. It has become too expensive for me.\n\nThanks, Maria",
        subject="Membership",
    )
    business.daemon_works()
    assert business.dovecot.flags(USER, folder=business.folder)[1].isdisjoint({"\\Seen", "\\Answered"})

    # A draft appears for the rep, who can read why, and what comes next.
    (draft,) = business.drafts()
    text = draft.read_text(encoding="utf-8")
    assert "Maria Lopez - price" in draft.name
    assert "X-Winback-Reason: price" in text
    assert "too expensive" in text
    assert business.smtp.mails == []

    # The rep edits it in a text editor and moves it to approved. Even a changed recipient changes nothing.
    edited = text.replace("Thank you for writing", "Thank you so much for writing").replace("maria@", "mallory@")
    draft.write_text(edited, encoding="utf-8")
    business.rep_moves(draft, "approved")
    business.daemon_works()

    # The customer receives the edited text, from Dana, under her own mail, with her own words quoted.
    (taken,), (answer,) = business.smtp.mails, business.received()
    assert taken.recipients == ("maria@example.org",)
    assert taken.sender == "dana@bluedoor.example"
    assert answer["From"].addresses[0].addr_spec == "dana@bluedoor.example"
    assert answer["To"].addresses[0].addr_spec == "maria@example.org"
    assert answer["Subject"] == "Re: Membership"
    assert answer["In-Reply-To"] == "<1@example.org>"
    assert answer["Auto-Submitted"] is None  # a person released it
    body = answer.get_content().replace("\r\n", "\n")
    assert "Thank you so much for writing" in body
    assert "> please cancel my membership from December." in body
    assert [file.parent.name for file in business.outbox.glob("*/*Maria Lopez*")] == ["sent"]

    # Nothing more for days; then the first touch is due, and waits for the rep again.
    business.days_pass(4)
    assert business.drafts() == []
    business.days_pass(4)
    (touch,) = business.drafts()
    business.rep_moves(touch, "approved")
    business.daemon_works()
    first_touch = business.received()[1]
    assert first_touch["In-Reply-To"] == "<1@example.org>"
    assert first_touch["List-Unsubscribe"] is not None
    assert "1 Canal Street" in first_touch.get_content()

    # The customer answers, and that is the end of it: nothing is sent any more, whatever was planned.
    business.customer_writes("Thank you, that is kind. I will think about it.", uid="2", subject="Re: Membership")
    business.days_pass(100)
    assert len(business.smtp.mails) == 2
    assert business.drafts() == []


def test_a_second_daemon_finds_everything_as_the_first_one_left_it(business: Business):
    business.customer_writes("Please cancel my membership, it has become too expensive for me.")
    business.daemon_works()
    business.daemon = Daemon(business.site)
    business.daemon_works()
    assert len(business.drafts()) == 1


def test_correcting_the_reason_brings_the_right_text(business: Business):
    business.customer_writes("Please cancel my membership from December. It has become too expensive for me.")
    business.daemon_works()
    business.rep_moves(business.drafts()[0], "timing")
    business.daemon_works()
    (draft,) = business.drafts()
    assert "X-Winback-Reason: timing" in draft.read_text(encoding="utf-8")
    assert "https://bluedoor.example/book" in draft.read_text(encoding="utf-8")


def test_the_mailbox_begins_anew_and_nobody_is_answered_twice(business: Business):
    words = "Please cancel my membership, it has become too expensive for me."
    business.customer_writes(words)
    business.daemon_works()
    business.rep_moves(business.drafts()[0], "approved")
    business.daemon_works()
    business.dovecot.recreate(USER, business.folder)
    business.dovecot.deliver(USER, mail(words), folder=business.folder, arrived=business.clock())
    business.clock.forward(minutes=5)
    business.daemon_works()
    assert len(business.smtp.mails) == 1
    assert business.drafts() == []


def test_while_the_mail_server_is_away_nothing_is_lost(business: Business):
    business.smtp.replies["DATA"] = "451 4.3.0 try again later"
    business.customer_writes("Please cancel my membership, it has become too expensive for me.")
    business.daemon_works()
    business.rep_moves(business.drafts()[0], "approved")
    business.daemon_works()
    assert business.smtp.mails == []
    business.smtp.replies.clear()
    business.clock.forward(minutes=6)
    business.daemon_works()
    assert len(business.smtp.mails) == 1
