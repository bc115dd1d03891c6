"""What is done around appointments is done again when it could not be kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fakes import make_world

from pipeline import moments
from pipeline.core.appointments import key_of
from pipeline.core.records import Appointment
from pipeline.edges.calendars import Watched
from pipeline.errors import StoreBroken

MARIA = "maria@example.org"


def locked(found: object, now: datetime) -> None:
    raise StoreBroken("database is locked")


def test_a_new_date_in_the_calendar_is_not_lost_while_the_store_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world = make_world(tmp_path)
    start = world.clock() + timedelta(days=3)
    (tmp_path / "kept.ics").touch()
    booked = Appointment(key=key_of(MARIA, start), address=MARIA, start=start)
    watched = Watched(tmp_path / "kept.ics", lambda now: (booked,))
    site = replace(world.site, calendar=watched.news, calendar_taken=watched.taken)
    with monkeypatch.context() as patched:
        patched.setattr(site.store.bookings, "take", locked)
        with pytest.raises(StoreBroken):
            moments.calendar(site)
    assert moments.calendar(site) == 1
    assert [one.address for one in site.store.bookings.all()] == [MARIA]
    assert site.calendar(world.clock()) is None
