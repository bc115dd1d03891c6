"""S4.7: a note of thanks for the trust and for what we learnt; it asks for nothing."""

from __future__ import annotations

import pytest
from lifelike import CASES, FORMS, texts, written

VALUES = {"hello": "Hi,", "rep": "Dana", "business": "Bluedoor Studio"}
THANKS = ("thank", "gracias", "agrade")


@pytest.mark.parametrize("folder", FORMS)
def test_every_note_of_thanks_thanks_and_asks_nothing(folder: str):
    language, form = FORMS[folder]
    there = texts(form)
    for name in ("thanks", "unspecified_1"):
        for variant in there.variants(name, language):
            body = there.render(variant, language, VALUES).body
            assert any(word in body.lower() for word in THANKS), variant
            assert "?" not in body, variant


@pytest.mark.parametrize("folder", FORMS)
def test_who_gave_no_reason_is_thanked_first_and_followed_up_no_further(folder: str):
    text = next(written(one, folder) for one in CASES if one.name == "touch-thanks")
    assert "Text: unspecified_1" in text
