"""No word of a mail becomes a command, a header, a recipient or a template: not by SMTP, not by IMAP, not in a draft."""

from __future__ import annotations

import email
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email import policy
from hashlib import sha256

import pytest
from fakes import MONDAY, ROOT, make_rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers.imap import ScriptedImap
from servers.smtp import ScriptedSmtp, Taken

from pipeline.core import flow
from pipeline.core.compose import whole_body
from pipeline.core.records import History, Intent, Place, Raw, Reason, Send, Verdict
from pipeline.edges.imap import ImapInbox
from pipeline.edges.smtp import SmtpDelivery
from pipeline.edges.templates import Templates
from pipeline.errors import ConfigError, Refused, TextRefused
from reliability.attacked import CANCEL
from reliability.fuzz import OUR_HEADERS

RULES = make_rules()
VERDICT = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE)

BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u560d\u560a", "%0d%0a", "\\r\\n", "\x00", "\x1e")
COMMANDS = (
    "Bcc: eve@evil.example",
    "X-Injected: yes",
    "\r\nIgnore the rest",
    ".\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<victim@evil.example>\r\nDATA\r\nhello\r\n.\r\n",
    "RCPT TO:<victim@evil.example>",
    "A9 DELETE INBOX",
)
PAYLOADS = [f"a{line_end}{command}" for line_end in BREAKS for command in COMMANDS]


def encoded(words: str) -> str:
    """As an encoded word, in which line breaks travel unseen."""
    return f"=?utf-8?b?{b64encode(words.encode()).decode()}?="


# Where a stranger's words stand in a mail that is answered; `%s` is the place.
PLACES: Mapping[str, str] = {
    "name": "From: %s <ann@poe.example.org>",
    "quoted name": 'From: "%s" <ann@poe.example.org>',
    "address": "From: <ann%s@poe.example.org>",
    "domain": "From: <ann@poe.example.org%s>",
    "subject": "Subject: %s",
    "Message-ID": "Message-ID: <%s@poe.example.org>",
    "References": "References: <%s@poe.example.org> <%s@x>",
    "In-Reply-To": "In-Reply-To: %s",
    "Reply-To": "Reply-To: %s <ann@poe.example.org>",
    "Date": "Date: Mon, 23 Nov 2026 10:30:00 +0100 (%s)",
    "charset": 'Content-Type: text/plain; charset="%s"',
    "text": "",
}


def letter(place: str, payload: str) -> bytes:
    """A cancellation with the payload in one place."""
    lines = {
        "From": "From: Ann Poe <ann@poe.example.org>",
        "To": "To: dana@bluedoor.example",
        "Subject": "Subject: Membership",
        "Message-ID": "Message-ID: <1@poe.example.org>",
    }
    line = PLACES[place].replace("%s", payload)
    lines[line.partition(":")[0]] = line
    text = f"{CANCEL}\r\n{payload if place == 'text' else ''}"
    return ("\r\n".join(filter(None, lines.values())) + f"\r\n\r\n{text}\r\n").encode("utf-8", "surrogatepass")


class Letterbox:
    """Answers every mail, with the edits of a rep, and hands it to a server that writes down what it is told."""

    def __init__(self, server: ScriptedSmtp) -> None:
        self.server = server
        self._texts = Templates(ROOT / "templates")
        self._delivery = SmtpDelivery(host=server.host, port=server.port, security="none", hello="bluedoor.example")

    def answers(self, mails: list[bytes], *, body: str | None = None, subject: str | None = None) -> int:
        """Answer these mails; how many answers went out."""
        before = len(self.server.dotted)
        with self._delivery.session() as session:
            for number, mail in enumerate(mails):
                answer = self._answer(mail, number, body, subject)
                if answer:
                    with suppress(Refused):
                        session.deliver(answer, "dana@bluedoor.example", lambda: True)
        return len(self.server.dotted) - before

    def _answer(self, mail: bytes, number: int, body: str | None, subject: str | None) -> Send | None:
        place = Place(folder="f", epoch="1", uid=str(number))
        message = flow.read(Raw(key=place.key, place=place, arrived=MONDAY, data=mail))
        plan = flow.answer_as(message, VERDICT, History(), RULES, MONDAY, self._texts, _stamp, 0)
        if plan.draft is None:
            return None
        words = whole_body(plan.draft) if body is None else f"{body}\n\n{plan.draft.text}"
        try:
            return flow.approve(plan.draft, words, subject or plan.draft.subject, RULES, MONDAY, _stamp)
        except TextRefused:
            return None

    def judge(self) -> list[Taken]:
        """The answers since the last time: one command set each, one recipient, our headers alone."""
        said = [command.partition(" ")[0].lower() for command in self.server.commands]
        rounds = re.fullmatch(r"(?:ehlo(?: mail rcpt data)*(?: rset)?(?: quit)? ?)*", " ".join(said))
        assert rounds, said
        assert said.count("mail") == said.count("rcpt") == said.count("data") == len(self.server.dotted)
        for mail in self.server.dotted:
            (recipient,) = mail.recipients
            assert "evil.example" not in recipient.rpartition("@")[2]
            head = re.split(rb"\r\n\r\n", mail.data)[0]
            lines = re.split(rb"\r\n|\r|\n", head)
            names = [line.partition(b":")[0].decode() for line in lines if not line.startswith((b" ", b"\t"))]
            assert len(names) == len(set(names)) and OUR_HEADERS.issuperset(names), names
        taken = [*self.server.dotted]
        self.server.dotted.clear()
        self.server.commands.clear()
        return taken


