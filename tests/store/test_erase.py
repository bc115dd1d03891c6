"""G12: of a person who is erased nothing is left in any file, not even in what was deleted before; the opt-out mark stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fakes import World, mail, make_world

from pipeline import gestures, jobs
from pipeline.core.records import Appointment, Basis, Ground
from pipeline.errors import Refused
from pipeline.store.schema import metadata

CANARY = "quetzalina.zwirn@canary.example"
WHO = f"Quetzalina Zwirn <{CANARY}>"
WORDS = "The xylophone lessons became too expensive, please cancel them."
TRACES = (b"quetzalina", b"zwirn", b"canary.example", b"xylophone")
OTHER = "Maria Lopez <maria@example.org>"

# Tables that are about the installation or about mails in general: a person may be in them only as a mark or a digest.
NAMELESS = {"cursor", "control", "suppression", "policy_version"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A site that knows the person in every way there is."""
    world = make_world(tmp_path)
    site, inbox = world.site, world.inbox
    jobs.poll(site)
    inbox.arrive(mail(WORDS, WHO, subject="Xylophone lessons", uid="1"))
    inbox.arrive(mail("Please cancel, it is too expensive.", OTHER, uid="2"))
    round_(world)
    own = f"From: dana@bluedoor.example\nTo: {WHO}\nSubject: Re: Xylophone\nMessage-ID: <own@bluedoor.example>\n\n> {WORDS}\n"
    inbox.arrive(own.encode())
    bounce = Path(__file__).parents[1] / "mails" / "screen-bounce-report.eml"
    inbox.arrive(bounce.read_bytes() + f"\n{WHO.upper()}\n".encode())
    world.clock.forward(days=20)
    inbox.arrive(mail(WORDS + " Again.", WHO, uid="3", trusted=False))
    round_(world)
    for stored in site.store.drafts.waiting():
        if stored.draft.recipient.key == CANARY:
            gestures.correct(site, stored.draft.case, "other", by="terminal")
            break
    round_(world)
    for stored in site.store.drafts.waiting():
        if stored.draft.recipient.key == CANARY:
            gestures.approve(site, stored, None, None, by="terminal")
    world.delivery.before_dot = [Refused(f"550 5.1.1 <{CANARY}>: user unknown")]
    round_(world)
    inbox.arrive(mail("Please cancel everything, I mean the xylophone.", WHO, uid="4"))
    site.store.people.set_ground(
        CANARY, Ground(basis=Basis.CONSENT, evidence="xylophone form", since=world.clock()), world.clock()
    )
    booked = Appointment(
        key="a", address=CANARY, name="Quetzalina Zwirn", start=world.clock() + timedelta(days=9), source="file"
    )
    site.store.bookings.take([booked], world.clock())
    site.store.bookings.policy_told(CANARY, "accepted", "v1", "en", "our rules", world.clock().date(), world.clock())
    round_(world)
    site.store.people.suppress(CANARY, "opt_out", world.clock())
    inbox.arrive(mail("Please cancel the xylophone once more.", WHO, uid="5"))
    round_(world)
    return world


def round_(world: World) -> None:
    for job in (jobs.poll, jobs.work, jobs.publish, gestures.collect, jobs.send, jobs.publish, jobs.remind, jobs.publish):
        job(world.site)


def traces(folder: Path) -> list[str]:
    """Which files hold a trace, by name or by content."""
    found = []
    for path in sorted(folder.rglob("*")):
        data = path.name.lower().encode() + (path.read_bytes().lower() if path.is_file() else b"")
        found += [f"{path.relative_to(folder)}: {trace.decode()}" for trace in TRACES if trace in data]
    return found


def rows_of(world: World) -> dict[str, int]:
    """How many rows of each table hold the person's address, name or words."""
    counts = {}
    with world.site.store.database.reading() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(sa.select(table)).all()
            counts[table.name] = sum(any(t.decode() in str(tuple(row)).lower() for t in TRACES) for row in rows)
    return counts


