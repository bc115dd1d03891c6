from __future__ import annotations

import pytest

from pipeline.core.cues import IDEAS, ideas


def named(text: str) -> list[str]:
    return [IDEAS[number] for number in ideas(text)]


def test_the_same_thought_is_of_the_same_ideas_in_both_languages():
    english, spanish = named("I want to cancel my order"), named("Quiero cancelar mi pedido")
    assert english == ["i", "want", "cancel", "i", "order"]
    assert spanish == ["want", "cancel", "i", "order"]


def test_a_word_that_stands_for_no_idea_leaves_its_place_if_it_is_not_short():
    assert named("cancel the of blue order") == ["cancel", "_", "_", "order"]


def test_the_words_of_a_phrase_stand_for_its_idea_alone():
    assert named("changed my mind") == ["mind"]


def test_the_longer_of_two_phrases_that_begin_alike_is_meant():
    assert named("have to go") != named("have gone")
    assert named("we have to") == ["i", "must"]


def test_sentences_end_at_marks_and_lines_and_a_question_is_told():
    assert named("Can we cancel? No. Yes\nthanks") == ["able", "i", "cancel", "?", "neg", ".", "_", ".", "thanks"]


@pytest.mark.parametrize(
    ("with_accents", "without"), [("POR FAVOR CANCELEN", "por favor cancelen"), ("no podré ir", "no podre ir")]
)
def test_accents_and_capitals_may_be_missing(with_accents: str, without: str):
    assert named(with_accents) == named(without)


def test_an_accent_tells_two_ideas_apart():
    assert named("cancelo") != named("canceló")


@pytest.mark.parametrize("text", ["", "   ", "...", "\n\n!"])
def test_a_text_without_words_has_no_ideas(text: str):
    assert set(named(text)) <= {"."}
