"""The weekly letter from the figures to the owner's mailbox: a draft or a mail, once a week, and nothing else comes of it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from fakes import FakeClock, World, mail, make_world

from pipeline import gestures, jobs
from pipeline.core.figures import LetterRules, Weekly
from pipeline.core.records import Address

CANCEL = "Please cancel my membership, it is too expensive for me."
OWNER = Address(name="Dana", address="dana.home@post.example")


def site(folder: Path, weekly: Weekly, clock: FakeClock | None = None) -> World:
    world = make_world(folder, clock)
    own = frozenset({*(world.site.rules.own_addresses or ()), OWNER.key})
    world.site = replace(
        world.site,
        letters=LetterRules(weekly=weekly, to=OWNER),
        rules=replace(world.site.rules, own_addresses=own),
    )
    jobs.poll(world.site)
    world.clock.forward(minutes=1)
    return world


def round_(world: World) -> int:
    """What the daemon does in ten minutes. Returns how many letters were written."""
    for job in (jobs.poll, jobs.work, gestures.collect, jobs.remind):
        job(world.site)
    written = jobs.letter(world.site)
    for job in (jobs.publish, jobs.send, jobs.publish):
        job(world.site)
    return written


def a_week_later(folder: Path, weekly: Weekly) -> World:
    """A site on the Monday after the one on which it began and somebody cancelled."""
    world = site(folder, weekly)
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7)
    return world


def letters_sent(world: World) -> list[str]:
    return [one.data.decode() for one in world.delivery.delivered_mails if one.recipient == OWNER.address]


def test_a_letter_is_sent_on_its_morning_and_tells_of_the_week(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.SEND)
    assert round_(world) == 1
    (sent,) = letters_sent(world)
    read = message_from_bytes(sent.encode(), policy=default)
    assert read["Subject"] == "Your week: 1 cancellation"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["List-Unsubscribe"] is None
    body = read.get_content()
    assert "1 customer cancelled" in body
    assert "it is too expensive for me." in body
    assert "maria" not in sent.lower()


def test_one_week_has_one_letter_however_often_it_is_asked_for(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.SEND)
    assert [round_(world) for _ in range(3)] == [1, 0, 0]
    world.clock.forward(days=3)
    assert round_(world) == 0
    world.clock.forward(days=4)
    assert round_(world) == 1
    assert len(letters_sent(world)) == 2


def test_a_letter_is_a_draft_where_a_rep_should_read_it_first(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.REVIEW)
    round_(world)
    assert letters_sent(world) == []
    (file,) = [file for file in world.files("review") if "weekly letter" in file.name]
    assert "too expensive" in file.read_text()
    world.move(file, "approved")
    round_(world)
    assert len(letters_sent(world)) == 1
    assert [path.name for path in world.files("sent") if "weekly letter" in path.name]


def test_a_letter_in_a_folder_of_reasons_stays_there_and_a_note_says_why(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.REVIEW)
    round_(world)
    (file,) = [file for file in world.files("review") if "weekly letter" in file.name]
    moved = world.move(file, "price")
    round_(world)
    assert moved.exists()
    assert letters_sent(world) == []


def test_no_letter_is_written_where_none_is_wanted(tmp_path: Path):
    assert round_(a_week_later(tmp_path, Weekly.NEVER)) == 0


def test_of_the_time_before_winback_no_letter_is_written(tmp_path: Path):
    assert round_(site(tmp_path, Weekly.SEND)) == 0


def test_weeks_that_were_slept_through_have_one_letter_on_the_last(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.SEND)
    world.clock.forward(days=16)  # a Wednesday
    assert round_(world) == 1
    (sent,) = letters_sent(world)
    assert "7 to 13 December 2026" in sent.replace("=\n", "")


def test_an_answer_of_the_owner_is_neither_answered_nor_a_cancellation(tmp_path: Path):
    world = a_week_later(tmp_path, Weekly.SEND)
    round_(world)
    (sent,) = letters_sent(world)
    answered = message_from_bytes(sent.encode())["Message-ID"]
    before = len(world.delivery.delivered_mails)
    quoting = "I see. Please cancel my membership, it is too expensive: we should answer that better."
    world.inbox.arrive(
        mail(quoting, sender=f"{OWNER.name} <{OWNER.address}>", headers=f"In-Reply-To: {answered}\nReferences: {answered}\n")
    )
    round_(world)
    assert len(world.delivery.delivered_mails) == before
    assert world.site.store.people.get(OWNER.address) is None
    assert {stored.draft.recipient.address for stored in world.site.store.drafts.waiting()} == {"maria@example.org"}
    assert world.site.store.people.get("maria@example.org")  # and the customer's follow-ups go on
    assert len(world.open_steps()) == 2


def test_a_letter_changes_nothing_for_the_customers(tmp_path: Path):
    world, other = a_week_later(tmp_path / "a", Weekly.SEND), a_week_later(tmp_path / "b", Weekly.NEVER)
    for one in (world, other):
        round_(one)
    assert world.site.store.overview.counts()["step"] == other.site.store.overview.counts()["step"]
    assert world.site.store.overview.counts()["contact"] == other.site.store.overview.counts()["contact"]
    assert [line.key for line in world.site.store.overview.lines()] == [line.key for line in other.site.store.overview.lines()]
