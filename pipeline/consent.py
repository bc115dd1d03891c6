"""What an admin does about the right to write to people: record a basis, and serve the page that ends follow-ups."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import datetime

from pipeline.config import Config
from pipeline.core import law
from pipeline.core.records import Basis, Ground, typed_address
from pipeline.errors import WinbackError
from pipeline.store import Store


class NotPossible(WinbackError):
    """What was asked for can't be done as it stands."""


def record(store: Store, address: str, basis: Basis, evidence: str, country: str, now: datetime) -> str:
    """Write down on what basis a customer may be followed up; say in a sentence what that means."""
    typed_address(address)
    if not evidence.strip():
        raise NotPossible("--evidence is empty: say what shows the basis, such as --evidence 'ticked the box on 3 March 2026'")
    ground = Ground(basis=basis, evidence=" ".join(evidence.split()), since=now, by_person=True)
    store.people.set_ground(address, ground, now)
    return f"{address}: {basis}, {ground.evidence}. {_consequence(store, address, ground, country, now)}"


def told(store: Store, address: str, country: str, now: datetime) -> str:
    """What is known of a customer's basis, and whether it is enough, in a sentence."""
    ground = law.known(store.people.ground(address), store.bookings.of(address))
    known = f'{ground.basis} since {ground.since:%Y-%m-%d} ("{ground.evidence}")' if ground else "none known"
    return f"basis: {known}. {_consequence(store, address, ground, country, now)}"


def _consequence(store: Store, address: str, ground: Ground | None, country: str, now: datetime) -> str:
    suppressed = store.people.suppressed(address)
    if suppressed:
        return f"Nothing may go out all the same: {suppressed}."
    return law.barred(ground, country, now) or "Follow-ups may go out."


def serve(store: Store, config: Config, listen: str, now: Callable[[], datetime], started: Callable[[str], None]) -> None:
    """Serve the page that ends follow-ups until a signal ends it. `listen` is HOST:PORT; `started` is told where it is."""
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise NotPossible("the page needs the extra `web`: pip install 'winback[web]'")
    from pipeline.edges import web

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise NotPossible(f"{listen}: expected HOST:PORT, such as 127.0.0.1:8025")
    page = web.unsubscribe_app(lambda ticket: store.people.unsubscribe(ticket, now()), config.business.languages)
    leads = config.follow_ups.unsubscribe_url
    hint = f"{leads} should lead here" if leads else "follow_ups.unsubscribe_url is empty, so no mail leads here yet"
    started(f"listening on http://{listen}; {hint}")
    web.serve(page, host.strip("[]"), int(port))
