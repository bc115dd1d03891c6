"""What is told of customers and appointments from the terminal: files to take over, a no-show, who accepted the policy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import jobs, moments
from pipeline.config import Config
from pipeline.core import appointments, policy
from pipeline.core.records import Appointment, AppointmentState, typed_address
from pipeline.edges import tables
from pipeline.errors import WinbackError
from pipeline.policy_page import markdown
from pipeline.site import Site
from pipeline.store import Store

RECENT = timedelta(days=2)  # a no-show that is told without a time was not longer ago


def import_customers(store: Store, path: Path, now: datetime) -> str:
    """Take customers over from a CSV file; say in a sentence how many. Raises BadFile, and then nothing was taken over."""
    table = tables.customers(path)
    return _counted(store.bookings.take_customers(table.rows, now), "customers", table.unused)


def import_appointments(store: Store, path: Path, config: Config, now: datetime) -> str:
    """Take appointments over from a CSV file, an iCalendar file or a folder of them. Raises BadFile."""
    rules = config.rules()
    found = moments.gather(path, rules.own, rules.business.timezone, now)
    told = _counted(store.bookings.take(found.appointments, now), "appointments", ())
    nameless = f"; passed over, for they name no customer: {found.nameless}" if found.nameless else ""
    return told + nameless


def _counted(counts: Mapping[str, int], what: str, unused: tuple[str, ...]) -> str:
    told = f"{what}: {counts['new']} new, {counts['changed']} changed, {counts['same']} known before"
    return told + (f"; columns that nobody reads: {', '.join(unused)}" if unused else "")


def listed(one: Appointment, timezone: str) -> dict[str, Any]:
    """An appointment as a plain object, by the clock of the business; what is not known is left out."""
    start = one.start.astimezone(ZoneInfo(timezone))
    known = {
        "start": start.isoformat(timespec="minutes") if one.timed else start.date().isoformat(),
        "state": str(one.state),
        "address": one.address,
        "name": one.name,
        "service": one.service,
        "cause": one.cause,
        "price": one.price and str(one.price),
        "paid": one.paid and str(one.paid),
        "spent": one.spent and str(one.spent),
        "currency": one.currency,
        "package": one.package,
        "sessions_left": one.sessions_left,
        "source": one.source,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def no_show(site: Site, address: str, when: str | None) -> str:
    """A person says that somebody did not come: the note is written at once. `when` is a time, a day, or a time of today.

    Raises WinbackError when `when` is none of these or lies ahead, when it is left out and nobody knows which appointment is
    meant, or when the customer must not be written to.
    """
    typed_address(address)
    history = site.store.past.of_address(address)
    if history.suppressed:
        raise WinbackError(f"{address}: is not written to any more ({history.suppressed}); call, if you like")
    one = _missed(site, address.lower(), when)
    site.store.bookings.take([one], site.now())
    stored = next(each for each in site.store.bookings.of(address) if each.start == one.start)
    done = moments.note(site, replace(stored, name=stored.name or one.name))
    jobs.publish(site)
    said = f"{address} did not come on {listed(stored, site.rules.business.timezone)['start'].replace('T', ' ')[:16]}"
    if not done:
        return f"{said}: that was noted before"
    waits = any(stored.draft.recipient.key == address.lower() for stored in site.store.drafts.waiting())
    return f"{said}: a draft waits in review/" if waits else f"{said}: the note goes out with the next round"


def _zone(site: Site) -> ZoneInfo:
    return ZoneInfo(site.rules.business.timezone)


def _missed(site: Site, address: str, when: str | None) -> Appointment:
    """The appointment that is meant, as one to which nobody came; one that nobody told us of is made up of what is known."""
    now, known = site.now(), site.store.bookings.of(address)
    if when is None:
        began = [one for one in known if now - RECENT <= one.start <= now and one.state is not AppointmentState.CANCELLED]
        if not began:
            raise WinbackError(f"{address}: {_why_unclear(known, site)}: {_SAY_WHEN}")
        return replace(began[-1], state=AppointmentState.NO_SHOW, source="terminal")
    start, start_by = _moment(when, site)
    same = [one for one in known if start <= one.start <= (start_by or start)]
    if same:
        start = same[0].start
    if start > now:
        raise WinbackError(
            f"{address}: {_by_clock(start, site)} lies ahead: nobody can have missed it. {_SAY_WHEN[0].upper()}{_SAY_WHEN[1:]}"
        )
    if same:
        return replace(same[0], state=AppointmentState.NO_SHOW, source="terminal")
    person = site.store.people.get(address)
    return Appointment(
        key=appointments.key_of(address, start),
        address=address,
        name=person.name if person else "",
        start=start,
        start_by=start_by,
        state=AppointmentState.NO_SHOW,
        source="terminal",
    )


_SAY_WHEN = "say which appointment was missed, such as --appointment 15:00 (today) or --appointment '2026-11-26 15:00'"


def _why_unclear(known: Sequence[Appointment], site: Site) -> str:
    """Why it is unclear which appointment was missed when nobody names it."""
    if not known:
        return "no appointment with this customer is known"
    ahead = [one for one in known if one.start > site.now() and one.state is AppointmentState.BOOKED]
    if ahead:
        return f"the appointment that is known lies ahead ({_by_clock(ahead[0].start, site)})"
    return f"no appointment of the last {RECENT.days} days is known"


def _by_clock(moment: datetime, site: Site) -> str:
    return f"{moment.astimezone(_zone(site)):%Y-%m-%d %H:%M}"


def _moment(when: str, site: Site) -> tuple[datetime, datetime | None]:
    try:
        if re.fullmatch(r"\d{1,2}:\d\d", when.strip()):
            today = site.now().astimezone(_zone(site)).date()
            return datetime.combine(today, time.fromisoformat(when.strip().zfill(5)), _zone(site)), None
        return tables.moment(when, _zone(site))
    except ValueError as error:
        raise WinbackError(
            f"{when}: expected a time such as 15:00 or '2026-11-26 15:00', or a day such as 2026-11-26"
        ) from error


def policy_told(
    store: Store, config: Config, address: str, kind: str, version: str | None, language: str | None, day: date, now: datetime
) -> str:
    """Write down who received or accepted which version of the policy: the present one, unless another is named.

    Raises WinbackError for a version that was never handed out.
    """
    typed_address(address)
    rules, business = config.cancelling(), config.rules().business
    present = policy.version(rules)
    spoken = language or business.languages[0]
    text = ""
    if version in (None, present):
        text = markdown(rules, business, spoken)
    elif store.bookings.policy_text(version or "") is None:
        raise WinbackError(f"{version}: no such version was handed out; the present one is {present}")
    told = version or present
    done = store.bookings.policy_told(address, kind, told, spoken, text, day, now)
    return f"{address} {kind} version {told} on {day}" + ("" if done else ": that was written down before")
