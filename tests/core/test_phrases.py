from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.phrases import phrases


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\bcat\b|\bcar\b|dog", "a scar, a dog and a cat", "dog"),
        (r"\b(?:my|our) (?:house|home)\b", "at our home", "our home"),
        (r"\b(?:my |our )?house\b", "the house", "house"),
        (r"colou?r|cold", "a color", "color"),
        (r"colou?r|cold", "it is cold", "cold"),
        (r"a\|b|a c", "it says a|b", "a|b"),
        (r"a[|)]b|abc", "it says a)b", "a)b"),
        (r"(?:i'm|im) (?:8|1[0-7])\b|tengo 8", "i'm 12", "i'm 12"),
        (r"end|ends?ing(?! of)", "the sending, an ending", "end"),
        (r"ending(?! of)|stop", "the ending of it", None),
        (r"(?:ha |han )*fallec(?:io|ido)|ha muerto", "ha muerto ayer", "ha muerto"),
        (r"no (?:more|further) mail|no mail|\d+ mails", "sent 30 mails", "30 mails"),
    ],
)
def test_phrases_are_found_as_by_the_plain_pattern(pattern: str, text: str, found: str | None):
    match = phrases(pattern).search(text)
    assert (match and match[0]) == found


WORD = st.text("abc ", min_size=1, max_size=4)
CHOICE = st.lists(WORD, min_size=1, max_size=3).map(lambda words: f"(?:{'|'.join(words)})")
PIECE = st.one_of(WORD, CHOICE, CHOICE.map(lambda choice: f"{choice}?"), WORD.map(lambda word: f"{word}?"), st.just(r"\w+"))
PHRASE = st.tuples(st.sampled_from(["", r"\b"]), st.lists(PIECE, min_size=1, max_size=3).map("".join)).map("".join)


@given(st.lists(PHRASE, min_size=1, max_size=6), st.text("abc '.", max_size=12))
def test_as_many_places_hold_a_phrase_as_by_the_plain_pattern(every: list[str], text: str):
    plain, tried = re.compile(rf"\b(?:{'|'.join(every)})"), phrases("|".join(every))
    for at in range(len(text) + 1):
        assert bool(tried.match(text, at)) == bool(plain.match(text, at))
