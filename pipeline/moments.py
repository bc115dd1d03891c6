"""What the daemon does around appointments: plain functions over a site, like the jobs. Doing it twice equals doing it once.

calendar   files -> appointments                     offers   freed slots -> drafts to who could take them
no_shows   who did not come -> a note                connect  a new date -> something useful before it
                                                     greet    who hibernates -> a planned greeting
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.core import flow, followups
from pipeline.core.records import Appointment
from pipeline.edges import calendars, tables
from pipeline.errors import NeedsHuman, TextRefused
from pipeline.jobs import free_times
from pipeline.site import Site

log = logging.getLogger("winback")

TOO_LATE = timedelta(days=3)  # for a word about a no-show that a file tells of


def gather(path: Path, own: frozenset[str], timezone: str, now: datetime) -> calendars.Found:
    """The appointments in a table, a calendar, or a folder of both. Raises BadFile with a sentence for each mistake."""
    found = calendars.Found()
    for file in calendars.files(path):
        if file.suffix.lower() == ".csv":
            more = calendars.Found(appointments=tables.appointments(file, timezone).rows)
        else:
            more = calendars.read(file, own, timezone, now)
        rows, nameless = (*found.appointments, *more.appointments), found.nameless + more.nameless
        found = calendars.Found(appointments=rows, nameless=nameless)
    return found


def appointments(site: Site) -> int:
    """Do everything that appointments ask for. Returns how much was done."""
    trouble: list[str] = []
    done = 0
    for job in (calendar, no_shows, offers, connect, greet):
        try:
            done += job(site)
        except TextRefused as error:
            trouble.append(str(error))
    if trouble:
        raise NeedsHuman(f"what appointments ask for waits until the texts are mended: {'; '.join(trouble)}")
    return done


def calendar(site: Site) -> int:
    """Take over what the calendar holds, if it has changed. Returns how many appointments are new or different."""
    found = site.calendar(site.now())
    if found is None:
        return 0
    counts = site.store.bookings.take(found, site.now())
    # After the commit: a crash here takes it over twice, which changes nothing; the other order would lose a new date.
    site.calendar_taken()
    return counts["new"] + counts["changed"]


def no_shows(site: Site) -> int:
    """Write a note to who did not come. Returns how many notes were made."""
    return sum(note(site, one, late=site.now() - one.start > TOO_LATE) for one in site.store.bookings.missed())


def note(site: Site, one: Appointment, *, late: bool = False) -> bool:
    """Write the note about one no-show, unless it is `late` or its customer must not be written to. Raises TextRefused."""
    now, history = site.now(), site.store.past.of_address(one.address)
    if late or history.suppressed:
        return site.store.bookings.noted(one, None, now)
    made = flow.no_show(one, history, site.rules, now, site.texts, site.store.keys.stamp, free_times(site, now))
    done = site.store.bookings.noted(one, made, now)
    if done:
        log.info("%s: a note about a no-show %s", one.key[:8], "goes out" if made.outgoing else "waits for review")
    return done


def offers(site: Site) -> int:
    """Offer freed slots, by drafts, to who could take them. Returns how many drafts were made."""
    if not site.rules.appointments.offer_slots:
        return 0
    store, made, known = site.store, 0, site.store.past.of_address
    for one in store.bookings.freed(site.now()):
        day = one.start.astimezone(ZoneInfo(site.rules.business.timezone)).date()
        rested = site.now() - followups.REST_BETWEEN_TOUCHES
        waiting = store.bookings.waiting(one, day, site.rules.follow_ups.max_touches, rested)
        draft = flow.offer(one, waiting, site.rules, site.now(), site.texts, store.keys.ticket, known)
        store.bookings.offered(one, draft, site.now())
        made += draft is not None
    return made


def connect(site: Site) -> int:
    """Plan something useful before new dates. Returns how many steps were planned."""
    now, planned = site.now(), 0
    for case in site.store.bookings.to_connect(now):
        ahead = followups.coming(site.store.past.of_address(case.recipient.key), now)
        step = followups.connecting(case, ahead, site.rules, now) if ahead else None
        planned += step is not None and site.store.bookings.plan(step, now)
    return planned


def greet(site: Site) -> int:
    """Plan the next greeting to who hibernates. Returns how many were planned."""
    now, planned = site.now(), 0
    if not site.rules.follow_ups.greetings:
        return 0
    for case, number, since in site.store.bookings.sleepers(len(site.rules.follow_ups.greetings)):
        step = followups.greeting(case, number, since, site.rules)
        planned += step is not None and site.store.bookings.plan(step, now)
    return planned


JOB: tuple[str, float, Callable[[Site], int]] = ("appointments", 20, appointments)
