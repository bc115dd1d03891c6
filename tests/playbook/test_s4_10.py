"""S4.10: all of it in Spanish as in English, chosen by the customer's own language, as usted or tú."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lifelike import CASES, FORMS, texts, written
from site_of import make_config

from pipeline import app
from pipeline.config import load

ENGLISH = re.compile(r"\b(?:the|you|your|and|with|thank|please|message|regards)\b", re.I)
SPANISH = re.compile(r"\b(?:el|la|los|que|con|gracias|mensaje|saludos?|usted)\b", re.I)


@pytest.mark.parametrize("folder", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_is_in_one_language(case, folder: str):
    other = SPANISH if folder == "en" else ENGLISH
    body = written(case, folder).partition("\n\n")[2]
    assert other.findall(re.sub(r"https?://\S+|Peluquería Azul", "", body)) == []


def test_every_text_is_there_in_every_form():
    names = {folder: texts(form).names(language) for folder, (language, form) in FORMS.items()}
    assert names["en"] == names["es"] == names["es-tu"]


@pytest.mark.parametrize(("form", "folder", "words"), [("usted", "es", "Su mensaje"), ("tu", "es-tu", "Tu mensaje")])
def test_one_line_of_the_configuration_chooses_the_form(form: str, folder: str, words: str, tmp_path: Path):
    templates = app.build_templates(load(make_config(tmp_path, address_form=form)))
    assert templates.folder("es").name == folder
    values = {"hello": "Hola:", "received": "2 de marzo", "rep": "Dana", "business": "Bluedoor"}
    assert words in templates.render("price", "es", values).subject
