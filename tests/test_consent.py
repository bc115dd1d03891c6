"""On what basis customers are followed up, where the law asks for one: found in their mails, or recorded by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import World, mail, make_world
from rows import steps_of
from site_of import make_config
from typer.testing import CliRunner

from pipeline import consent, gestures, jobs
from pipeline.cli import cli
from pipeline.core.records import Basis, Ground
from pipeline.errors import WinbackError

MARIA = "maria@example.org"
BOOKED = "Please cancel my membership, it is too expensive."
QUOTED = "Thank you for the quote. We have to cancel the idea, it is too expensive."


@pytest.fixture
def spain(tmp_path: Path) -> World:
    world = make_world(tmp_path, follow_ups="when_sure")
    rules = world.site.rules
    world.site = replace(world.site, rules=replace(rules, business=replace(rules.business, country="ES")))
    jobs.poll(world.site)
    return world


def round_(world: World) -> None:
    for job in (jobs.poll, jobs.work, jobs.remind, jobs.send):
        job(world.site)


def approve_all(world: World) -> None:
    for draft in world.site.store.drafts.waiting():
        gestures.approve(world.site, draft, None, None, by="terminal")
    jobs.send(world.site)


def steps(world: World) -> list[str]:
    (line,) = world.site.store.overview.lines()
    return [step.cause or step.state for step in steps_of(world.site.store, line.key)]


def test_who_calls_off_what_was_booked_is_followed_up_and_the_words_are_kept(spain: World):
    spain.inbox.arrive(mail(BOOKED))
    round_(spain)
    ground = spain.site.store.people.ground(MARIA)
    assert ground is not None
    assert (ground.basis, ground.evidence, ground.by_person) == (Basis.CONTRACT, BOOKED, False)
    spain.clock.forward(days=7)
    round_(spain)
    assert steps(spain) == ["done", "planned"]


@pytest.mark.parametrize(("words", "trusted"), [(QUOTED, True), (BOOKED, False)])
def test_without_a_basis_nothing_follows_the_answer_and_the_cause_is_written(spain: World, words: str, trusted: bool):
    spain.inbox.arrive(mail(words, trusted=trusted))
    round_(spain)
    notes = [value for draft in spain.site.store.drafts.waiting() for name, value in draft.draft.notes if name == "Why"]
    approve_all(spain)
    if not trusted:
        assert any("no_basis" in note and "LSSI" in note for note in notes)
    spain.clock.forward(days=35)
    for _ in range(2):
        round_(spain)
    assert steps(spain) == ["no_basis", "no_basis"]
    assert len(spain.delivery.delivered_mails) == 1


def test_consent_that_a_person_records_in_time_lets_them_go(spain: World):
    spain.inbox.arrive(mail(QUOTED))
    round_(spain)
    consent.record(spain.site.store, MARIA, Basis.CONSENT, "said so on the phone", "ES", spain.clock())
    spain.clock.forward(days=7)
    round_(spain)
    assert steps(spain) == ["done", "planned"]


def test_no_touch_is_promised_that_the_law_forbids(spain: World):
    words = "Thank you for the quote. We have to cancel it, I have a work trip. I will be back in March."
    spain.inbox.arrive(mail(words))
    round_(spain)
    approve_all(spain)
    assert b"get in touch" not in spain.delivery.delivered_mails[0].data


def test_consent_withdrawn_by_a_persons_word_is_not_taken_back_by_a_mail(spain: World):
    consent.record(spain.site.store, MARIA, Basis.NONE, "asked us on the phone", "ES", spain.clock())
    spain.inbox.arrive(mail(BOOKED))
    round_(spain)
    ground = spain.site.store.people.ground(MARIA)
    assert ground is not None
    assert (ground.basis, ground.by_person) == (Basis.NONE, True)


def test_a_person_may_change_what_a_person_recorded(spain: World):
    consent.record(spain.site.store, MARIA, Basis.NONE, "asked us on the phone", "ES", spain.clock())
    consent.record(spain.site.store, MARIA, Basis.CONSENT, "wrote a form when she came by", "ES", spain.clock())
    consent.record(spain.site.store, MARIA, Basis.NONE, "has thought better of it", "ES", spain.clock())
    ground = spain.site.store.people.ground(MARIA)
    assert ground is not None
    assert (ground.basis, ground.evidence) == (Basis.NONE, "has thought better of it")


def test_consent_is_worth_more_than_a_contract_and_a_newer_contract_more_than_an_older(spain: World):
    people, now = spain.site.store.people, spain.clock()

    def found(basis: Basis, days: int) -> Ground:
        return Ground(basis=basis, evidence=str(days), since=now + timedelta(days=days))

    for ground, counts in (
        (found(Basis.CONTRACT, 1), True),
        (found(Basis.CONTRACT, 2), True),
        (found(Basis.CONSENT, 3), True),
        (found(Basis.CONTRACT, 4), False),
        (found(Basis.CONSENT, 5), True),
    ):
        assert people.set_ground(MARIA, ground, now) is counts
    known = people.ground(MARIA)
    assert known is not None
    assert known.evidence == "5"


def test_what_was_found_is_forgotten_in_time_and_what_a_person_recorded_is_not(spain: World):
    people, now = spain.site.store.people, spain.clock()
    people.set_ground(MARIA, Ground(basis=Basis.CONTRACT, evidence="words", since=now), now)
    consent.record(spain.site.store, "ana@example.org", Basis.CONSENT, "a form", "ES", now)
    year = timedelta(days=365)
    spain.site.store.overview.tidy(year, 2 * year, now + year)
    assert people.ground(MARIA) is not None
    spain.site.store.overview.tidy(year, 2 * year, now + 3 * year)
    assert (people.ground(MARIA) is None, people.ground("ana@example.org") is None) == (True, False)


def said(config: Path, *words: str) -> str:
    result = CliRunner().invoke(cli, ["--config", str(config), *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_basis_is_recorded_and_told_from_the_terminal(tmp_path: Path):
    config = make_config(tmp_path, country="ES")
    assert "basis: none known. No follow-up may go out (no_basis)" in said(config, "contacts", "basis", MARIA)
    recorded = said(config, "contacts", "basis", MARIA, "consent", "--evidence", "ticked  the box")
    assert recorded == f"{MARIA}: consent, ticked the box. Follow-ups may go out.\n"
    assert '("ticked the box"). Follow-ups may go out.' in said(config, "contacts", "basis", MARIA)
    assert '"by_person": true' in said(config, "contacts", "export", MARIA)


def test_who_opted_out_is_not_written_to_whatever_is_recorded(spain: World):
    store, now = spain.site.store, spain.clock()
    store.people.suppress(MARIA, "opt_out", now)
    told = consent.record(store, MARIA, Basis.CONSENT, "a form", "ES", now)
    assert told.endswith("Nothing may go out all the same: opt_out.")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((MARIA, "consent"), "--evidence is empty"),
        (("maria", "consent", "--evidence", "x"), "is no e-mail address"),
    ],
)
def test_a_basis_without_evidence_or_person_is_none(tmp_path: Path, words: tuple[str, ...], why: str):
    result = CliRunner().invoke(cli, ["--config", str(make_config(tmp_path)), "contacts", "basis", *words])
    assert isinstance(result.exception, WinbackError)
    assert why in str(result.exception)


@pytest.mark.parametrize("listen", ["8025", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", ":8025"])
def test_the_page_needs_a_place_to_listen(tmp_path: Path, listen: str):
    result = CliRunner().invoke(cli, ["--config", str(make_config(tmp_path)), "unsubscribe-server", "--listen", listen])
    assert "expected HOST:PORT" in str(result.exception)


@pytest.mark.parametrize("url", ["http://bluedoor.example/unsubscribe", "bluedoor.example"])
def test_the_page_is_named_by_https_alone(tmp_path: Path, url: str):
    config = make_config(tmp_path, unsubscribe_url=url)
    result = CliRunner().invoke(cli, ["--config", str(config), "status"])
    assert "follow_ups.unsubscribe_url: expected a web address that begins with https://" in str(result.exception)
