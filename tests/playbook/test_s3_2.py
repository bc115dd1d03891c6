"""S3.2: boundaries are spoken of directly: the very section is quoted, the first time is let go, the next time is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playbook.site import DAY, HOUR, SALON, Town, notes

from pipeline import gestures
from pipeline.core import policy_words
from pipeline.core.records import Kind, Policy

LATE = "I have to cancel my appointment today, too expensive."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def cancels_late(town: Town, words: str = LATE, before: timedelta = 5 * HOUR, **booked: object) -> None:
    town.books(town.now + before, price=Decimal(80), **booked)
    town.writes(words)


def test_s3_2_the_first_time_is_let_go_and_it_is_said_what_happens_next_time(town: Town):
    cancels_late(town)
    late = town.draft("late")
    assert policy_words.section(SALON, "grace", "en") in late.text
    assert policy_words.section(SALON, "fees", "en") in late.text
    assert "this time there is nothing to settle" in late.text
    assert late.kind is Kind.NOTE


def test_s3_2_the_second_time_the_section_that_applies_is_quoted_alone(town: Town):
    cancels_late(town)
    town.reps_approve()
    town.forward(10 * DAY)
    cancels_late(town)
    late = town.draft("late")
    assert policy_words.section(SALON, "fees", "en") in late.text
    assert policy_words.section(SALON, "grace", "en") not in late.text
    assert "Late cancellations of this customer so far: 1; let go by the policy: 1." in notes(late, "Money")


def test_s3_2_it_is_written_in_the_customers_language(town: Town):
    cancels_late(town, "Hola, tengo que cancelar la cita de hoy porque me resulta muy caro. Lo siento, gracias por todo.")
    assert policy_words.section(SALON, "grace", "es") in town.draft("late").text


def test_s3_2_the_quote_waits_for_a_rep_even_where_answers_go_out_by_themselves(tmp_path: Path):
    town = Town(tmp_path)
    answers = replace(town.world.site.rules.answers, acknowledgments="when_sure", follow_ups="when_sure")
    town.world.site = replace(town.world.site, rules=replace(town.world.site.rules, answers=answers))
    cancels_late(town)
    assert len(town.sent()) == 1
    assert "policy" not in town.last_sent()
    assert [draft.template for draft in town.drafts()] == ["late"]


@pytest.mark.parametrize(
    ("words", "before"),
    [
        ("I have to cancel my appointment tomorrow, too expensive.", 30 * HOUR),  # in good time
        ("I have to cancel today, I need surgery.", 5 * HOUR),
        ("I have to cancel today, my mother died.", 5 * HOUR),
        ("I have to cancel today, I lost my job.", 5 * HOUR),
        ("I have to cancel today. Your people were rude.", 5 * HOUR),
        ("I have to cancel today, too expensive. Please unsubscribe me.", 5 * HOUR),
    ],
)
def test_s3_2_nothing_is_quoted_to_who_is_in_time_in_trouble_or_let_down(town: Town, words: str, before: timedelta):
    cancels_late(town, words, before)
    assert town.drafts("late") == []


def test_s3_2_without_a_policy_or_without_a_date_there_is_nothing_to_quote(tmp_path: Path):
    town = Town(tmp_path / "a", policy=Policy(notice=DAY))
    cancels_late(town)
    assert town.drafts("late") == []
    town = Town(tmp_path / "b")
    town.writes("Please cancel my membership, too expensive.")
    assert town.drafts("late") == []


def test_s3_2_a_day_in_the_customers_own_words_is_enough_when_every_hour_of_it_is_late(town: Town):
    town.writes(LATE)
    assert len(town.drafts("late")) == 1


def test_s3_2_who_can_be_late_or_in_time_by_the_hour_is_not_counted_as_late(town: Town):
    town.writes("I have to cancel my appointment tomorrow, too expensive.")
    assert town.drafts("late") == []


def test_s3_2_the_quote_says_nothing_of_amounts_and_is_no_touch(town: Town):
    cancels_late(town)
    late = town.draft("late")
    assert "USD" not in late.text
    assert any("USD" in line for line in notes(late, "Money"))
    town.reps_approve()
    assert town.world.site.store.past.of_address("maria@example.org").touches == 0
    assert len(town.world.open_steps()) == 2


def test_s3_2_a_rejected_quote_changes_nothing_else(town: Town):
    cancels_late(town)
    gestures.reject(town.world.site, town.world.site.store.drafts.find(town.draft("late").key)[0], by="terminal")
    town.reps_approve()
    assert len(town.world.open_steps()) == 2


def test_s3_2_a_corrected_reason_takes_the_quote_back(town: Town):
    cancels_late(town)
    gestures.correct(town.world.site, town.draft("late").case, "service", by="terminal")
    assert [draft.template for draft in town.drafts()] == ["service"]


def test_s3_2_the_local_clock_counts(town: Town):
    start = datetime(2026, 11, 24, 11, 30, tzinfo=ZoneInfo("Europe/Madrid"))
    cancels_late(town, "I have to cancel my appointment tomorrow, too expensive.", start - town.now)
    assert town.drafts("late") == []
