"""Look whether everything is in order before going live. Changes nothing, sends nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline import app, moments
from pipeline.config import Config, load
from pipeline.core import around, compose
from pipeline.core.records import Address, Kind
from pipeline.edges import calendars, clock
from pipeline.edges.content import Content
from pipeline.errors import ConfigError, TryLater, WinbackError
from pipeline.jobs import Inbox


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
    """Look at the configuration, the texts, the model, both logins and the DNS records, in this order.

    `lookup` is as `txt_records`. DNS matters where mail goes out to the world by SMTP alone.
    """
    try:
        config = load(path)
    except ConfigError as error:
        yield from (Finding(what="configuration", good=False, text=problem) for problem in error.problems)
        return
    yield Finding(what="configuration", good=True, text=f"{path} is in order")
    yield from _texts(config)
    yield from _calendars(config)
    yield _tried("model", lambda: _model(config))
    yield _tried("inbox", lambda: _connected(app.build_inbox(config)))
    yield _tried("delivery", lambda: app.build_delivery(config).check())
    if config.delivery.url.kind != "maildir":
        yield from _dns(config.business.sender.domain, lookup)


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, good=True, text=look())
    except WinbackError as error:
        return Finding(what=what, good=False, text=str(error))


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
        own = (rules.own_addresses or frozenset()) | {rules.business.sender.key}
        yield _tried("appointments", lambda: _counted(moments.gather(kept, own, rules.business.timezone, now)))
    if free:
        yield _tried("free times", lambda: f"{len(calendars.free(free, rules.business.timezone, now))} free times lie ahead")


def _counted(found: calendars.Found) -> str:
    return f"{len(found.appointments)} appointments can be read; {found.nameless} entries name no customer"


def _model(config: Config) -> str:
    folder = app.model_folder(config)
    app.LazyModel(folder)()
    return f"the model in {folder} can be loaded"


SOMEBODY = Address(name="Maria Lopez", address="maria@example.org")
SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WISHED = date(2026, 4, 7)


def _texts(config: Config) -> Iterator[Finding]:
    """Render every text in every language as it would go out, with and without a date of the customer's own."""
    try:
        templates = app.build_templates(config)
    except ConfigError as error:
        yield from (Finding(what="texts", good=False, text=problem) for problem in error.problems)
        return
    rules, bad, count = config.rules(), 0, 0
    follow_ups = set(config.referred_templates())
    for language in config.business.languages:
        for name in sorted(templates.names(language)):
            count += 1
            kind = around.TEXTS.get(name) or (Kind.FOLLOW_UP if name in follow_ups else Kind.ACKNOWLEDGMENT)
            for wished in (None, WISHED):
                more = dict.fromkeys(compose.MORE, "..." if wished else "")
                values = {**compose.values(SOMEBODY, language, SENT, wished, rules), **more}
                try:
                    compose.checked(templates.render(name, language, values).body, kind, name)
                except WinbackError as error:
                    bad += 1
                    yield Finding(what="texts", good=False, text=f"{language}/{name}.txt: {error}")
                    break
    for key, piece in rules.appointments.content.items():
        for language in config.business.languages if piece else ():
            try:
                Content(config.appointments.content.folder)(piece, language)
            except WinbackError as error:
                bad += 1
                yield Finding(what="texts", good=False, text=f"appointments.content.{key or 'any'}: {error}")
    if not bad:
        yield Finding(what="texts", good=True, text=f"all {count} texts in {config.templates.folder} are in order")


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
