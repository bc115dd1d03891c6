"""S0.2: every e-mailed cancellation is answered: received, when and what, in a positive tone; never "is cancelled"."""

from __future__ import annotations

import email
import re
from email import policy
from pathlib import Path

import pytest
from fakes import World, mail, make_world

from pipeline import gestures, jobs

REASONS = {
    "price": "Please cancel, it is too expensive.",
    "service": "Please cancel. Your people were rude.",
    "timing": "Please cancel, I have a work trip.",
    "not_ready": "Please cancel, we are not ready.",
    "other": "Please cancel, we are moving.",
    "unspecified": "Please cancel my booking.",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path)
    jobs.poll(world.site)
    return world


@pytest.mark.parametrize("reason", REASONS)
def test_a_cancellation_is_confirmed_with_its_day_and_its_words(world: World, reason: str):
    world.inbox.arrive(mail(REASONS[reason], subject="My plans"))
    for job in (jobs.poll, jobs.work):
        job(world.site)
    for draft in world.site.store.drafts.waiting():
        gestures.approve(world.site, draft, None, None, by="terminal")
    jobs.send(world.site)
    (sent,) = world.delivery.delivered_mails
    answer = email.message_from_bytes(sent.data, policy=policy.default)
    text = answer.get_content()
    assert answer["Subject"] == "Re: My plans"
    assert "23 November" in text.partition("On 23 November")[0]
    assert f"> {REASONS[reason]}" in text
    assert re.search(r"thank|grateful|gracias", text, re.I)
    assert not re.search(r"\bis (?:now )?cancelled\b|cancel again", text, re.I)
