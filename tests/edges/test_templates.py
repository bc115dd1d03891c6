"""Texts are checked when they are loaded, and values come out of them as they went in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.records import Text
from pipeline.edges.templates import LARGEST, Templates
from pipeline.errors import ConfigError, TextRefused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for language in ("en", "es"):
        (tmp_path / language).mkdir()
    return tmp_path


def write(folder: Path, source: str | bytes, name: str = "en/price_1.txt") -> Path:
    (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    return folder


def body(folder: Path, source: str, values: dict[str, str | None] | None = None) -> str:
    return Templates(write(folder, f"Subject: Hi\n\n{source}")).render("price_1", "en", values or {}).body


def mistakes(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Templates(folder)
    return caught.value.problems


def test_a_text_is_a_subject_and_a_body(folder: Path):
    write(folder, "Subject: Hello {{ name }}\n\nDear {{ name }},\n\nThank you.\n")
    assert Templates(folder).render("price_1", "en", {"name": "Maria"}) == Text(
        subject="Hello Maria", body="Dear Maria,\n\nThank you."
    )


def test_languages_have_texts_of_their_own(folder: Path):
    write(write(folder, "Subject: Hello\n\nHello"), "Subject: Hola\n\n¡Hola!", "es/price_1.txt")
    templates = Templates(folder)
    assert templates.render("price_1", "es", {}).body == "¡Hola!"
    assert templates.render("price_1", "en", {}).body == "Hello"


def test_all_shipped_texts_load_in_both_languages():
    templates = Templates(Path(__file__).parents[2] / "templates")
    assert templates.names("en") == templates.names("es")
    assert "price_1" in templates.names("en")


def test_names_and_variants_are_told(folder: Path):
    for name in ("price_1", "price_1.2", "price_1.3", "price_1.10", "price_2", "price_10"):
        write(folder, "Subject: x\n\nx", f"en/{name}.txt")
    templates = Templates(folder)
    assert templates.names("en") == {"price_1", "price_2", "price_10"}
    assert templates.names("es") == templates.names("fr") == frozenset()
    assert templates.variants("price_1", "en") == ("price_1", "price_1.2", "price_1.3", "price_1.10")
    assert templates.variants("price_2", "en") == ("price_2",)
    assert templates.variants("nothing", "en") == ()


def test_a_variant_is_rendered_by_its_name(folder: Path):
    write(write(folder, "Subject: x\n\nfirst"), "Subject: x\n\nsecond", "en/price_1.2.txt")
    assert Templates(folder).render("price_1.2", "en", {}).body == "second"


def test_leftovers_of_editors_are_no_texts(folder: Path):
    write(folder, "Subject: x\n\nx")
    for name in (".price_1.txt.swp", "._price_1.txt", "price_1.txt~", "README.md"):
        write(folder, "{% nonsense", f"en/{name}")
    assert Templates(folder).names("en") == {"price_1"}


def test_a_value_of_none_is_absent(folder: Path):
    source = "{% if phone %}Call {{ phone }}.{% else %}Just reply.{% endif %}"
    assert body(folder, source, {"phone": "555"}) == "Call 555."
    assert body(folder, source, {"phone": None}) == "Just reply."
    assert body(folder, source, {"phone": ""}) == "Just reply."
    assert body(folder, "{{ phone|default('none') }}", {"phone": None}) == "none"
    assert body(folder, "{% if phone is defined %}x{% else %}y{% endif %}", {"phone": None}) == "y"


@pytest.mark.parametrize("values", [{}, {"phone": None}])
def test_printing_a_value_that_is_not_there_is_refused_by_name(folder: Path, values: dict[str, str | None]):
    with pytest.raises(TextRefused, match=r"en/price_1\.txt: 'phone' is undefined"):
        body(folder, "Call {{ phone }}", values)


def test_asking_for_a_value_that_was_forgotten_is_refused(folder: Path):
    with pytest.raises(TextRefused, match="'phone' is undefined"):
        body(folder, "{% if phone %}Call{% endif %}")


def test_an_unknown_text_or_language_is_refused(folder: Path):
    templates = Templates(write(folder, "Subject: x\n\nx"))
    for name, language in (("price_9", "en"), ("price_1", "es"), ("price_1", "../en"), ("../en/price_1", "en")):
        with pytest.raises(TextRefused, match="there is no such text"):
            templates.render(name, language, {})


class Loud(str):
    def __html__(self) -> str:
        return "shout"


class Word(StrEnum):
    ONE = "one"


@pytest.mark.parametrize("value", [1, 1.5, True, b"x", ["x"], {"a": "b"}, object(), Loud("x"), Word.ONE, len])
def test_a_value_that_is_not_plain_text_is_a_mistake_of_the_program(folder: Path, value: object):
    with pytest.raises(TypeError, match="name must be plain text or None"):
        body(folder, "{{ name }}", {"name": value})


PAYLOADS = [
    "{{ 7*7 }}",
    "{{7*'7'}}",
    "{% for x in range(9) %}49{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self._TemplateReference__context }}",
    "{{ config }}",
    "{%- set x = 49 -%}{{ x }}",
    "{# a comment #}",
    "{{",
    "}}",
    "{%",
    "# for x in y",
    "{{{{ 7*7 }}}}",
    "{",
    "<b>bold</b> & \"quoted\" 'text'",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_template_in_a_value_comes_out_as_it_went_in(folder: Path, payload: str):
    write(folder, "Subject: Re: {{ subject }}\n\nDear {{ name }}{{ name }},")
    text = Templates(folder).render("price_1", "en", {"subject": payload, "name": payload})
    assert text == Text(subject=f"Re: {payload}", body=f"Dear {payload}{payload},")


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=30))
def test_any_value_comes_out_as_it_went_in(tmp_path_factory: pytest.TempPathFactory, value: str):
    folder = tmp_path_factory.getbasetemp()
    (folder / "en").mkdir(exist_ok=True)
    assert body(folder, "<{{ name }}>", {"name": value}) == f"<{value}>"


@pytest.mark.parametrize("source", ["{% raw %}{{ name }}{% endraw %}", "{{ '{{' }} name", "{% raw %}{% if %}{% endraw %}"])
def test_template_marks_of_the_text_itself_are_never_sent(folder: Path, source: str):
    with pytest.raises(TextRefused, match="left over"):
        body(folder, source, {"name": "Maria"})


def test_a_subject_stays_one_line_whatever_a_value_holds(folder: Path):
    write(folder, "Subject:   Hello {{ name }}  \n\nx")
    text = Templates(folder).render("price_1", "en", {"name": "A\r\nBcc: x@y.example\u2028B\x1b"})
    assert text.subject == "Hello A Bcc: x@y.example B"


def test_lines_of_the_body_are_evened_out(folder: Path):
    assert (
        body(folder, "One  \r\n{% if name %}\nTwo\r\n{% endif %}\n\n\n\nThree\n\n", {"name": "a\r\nb"}) == "One\nTwo\n\nThree"
    )
    assert body(folder, "{{ name }}", {"name": "a\r\nb\rc"}) == "a\nb\nc"


@pytest.mark.parametrize(("source", "part"), [("{{ name }}\n\nx", "subject"), ("x\n\n{{ name }}", "body")])
def test_a_text_that_comes_out_empty_is_refused(folder: Path, source: str, part: str):
    with pytest.raises(TextRefused, match=f"the {part} came out empty"):
        Templates(write(folder, f"Subject: {source}")).render("price_1", "en", {"name": " "})


def test_a_text_that_comes_out_too_long_is_refused(folder: Path):
    assert body(folder, "{{ name }}", {"name": "x" * (LARGEST - 10)})
    for value in ("x" * (LARGEST + 1), "ñ" * (LARGEST // 2 + 1)):
        with pytest.raises(TextRefused, match="came out longer than"):
            body(folder, "{{ name }}", {"name": value})


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_value_that_no_mail_can_carry_is_refused(folder: Path, value: str):
    with pytest.raises(TextRefused):
        body(folder, "{{ name }}", {"name": value})


def test_a_text_may_choose_and_go_over_its_own_list(folder: Path):
    source = (
        "{% for day in ['Monday', name] %}\n- {{ day|upper }}\n{% endfor %}\n{{ 'a' if name == 'x' else 'b' }}{{ name ~ '!' }}"
    )
    assert body(folder, source, {"name": "x"}) == "- MONDAY\n- X\nax!"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ name * 3 }}", "`*`"),
        ("{{ 'a' * 1000000000 }}", "`*`"),
        ("{{ 9 ** 9 ** 9 }}", "`**`"),
        ("{{ range(3) }}", "`range()`"),
        ("{% for x in range(9) %}x{% endfor %}", "a loop goes over a list"),
        ("{% for x in name %}x{% endfor %}", "a loop goes over a list"),
        ("{% for x in ['a'] %}{% for y in ['b'] %}z{% endfor %}{% endfor %}", "a loop inside a loop"),
        ("{{ name.__class__ }}", "`getattr`"),
        ("{{ name['__class__'] }}", "`getitem`"),
        ("{{ name|attr('__class__') }}", "the filter `attr`"),
        ("{{ name|center(1000000000) }}", "the filter `center`"),
        ("{{ name|replace('a', 'b') }}", "the filter `replace`"),
        ("{% if name is string %}x{% endif %}", "the test `is string`"),
        ("{% set x = name %}", "`assign`"),
        ("{% include 'en/other.txt' %}", "`include`"),
        ("{% extends 'en/other.txt' %}", "`extends`"),
        ("{% import 'x' as x %}", "`import`"),
        ("{% macro m() %}x{% endmacro %}", "`macro`"),
        ("{{ lipsum }}{{ lipsum.__globals__ }}", "`getattr`"),
        ("{% filter upper %}x{% endfilter %}", "`filterblock`"),
        ("{{ 1 // 0 }}", "`//`"),
        ("{{ name + name }}", "`+`"),
        ("{{ {'a': 'b'} }}", "`dict`"),
    ],
)
def test_what_no_text_may_do_is_refused_when_it_is_loaded(folder: Path, source: str, said: str):
    told = mistakes(write(folder, f"Subject: x\n\nx\n{source}"))
    assert told[0].startswith(f"{folder / 'en' / 'price_1.txt'}:4: ")
    assert any(said in each for each in told)


def test_the_names_that_templates_bring_along_are_not_there(folder: Path):
    for name in ("range", "dict", "lipsum", "cycler", "joiner", "namespace"):
        with pytest.raises(TextRefused, match=f"'{name}' is undefined"):
            body(folder, f"{{{{ {name} }}}}")


def test_all_mistakes_of_all_texts_are_told_at_once(folder: Path):
    write(folder, "Hello\n\nx", "en/a.txt")
    write(folder, "Subject: x\nno gap", "en/b.txt")
    write(folder, "Subject: x\n\nfine\n{% if x %}", "es/c.txt")
    write(folder, b"Subject: x\n\nadi\xf3s", "es/d.txt")
    write(folder, "Subject: {{ x.y }}\n\n{{ x.z }}", "es/e.txt")
    write(folder, "Subject: x\n\nx", "es/Wrong Name.txt")
    write(folder, "Subject: x\n\nx", "es/f.2.txt")
    write(folder, f"Subject: x\n\n{'x' * LARGEST}", "es/g.txt")
    told = [problem.removeprefix(f"{folder}/") for problem in mistakes(folder)]
    assert [problem.split(" ")[0] for problem in told] == [
        "en/a.txt:1:", "en/b.txt:2:",
        "es/Wrong", "es/c.txt:4:", "es/d.txt:3:", "es/e.txt:1:", "es/e.txt:3:", "es/f.2.txt:", "es/g.txt:1:",
    ]  # fmt: skip


def test_a_folder_without_texts_is_a_mistake(tmp_path: Path):
    assert "holds no texts" in mistakes(tmp_path)[0]
    assert "holds no texts" in mistakes(tmp_path / "nowhere")[0]
