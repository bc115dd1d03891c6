"""S0.1: negative emotion stays out; every text passes a tone check before it can leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeTexts, World, mail, make_world
from lifelike import FORMS
from site_of import make_config

from pipeline import app, gestures, jobs, preview
from pipeline.config import load
from pipeline.core.records import Text
from pipeline.errors import TextRefused

CANCEL = "Please cancel my membership, it is too expensive."


@pytest.mark.parametrize("folder", FORMS)
def test_no_shipped_text_blames_guilts_argues_or_presses(folder: str, tmp_path: Path):
    config = load(make_config(tmp_path, address_form=FORMS[folder][1]))
    templates = app.build_templates(config)
    assert [(text.file, text.faults) for text in preview.faulty(config, templates)] == []


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path, follow_ups="when_sure")
    jobs.poll(world.site)
    return world


def says(world: World, words: str) -> None:
    world.site = replace(world.site, texts=FakeTexts(lambda name, language, values: Text(subject="Hello", body=words)))


def round_(world: World) -> None:
    for job in (jobs.poll, jobs.work, jobs.send, jobs.publish, gestures.collect):
        job(world.site)


@pytest.mark.parametrize("words", ["After all we have done for you.", "Nos dejó plantados.", "That is not true.", "Act now."])
def test_an_unkind_answer_does_not_leave_and_the_mail_is_held(world: World, words: str):
    says(world, words)
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    assert world.delivery.delivered_mails == []
    assert world.site.store.overview.causes() == {"text_refused": 1}
    assert "winback check" in world.files("held")[0].read_text(encoding="utf-8")


def test_an_unkind_follow_up_waits_until_its_text_is_mended(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    says(world, "We are very disappointed.")
    world.clock.forward(days=7)
    with pytest.raises(Exception, match="makes the customer feel guilty"):
        jobs.remind(world.site)
    round_(world)
    assert len(world.delivery.delivered_mails) == 1


def edited(world: World, old: str, new: str) -> None:
    """A rep changes the draft in outbox/review and moves it to approved."""
    (file,) = world.files("review")
    file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
    world.move(file, "approved")
    for job in (gestures.collect, jobs.send):
        job(world.site)


def test_what_a_rep_writes_goes_as_it_is_and_what_it_breaks_is_written_down(world: World):
    """Only a person can know that it is cancelled by now."""
    world.inbox.arrive(mail(CANCEL, trusted=False))
    round_(world)
    edited(world, "that is all you need to do.", "it is cancelled.")
    assert b"it is cancelled" in world.delivery.delivered_mails[0].data
    events = [event.text for event in world.site.store.events.of_address("maria@example.org")]
    assert "acknowledgment 0 by outbox, edited; it claims what nobody has confirmed yet (B2)" in events


def test_a_placeholder_that_a_rep_forgot_never_leaves(world: World):
    world.inbox.arrive(mail(CANCEL, trusted=False))
    round_(world)
    edited(world, "Hi Maria", "Hi [name]")
    assert world.delivery.delivered_mails == []
    assert len(world.files("approved")) == 1
    notes = "".join(note.read_text(encoding="utf-8") for note in world.outbox.rglob("*.txt"))
    assert "something in it was not filled in" in notes


def test_a_draft_that_nobody_changed_is_never_refused(world: World):
    world.inbox.arrive(mail(CANCEL, trusted=False))
    round_(world)
    (draft,) = world.site.store.drafts.waiting()
    try:
        assert gestures.approve(world.site, draft, None, None, by="terminal")
    except TextRefused as error:  # pragma: no cover
        pytest.fail(str(error))
