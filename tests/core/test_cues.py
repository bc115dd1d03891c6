from __future__ import annotations

import pytest

from pipeline.core.cues import cues


def test_the_same_thought_has_the_same_cues_in_both_languages():
    english, spanish = cues("I want to cancel my order"), cues("Quiero cancelar mi pedido")
    assert {"want>cancel", "cancel>i>order", "want&cancel"} <= english & spanish


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Please don't cancel my class", "neg&cancel"),
        ("No canceles la clase", "neg&cancel"),
        ("If it rains we'd have to cancel", "if&cancel"),
        ("Can I cancel for free?", "?&cancel"),
        ("Ya cancelé la cuota", "already&cancelpast"),
        ("we won't be renewing", "wont>*>renew"),
    ],
)
def test_what_turns_an_ending_round_is_a_cue(text: str, cue: str):
    assert cue in cues(text) or cue.replace(">*>", ">") in cues(text)


def test_the_words_of_a_phrase_stand_for_its_idea_alone():
    assert cues("changed my mind") == {"mind", "^mind"}


def test_a_cue_does_not_reach_over_the_end_of_a_sentence():
    assert "neg&cancel" not in cues("That is not it. Cancel my class")


def test_accents_and_capitals_may_be_missing():
    assert "ask>cancel" in cues("POR FAVOR CANCELEN")
    assert cues("no podré ir") == cues("no podre ir")


@pytest.mark.parametrize("text", ["", "   ", "...", "\n\n?!"])
def test_text_without_words_has_hardly_any_cues(text: str):
    assert cues(text) <= {"?", "^?", "?~?"}
