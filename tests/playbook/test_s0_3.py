"""S0.3: who gives no reason is asked for it: one open, unthreatening question; who gave one is not asked again."""

from __future__ import annotations

import re

import pytest
from lifelike import CASES, FORMS, Life, texts, written

OPEN = {
    "en": r"what made you decide\?|what was behind your decision\?|would you tell me a little more about it\?",
    "es": r"¿qué (?:le|te) hizo decidir(?:se|te)\?|¿qué hubo detrás de (?:su|tu) decisión\?|¿me contarías? un poco más\?",
}


def case(name: str) -> Life:
    return next(one for one in CASES if one.name == name)


def ours(mail: str) -> str:
    """Our words alone: without head and quote."""
    return re.split(r"\n(?:On|El) .*\n> ", mail.partition("\n\n")[2])[0]


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("name", ["unspecified-first-time", "unspecified-again", "unspecified-third-time"])
def test_one_open_question_is_asked(folder: str, name: str):
    text = ours(written(case(name), folder))
    assert text.count("?") == 1
    assert re.search(OPEN[FORMS[folder][0]], text, re.I)
    assert not re.search(r"\bwhy (?:did|are|would) you\b|¿por qué", text, re.I)


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("name", ["other-reason", "other-again", "competitor", "moved-away", "unspecified-firm-again"])
def test_who_told_why_or_is_firm_is_not_asked(folder: str, name: str):
    assert "?" not in ours(written(case(name), folder))


@pytest.mark.parametrize("folder", FORMS)
def test_no_answer_asks_twice(folder: str):
    language, form = FORMS[folder]
    assert [one.name for one in CASES if ours(written(one, folder)).count("?") > 1] == []
    assert texts(form).variants("unspecified", language) == ("unspecified", "unspecified.2", "unspecified.3")
