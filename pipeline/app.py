"""Build a site from a configuration: the only place where the real edges are chosen."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pipeline import moments
from pipeline.config import TRACKS, Config, Endpoint, Secret
from pipeline.core import around, decide, flow
from pipeline.core.records import Appointment, History, Intent, Message, Reason, Rules, Screening, Sensitive, Verdict
from pipeline.edges import calendars, clock
from pipeline.edges.calendars import Watched
from pipeline.edges.content import Content
from pipeline.edges.imap import ImapInbox
from pipeline.edges.maildir import MaildirDelivery, MaildirInbox
from pipeline.edges.outbox import Outbox
from pipeline.edges.reader import Reader
from pipeline.edges.scorer import Scorer
from pipeline.edges.secrets import secret
from pipeline.edges.smtp import SmtpDelivery
from pipeline.edges.templates import Templates
from pipeline.errors import ConfigError
from pipeline.site import Delivery, Inbox, Model, Site
from pipeline.store import Store, open_store

if TYPE_CHECKING:
    from pipeline.edges.model import LinearModel

SHIPPED = Path(__file__).parents[1]
SHIPPED_CORPUS = SHIPPED / "models" / "corpus"
SHIPPED_MODEL = SHIPPED / "models" / "built"
# One core is for the process that decides: more readers than the others can serve only cost memory.
READERS = min(2, max(1, len(os.sched_getaffinity(0)) - 1))


def model_folder(config: Config) -> Path:
    """Where the model lies: the site's own if it has trained one, else the one that comes with winback."""
    own = config.model.folder
    return own if (own / "model.json").exists() else SHIPPED_MODEL


def load_model(config: Config) -> LinearModel:
    """The model, in this process. Raises NoModel when there is none."""
    from pipeline.edges.model import LinearModel

    return LinearModel.load(model_folder(config))


def open_site_store(config: Config, now: datetime) -> Store:
    """Open the store of a configuration."""
    path = config.store.url.path
    assert path is not None, "config lets only sqlite:PATH through"
    return open_store(path, now)


def lock_path(config: Config) -> Path:
    """The file that is locked while a daemon works on the store."""
    path = config.store.url.path
    assert path is not None, "config lets only sqlite:PATH through"
    return path.with_name(path.name + ".lock")


def stop_file(config: Config) -> Path:
    """The file whose presence stops sending, beside the store."""
    return lock_path(config).with_name("STOP")


def build_inbox(config: Config) -> Inbox:
    """The mailbox of a configuration, not yet connected."""
    url = config.inbox.url
    if url.kind == "maildir":
        assert url.path is not None
        return MaildirInbox(url.path)
    return ImapInbox(
        host=url.host,
        port=url.port,
        user=url.user,
        password=_password(config.inbox.password, url),
        folder=url.folder,
        security=url.security,
        idle=config.inbox.idle,
    )


def build_delivery(config: Config) -> Delivery:
    """The way out of a configuration, not yet connected."""
    url = config.delivery.url
    if url.kind == "maildir":
        assert url.path is not None
        return MaildirDelivery(url.path)
    return SmtpDelivery(
        host=url.host,
        port=url.port,
        security=url.security,
        user=url.user or None,
        password=_password(config.delivery.password, url) if url.user else None,
        hello=config.business.sender.domain,
    )


def _password(kept: Secret | None, url: Endpoint) -> Callable[[], str]:
    if kept is None:
        raise ConfigError(f"{url.kind} {url.host}: no password is configured for {url.user}")
    return lambda: secret(kept.kind, kept.name, kept.folder)


def build_templates(config: Config) -> Templates:
    """The texts. Raises ConfigError naming every text that is broken, or that a track or an answer needs and is missing."""
    templates = Templates(config.templates.folder, config.business.address_form)
    named = config.referred_templates()
    wanted = [
        *((name, f"{key}: there is no text {name}", "or name another") for name, key in named.items()),
        *((name, f"templates.folder: there is no answer {name}", "or copy it") for name in acknowledgments(config.rules())),
        *((name, f"templates.folder: there is no text {name}", "or copy it") for name in around.TEXTS),
    ]
    missing = [
        f"{what} in {folder}: add {folder.name}/{name}.txt, {else_}"
        for name, what, else_ in wanted
        for language, folder in ((spoken, templates.folder(spoken)) for spoken in config.business.languages)
        if name not in templates.names(language)
    ]
    if missing:
        raise ConfigError(*missing)
    return templates


