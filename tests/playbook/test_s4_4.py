"""S4.4: price and service each get a conversation of their own."""

from __future__ import annotations

import pytest
from lifelike import CASES, FORMS, Life, written


def case(name: str) -> Life:
    return next(one for one in CASES if one.name == name)


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        ("en", "price-first-time", "Was it the amount itself, or did you find something that suits you better?"),
        ("en", "price-again", "What would have suited your budget?"),
        ("en", "service-with-phone", "What happened, as you saw it?"),
        ("en", "service-again", "What should we have done differently?"),
        ("es", "price-first-time", "¿Fue el importe en sí, o encontró algo que le conviene más?"),
        ("es", "service-with-phone", "¿Me contaría qué pasó, tal como lo vivió?"),
        ("es-tu", "price-first-time", "¿Fue el importe en sí, o encontraste algo que te conviene más?"),
        ("es-tu", "service-with-phone", "¿Me contarías qué pasó, tal como lo viviste?"),
    ],
)
def test_the_question_fits_the_reason(folder: str, name: str, words: str):
    assert words in written(case(name), folder)


@pytest.mark.parametrize("folder", FORMS)
def test_a_complaint_finds_a_phone_number_if_there_is_one(folder: str):
    assert "+34 600 000 100" in written(case("service-with-phone"), folder)
    assert "+34" not in written(case("service-without-phone"), folder)
