"""The same evaluation as text, as values and as a page."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from lxml import html as lxml_html

from pipeline.evaluate import page, plots, report, tables
from pipeline.evaluate.measures import Day, Judged


def judged(number: int, label: str, said: str, **more: object) -> Judged:
    return Judged(
        id=f"t-{number}",
        lang=("en", "es")[number % 2],
        label=label,
        right=frozenset({label}),
        hard=False,
        said=said,
        confidence=0.05 + number % 10 / 10,
        text="Please <b>cancel</b> & stop",
        evidence=("cancel</b>",),
        **more,
    )


ALL = [judged(number, ("price", "none", "timing")[number % 3], ("price", "none", "none")[number % 3]) for number in range(30)]
RICH = [
    judged(
        number, "none", "none", sensitive=(True, True), opt_out=(False, True), days=((Day(start=0, end=3, kind="past"),), ())
    )
    for number in range(4)
]


def test_the_text_has_every_part_and_the_worst_errors_with_their_evidence():
    text = report.text("30 texts", ALL)
    for part in ("30 texts", "By reading", "Confusion", "When it may answer by itself", "wrong"):
        assert part in text
    assert "t-8: timing, read as none (85%)\n    Please <b>cancel</b> & stop\n    because of: cancel</b>" in text
    assert "Flags" not in text
    assert "Flags" in report.text("4 texts", RICH)


def test_the_values_are_json_and_say_the_same():
    values = json.loads(json.dumps(report.plain("30 texts", ALL)))
    assert values["texts"] == 30
    assert values["by_reading"]["all"]["price"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert {"label": "timing", "read_as": "none", "texts": 10} in values["confusion"]
    assert values["by_coverage"][-1] == {"coverage": 1.0, "accuracy": pytest.approx(2 / 3)}
    assert sum(part["texts"] for part in values["by_confidence"]) == 30
    assert (values["flags"], values["days"]) == ({}, None)
    assert values["worst"][0]["evidence"] == ["cancel</b>"]
    rich = report.plain("4 texts", RICH)
    assert rich["flags"]["sensitive"] == {"precision": 1.0, "recall": 1.0, "texts": 4}
    assert rich["days"]["found"] == 0.0


def test_the_page_asks_nobody_for_anything():
    made = page.html("30 texts <b>", ALL)
    assert re.findall(r"(?:src|href)=\"(?!data:)", made) == []
    assert "http" not in re.sub(r"http-equiv", "", made)
    assert "<script" not in made
    assert "default-src 'none'" in made
    assert 'name="viewport"' in made


def test_the_page_shows_words_of_customers_as_words():
    made = page.html("30 texts <b>", ALL)
    assert "<b>" not in made
    found = lxml_html.fromstring(made)
    assert [len(found.findall(f".//{tag}")) for tag in ("svg", "table", "article")] == [3, 4, 10]


@pytest.mark.parametrize("some", [ALL, RICH, ALL[:1], [judged(2, "timing", "none")]])
def test_plots_are_well_formed_and_stay_inside_their_frame(some: list[Judged]):
    for drawing in re.findall(r"<svg.*?</svg>", page.html("texts", some), flags=re.S):
        svg = ElementTree.fromstring(drawing)
        _, _, width, height = map(float, svg.attrib["viewBox"].split())
        for dot in svg.iter("circle"):
            assert 0 <= float(dot.attrib["cx"]) <= width
            assert 0 <= float(dot.attrib["cy"]) <= height


def test_a_line_through_nothing_is_an_empty_plot():
    assert "<circle" not in plots.line("nothing", [], "x", "y")


def test_a_table_is_the_same_in_markdown_and_in_columns():
    table = tables.Table(head=("name", "share"), rows=(("a", "1.0"), ("longer", "10.0")))
    assert table.markdown() == "| name | share |\n| --- | --- |\n| a | 1.0 |\n| longer | 10.0 |"
    assert table.plain() == "name    share\na         1.0\nlonger   10.0"