def acknowledgments(rules: Rules) -> list[str]:
    """The names of all texts that an answer can have: asked of the decisions themselves, whatever a mail may be read as."""
    readings = [
        Verdict(intent=Intent.RESCHEDULE),
        *(Verdict(intent=Intent.CANCEL, reason=reason, firm=firm) for reason in Reason for firm in (False, True)),
        *(Verdict(intent=Intent.CANCEL, reason=Reason.OTHER, subreason=finer) for finer in sorted(TRACKS)),
        *(Verdict(intent=Intent.CANCEL, reason=Reason.OTHER, sensitive=kind) for kind in Sensitive),
        *(Verdict(intent=Intent.CANCEL, reason=reason, asked="?") for reason in Reason),
    ]
    mail = Message(key="", arrived=datetime.min.replace(tzinfo=UTC))
    answers = [decide.answer(mail, Screening(), reading, History(), rules) for reading in readings]
    return sorted({answer.template for answer in answers if answer.template})


@contextmanager
def build(
    config: Config, *, now: Callable[[], datetime] = clock.now, model: Model | None = None, readers: int = READERS
) -> Iterator[Site]:
    """Yield the site of a configuration; everything it opened is closed at the end. `now` is the clock."""
    with ExitStack() as stack:
        store = open_site_store(config, now())
        stack.callback(store.close)
        reader = stack.enter_context(Reader(flow.read, workers=readers))
        scorer = Scorer(model_folder(config))
        stack.callback(scorer.close)
        inbox = build_inbox(config)
        stack.callback(inbox.close)
        stop, folder = stop_file(config), lock_path(config).parent
        templates = build_templates(config)
        yield Site(
            store=store,
            rules=config.rules(),
            caps=config.caps(),
            letters=config.letters(),
            start=config.inbox.start,
            poll_every=config.inbox.poll_every,
            keep_raw=config.privacy.keep_raw,
            keep_history=config.privacy.keep_history,
            inbox=inbox,
            delivery=build_delivery(config),
            outbox=Outbox(config.outbox.folder),
            reader=reader,
            model=model or scorer,
            texts=templates,
            stopped=lambda: clock.stop_file_there(stop),
            leaving=lambda: False,
            free_space=lambda: clock.free_space(folder),
            owner=f"{socket.gethostname()}:{os.getpid()}",
            now=now,
            folder=folder,
            **_around(config),
        )


class _Around(TypedDict):
    """What a site knows of the calendars and texts around appointments."""

    calendar: Callable[[datetime], Sequence[Appointment] | None]
    calendar_taken: Callable[[], None]
    free: Callable[[datetime], Sequence[datetime]]
    content: Callable[[str, str], str]


def _around(config: Config) -> _Around:
    """The calendars of a configuration, read again whenever they change, and the texts that prepare for an appointment."""
    rules, around = config.rules(), config.appointments
    own, zone = rules.own, rules.business.timezone
    kept, offered = around.calendar, around.availability
    watched = Watched(kept, lambda now: moments.gather(kept, own, zone, now).appointments) if kept else None
    return {
        "calendar": watched.news if watched else _nothing_new,
        "calendar_taken": watched.taken if watched else _nothing_to_tell,
        "free": Watched(offered, lambda now: calendars.free(offered, zone, now)) if offered else _none_free,
        "content": Content(around.content.folder),
    }


def _nothing_new(now: datetime) -> None:
    return None


def _nothing_to_tell() -> None:
    return None


def _none_free(now: datetime) -> tuple[datetime, ...]:
    return ()


def rebuild(site: Site, config: Config) -> Site:
    """The same site under a new configuration: store, clock and the processes beside stay, everything else is chosen anew.

    A model that was trained meanwhile is taken, too. Raises ConfigError and keeps nothing when the new configuration can't be
    used.
    """
    if site.store.database.path != config.store.url.path:
        raise ConfigError("store.url: the store can't be changed while winback runs: stop it and start it again")
    changed = replace(
        site,
        rules=config.rules(),
        caps=config.caps(),
        letters=config.letters(),
        start=config.inbox.start,
        poll_every=config.inbox.poll_every,
        keep_raw=config.privacy.keep_raw,
        keep_history=config.privacy.keep_history,
        inbox=build_inbox(config),
        delivery=build_delivery(config),
        outbox=Outbox(config.outbox.folder),
        texts=build_templates(config),
        **_around(config),
    )
    site.inbox.close()
    if isinstance(site.model, Scorer):
        site.model.take(model_folder(config))
    return changed
