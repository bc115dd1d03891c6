"""Look whether everything is in order before going live. Changes nothing, sends nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import app, moments
from pipeline.config import Config, load
from pipeline.core import law
from pipeline.edges import calendars, clock
from pipeline.edges.content import Content
from pipeline.errors import ConfigError, TryLater, WinbackError
from pipeline.jobs import Inbox
from pipeline.preview import faulty


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
    """Look at the configuration, the texts, the law, the model, both logins and the DNS records, in this order.

    `lookup` is as `txt_records`. DNS matters where mail goes out to the world by SMTP alone.
    """
    try:
        config = load(path)
    except ConfigError as error:
        yield from (Finding(what="configuration", good=False, text=problem) for problem in error.problems)
        return
    yield Finding(what="configuration", good=True, text=f"{path} is in order")
    yield from _texts(config)
    yield _law(config)
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
    app.LazyModel(config)()
    return f"the model in {app.model_folder(config)} can be loaded"


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
