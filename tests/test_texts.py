"""The shipped texts as a whole: short, in both languages and both forms, and never the same words twice."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from fakes import World, mail, make_world
from lifelike import FORMS, texts
from site_of import make_config

from pipeline import app, jobs, preview
from pipeline.config import load
from pipeline.core.records import Kind

ROOT = Path(__file__).parents[1]


def shown(folder: str, tmp_path: Path) -> list[preview.Preview]:
    language, form = FORMS[folder]
    config = load(make_config(tmp_path, address_form=form))
    return list(preview.previews(config, app.build_templates(config), language=language))


def sentences(body: str) -> list[str]:
    body = re.sub(r"\{%.*?%\}", "\n", body)
    parts = [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", body)]
    return [part for part in parts if len(part.split()) > 4]


@pytest.mark.parametrize("folder", FORMS)
def test_no_two_texts_share_a_sentence(folder: str):
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "templates" / folder).glob("*.txt"):
        for sentence in sentences(path.read_text(encoding="utf-8").partition("\n")[2]):
            found[sentence].add(path.name)
    assert {sentence: names for sentence, names in found.items() if len(names) > 1} == {}


@pytest.mark.parametrize("folder", FORMS)
def test_an_acknowledgment_has_about_five_lines(folder: str, tmp_path: Path):
    """Between greeting and signature: at most five sentences, or a hundred words."""
    for text in shown(folder, tmp_path):
        if text.kind is Kind.ACKNOWLEDGMENT:
            words = "\n\n".join(text.body.split("\n\n")[1:-1])
            assert len(words.split()) <= 100, text.file
            assert len(re.findall(r"[.?!](?=\s|$)", words)) <= 7, text.file


def test_every_text_has_a_second_variant_in_every_form():
    variants = {folder: {name: texts(form).variants(name, language) for name in texts(form).names(language)}
                for folder, (language, form) in FORMS.items()}  # fmt: skip
    assert variants["en"] == variants["es"] == variants["es-tu"]
    assert [name for name, found in variants["en"].items() if len(found) < 2] == []


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("es", r"\b(?:tú|ti|te|tu|tus|contigo|puedes|tienes|quieres|prefieres|dime|responde)\b"),
        ("es-tu", r"\b(?:usted|(?<!llevan )su|sus|tiene|quiere|prefiere|dígame|responda)\b"),
        ("es", r"\b(?:vosotros|os|vuestr[oa]s?|vos|ustedes|móvil|celular|coger)\b"),
        ("es-tu", r"\b(?:vosotros|os|vuestr[oa]s?|vos|ustedes|móvil|celular|coger|bienvenid[oa])\b"),
    ],
)
def test_spanish_keeps_to_its_form_and_to_words_of_both_sides_of_the_sea(folder: str, forbidden: str, tmp_path: Path):
    wrong = {text.file: re.findall(forbidden, text.body, re.I) for text in shown(folder, tmp_path)}
    assert {file: words for file, words in wrong.items() if words} == {}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def test_a_returning_customer_never_reads_the_same_words_twice(world: World):
    jobs.poll(world.site)
    read = []
    for time in range(4):
        world.inbox.arrive(mail("Please cancel my membership, it is too expensive.", uid=str(time)))
        for job in (jobs.poll, jobs.work, jobs.send):
            job(world.site)
        read.append(world.site.store.past.of_address("maria@example.org").texts[-1])
        world.clock.forward(days=40)
    assert read == ["price", "price.2", "price.3", "price"]