def erase(world: World) -> None:
    """As `winback contacts erase` does."""
    world.site.outbox.erase(world.site.store.people.keys_of(CANARY))
    world.site.store.people.erase(CANARY, world.clock())


def test_the_person_is_everywhere_before(world: World, tmp_path: Path):
    """Else the test below would prove nothing."""
    linked = {"attempt", "cap_event", "label", "event", "decision"}  # by a key, or by words
    there = {name for name, count in rows_of(world).items() if count}
    assert set(metadata.tables) - there - linked - NAMELESS == set()
    assert {"attempt", "cap_event", "decision"} <= there
    folders = {line.split("/")[1] for line in traces(tmp_path) if line.startswith("outbox/")}
    assert {"review", "sent", "held"} & folders


def test_nothing_is_left_after(world: World, tmp_path: Path):
    erase(world)
    assert {name: count for name, count in rows_of(world).items() if count} == {}
    assert traces(tmp_path) == []


def test_the_opt_out_stays_and_nobody_else_is_touched(world: World, tmp_path: Path):
    erase(world)
    assert world.site.store.people.suppressed(CANARY) == "opt_out"
    assert world.site.store.people.get("maria@example.org") is not None
    (hers,) = [line.key for line in world.site.store.overview.lines() if line.sender == "maria@example.org"]
    assert world.site.store.intake.raw(hers) is not None


def test_twice_is_as_once_and_a_new_mail_is_not_answered(world: World, tmp_path: Path):
    erase(world)
    erase(world)
    sent = len(world.delivery.delivered_mails)
    world.inbox.arrive(mail(WORDS, WHO, uid="9"))
    round_(world)
    assert len(world.delivery.delivered_mails) == sent


def test_an_export_holds_all_of_it_before_and_nothing_but_the_mark_after(world: World):
    told = world.site.store.people.export(CANARY)
    assert {name for name, rows in told.items() if rows} >= {"contact", "basis", "message", "case", "draft", "send", "label"}
    erase(world)
    after = {name: rows for name, rows in world.site.store.people.export(CANARY).items() if rows}
    assert set(after) == {"suppression"}
    assert not [trace for trace in TRACES if trace.decode() in json.dumps(after)]


def test_an_unread_mail_of_somebody_else_that_names_the_person_is_read_and_only_then_goes(world: World, tmp_path: Path):
    world.inbox.arrive(mail(f"Please cancel, it is too expensive. Ask {CANARY}.", "Tom <tom@example.org>", uid="11"))
    jobs.poll(world.site)
    erase(world)
    jobs.work(world.site)
    (his,) = [line for line in world.site.store.overview.lines() if line.sender == "tom@example.org"]
    assert (his.state, his.intent) == ("decided", "cancel")
    jobs.tidy(world.site)
    assert world.site.store.intake.raw(his.key) is None


def test_a_held_mail_of_somebody_else_that_names_the_person_is_shown_and_only_then_goes(world: World, tmp_path: Path):
    world.inbox.arrive(mail(f"Please cancel. Ask {CANARY}.", "Tom <tom@example.org>", uid="11"))
    jobs.poll(world.site)
    (unread,) = world.site.store.intake.received(10)
    world.site.store.intake.failed(unread.key, "broken", world.clock(), final=True)
    erase(world)
    jobs.tidy(world.site)
    jobs.publish(world.site)
    assert any("tom@example.org" in file.read_text() for file in world.files("held"))
    jobs.tidy(world.site)
    assert world.site.store.intake.raw(unread.key) is None


def test_an_unread_mail_of_the_person_goes_at_once(world: World, tmp_path: Path):
    world.inbox.arrive(mail(WORDS, WHO, uid="11"))
    jobs.poll(world.site)
    (unread,) = world.site.store.intake.received(10)
    erase(world)
    assert world.site.store.intake.received(10) == []
    (line,) = [line for line in world.site.store.overview.lines() if line.key == unread.key]
    assert (line.state, line.cause, line.sender) == ("ignored", "erased", None)
    assert traces(tmp_path) == []
