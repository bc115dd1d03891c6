"""S4.5: once the reason is known, the business asks for the chance to put it right."""

from __future__ import annotations

import pytest
from lifelike import CASES, FORMS, written

CHANCE = {
    "en": ("put it right", "make it good", "so that it is right for you", "see what i can put together", "what can be done"),
    "es": ("arreglarlo", "remediarlo", "para que quede bien", "veré qué puedo preparar", "qué se puede hacer"),
}


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize(
    "name", ["service-with-phone", "service-again", "touch-service", "touch-price-smaller", "touch-price-again"]
)
def test_the_text_asks_for_the_chance(folder: str, name: str):
    text = next(written(one, folder) for one in CASES if one.name == name).lower()
    assert any(words in text for words in CHANCE[FORMS[folder][0]])