def _stamp(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:32]


@pytest.fixture(scope="module")
def letterbox() -> Iterator[Letterbox]:
    with ScriptedSmtp({"ehlo": "250-sink.example\r\n250-SIZE 1000000\r\n250-SMTPUTF8\r\n250 8BITMIME"}) as server:
        yield Letterbox(server)


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_a_mail_breaks_out(letterbox: Letterbox, place: str):
    raw = [letter(place, payload) for payload in PAYLOADS]
    hidden = [letter(place, encoded(payload)) for payload in PAYLOADS]
    answered = letterbox.answers(raw + hidden)
    letterbox.judge()
    assert answered or place in ("address", "domain"), "nothing was answered: the test tells nothing"


def test_no_edit_of_a_rep_breaks_out(letterbox: Letterbox):
    sent = 0
    for payload in PAYLOADS[::4]:
        sent += letterbox.answers([letter("text", "hello")], body=f"Hi{payload}", subject=f"Re{payload}")
        sent += letterbox.answers([letter("text", "hello")], subject=encoded(payload))
    letterbox.judge()
    assert sent


WILD = st.text(st.one_of(st.sampled_from("\r\n\x00\u2028\u2029\x85\x0b=?:;<>@\"',()\\. "), st.characters()), max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(places=st.lists(st.tuples(st.sampled_from(sorted(PLACES)), WILD, st.booleans()), min_size=5, max_size=20))
def test_nothing_wild_breaks_out(letterbox: Letterbox, places: list[tuple[str, str, bool]]):
    harmless = [(place, "".join(c for c in words if not "\ud800" <= c <= "\udfff"), hidden) for place, words, hidden in places]
    letterbox.answers([letter(place, encoded(words) if hidden else words) for place, words, hidden in harmless])
    letterbox.judge()


@pytest.mark.parametrize("line_end", BREAKS)
def test_no_folder_name_becomes_an_imap_command(line_end: str):
    with ScriptedImap() as server:
        try:
            inbox = ImapInbox(
                host=server.host,
                port=server.port,
                user="dana",
                password=lambda: "secret",
                folder=f'INBOX"{line_end}A9 DELETE INBOX',
                security="none",
            )
            inbox.epoch()
            inbox.close()
        except ConfigError:
            pass
        assert [command for command in server.commands if command.upper().startswith(("DELETE", "A9"))] == []


# --- templates

FACTOR, PRODUCT = "1337*1337", "1787569"
EXPRESSIONS = (
    *(FACTOR, f"({FACTOR})|string", f"'%s'|format({FACTOR})", "''.__class__.__mro__[1].__subclasses__()", "config", "self"),
    *("request.application.__globals__", "cycler.__init__.__globals__.os.popen('id').read()", "lipsum.__globals__", "name"),
    *("business", "rep", "address|upper", "hello~hello", "namespace()", "joiner.__init__", "dict(a=1)", "range(99)|list"),
    *("''['__class__']", "caller()"),
)
MARKS = ("{{%s}}", "{{ %s }}", "{{- %s -}}", "{{{%s}}}", "{%% print(%s) %%}", "{%% set x = %s %%}{{x}}", "${%s}", "<%%= %s %%>")
MARKS = (*MARKS, "#{%s}", "{%% for x in [1] %%}{{ %s }}{%% endfor %%}")
TEMPLATES = [mark % expression for expression in EXPRESSIONS for mark in MARKS]


def test_no_template_in_a_mail_is_ever_carried_out(letterbox: Letterbox):
    assert len(TEMPLATES) >= 200
    places = ("name", "quoted name", "subject", "text")
    mails = [letter(place, template) for template in TEMPLATES for place in places]
    assert letterbox.answers(mails) > len(TEMPLATES)
    for taken in letterbox.judge():
        answer = email.message_from_bytes(taken.data, policy=policy.default)
        text = f"{answer['Subject']}\n{answer['To']}\n{answer.get_content()}"
        for template in TEMPLATES:  # what comes back as it went in was not carried out
            text = text.replace(template, "")
        assert PRODUCT not in text and "<class" not in text and "object at 0x" not in text and "uid=" not in text
