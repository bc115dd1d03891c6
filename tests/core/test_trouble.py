"""What calls for a person, by the model and by words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import trouble
from pipeline.core.folded import fold
from pipeline.core.records import Sensitive

CORPUS = Path(__file__).parents[2] / "models" / "corpus"
WORD = re.compile(r"\w+")
CALM = {"none": 0.999, "anger": 0.001}


def heard(text: str, likely: Mapping[str, float]) -> Sensitive | None:
    folded = fold(text)
    return trouble.sensitive(folded, likely, trouble.grave(folded, WORD.findall(folded)))


def corpus() -> Iterator[dict[str, Any]]:
    """Every fifth mail."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines()[::5]:
            yield json.loads(line)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("She died on Sunday, please cancel.", Sensitive.BEREAVEMENT),
        ("Estoy en urgencias y no podré ir.", Sensitive.ILLNESS),
        ("There is nothing left on my account.", Sensitive.HARDSHIP),
        ("My lawyer read your terms.", Sensitive.LEGAL),
        ("tengo 12 años y mi mamá no sabe", Sensitive.MINOR),
        ("you are a bunch of crooks", Sensitive.ANGER),
    ],
)
def test_telling_words_make_a_mail_sensitive_unless_the_model_rules_it_out(text: str, kind: Sensitive):
    assert heard(text, {"none": 0.8, str(kind): 0.2}) is kind
    assert heard(text, {"none": 0.99, str(kind): 0.01}) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("My father died on Sunday, please cancel.", Sensitive.BEREAVEMENT),
        ("I have to cancel my appointment tomorrow, I have to go to a funeral.", Sensitive.BEREAVEMENT),
        ("I am in mourning, please cancel.", Sensitive.BEREAVEMENT),
        ("We are sitting shiva this week.", Sensitive.BEREAVEMENT),
        ("It is my aunt's memorial service on Thursday.", Sensitive.BEREAVEMENT),
        ("Falleció mi madre y no podremos ir.", Sensitive.BEREAVEMENT),
        ("Cancelo mi cita, estoy de luto.", Sensitive.BEREAVEMENT),
        ("No puedo ir mañana, estamos en el tanatorio.", Sensitive.BEREAVEMENT),
        ("I am at the women's shelter and can't get there.", Sensitive.ABUSE),
        ("I have to be in court for a restraining order.", Sensitive.ABUSE),
        ("My boyfriend won't let me leave the house.", Sensitive.ABUSE),
        ("Cancelo la cita, estoy en una casa de acogida.", Sensitive.ABUSE),
        ("I start chemo next week so I have to stop.", Sensitive.ILLNESS),
        ("My husband starts radiation on Monday.", Sensitive.ILLNESS),
        ("Tengo que cancelar, la depresión me tiene en la cama.", Sensitive.ILLNESS),
        ("Me quedé sin trabajo y no puedo seguir.", Sensitive.HARDSHIP),
        ("Tengo que cancelar porque me desalojan ese día.", Sensitive.HARDSHIP),
        ("You will hear from my attorney.", Sensitive.LEGAL),
        ("Voy a consumo y pongo la denuncia.", Sensitive.LEGAL),
    ],
)
def test_unmistakable_words_make_a_mail_sensitive_whatever_the_model_thinks(text: str, kind: Sensitive):
    assert heard(text, CALM) is kind


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel the funeral flowers.",
        "I pick the dog up at the animal shelter.",
        "The hospice shop is two doors down.",
        "My battery died on the way.",
    ],
)
def test_what_only_sounds_like_trouble_is_not_grave(text: str):
    assert heard(text, CALM) is None


def test_a_word_that_may_tell_of_trouble_is_pointed_at():
    assert trouble.delicate("i am in the hospital on friday, please cancel.") == "am in the hospital"
    assert trouble.delicate("i am in the office on friday, please cancel.") is None


@pytest.mark.parametrize(
    "text",
    ["We ask for a card now. Nobody died.", "It is for a lasting power of attorney.", "Tranquila, que nadie se ha muerto."],
)
def test_words_that_only_sound_like_trouble_point_at_nothing(text: str):
    assert heard(text, {"none": 0.9, "legal": 0.1}) is None
    assert trouble.delicate(fold(text)) is None


def test_what_the_model_finds_sensitive_is_sensitive_without_any_telling_word():
    assert heard("He is not with us any more.", {"none": 0.5, "bereavement": 0.5}) is Sensitive.BEREAVEMENT


def test_an_everyday_mail_is_not_sensitive():
    assert heard("Please cancel my appointment, it is too expensive.", {"none": 0.97, "anger": 0.03}) is None


def test_no_text_that_tells_of_trouble_is_passed_over_without_being_searched():
    texts = [fold(f"{mail['subject']}\n{mail['text']}") for mail in corpus()]
    told = [text for text in texts if any(words.search(text) for words in trouble._GRAVE.values())]
    assert len(told) > 100
    assert [text for text in told if trouble.grave(text, WORD.findall(text)) is None] == []
