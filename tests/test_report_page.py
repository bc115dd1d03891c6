"""The report as text, JSON and one page: approved word for word, and shown in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from approved import approved
from lxml import html as lxml_html
from report_facts import QUARTER, SHOP, ZONE, facts
from servers.chromium import PHONE, Chromium
from site_of import make_config
from typer.testing import CliRunner, Result

from pipeline import report_page
from pipeline.cli import cli
from pipeline.core.figures import Facts, Figures, Period
from pipeline.core.reason_words import LANGUAGES
from pipeline.core.report import figures
from pipeline.errors import WinbackError

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
FULL = figures(facts(), QUARTER, ZONE)
EMPTY = figures(Facts(), QUARTER, ZONE)


def many() -> Facts:
    """Ten times the shop, so that there are enough for ranges."""
    one = facts()
    copies = range(10)
    return replace(
        one,
        matters=tuple(replace(m, key=f"{m.key}-{n}", who=f"{m.who}-{n}") for m in one.matters for n in copies),
        cancelled=tuple(replace(m, who=f"{m.who}-{n}") for m in one.cancelled for n in copies),
        came_back=tuple(replace(m, who=f"{m.who}-{n}") for m in one.came_back for n in copies),
        texts=tuple(replace(m, matter=f"{m.matter}-{n}") for m in one.texts for n in copies),
    )


MANY = figures(many(), QUARTER, ZONE)


def page(found: Figures, language: str = "en") -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(report_page.html(found, SHOP, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "found"), [("report", FULL), ("report-empty", EMPTY), ("report-many", MANY)])
def test_the_text_is_the_one_that_was_approved(language: str, name: str, found: Figures):
    told = report_page.text(found, SHOP, language)
    assert told == approved(f"{name}.{language}.txt", told)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("found", [FULL, EMPTY, MANY])
def test_the_page_asks_nobody_for_anything(language: str, found: Figures):
    tree = page(found, language)
    assert tree.xpath("//script | //img | //iframe | //object | //embed | //*[@src] | //form | //a") == []
    assert [link.get("href") for link in tree.xpath("//link")] == ["data:,"]
    assert re.findall(r"url\(|@import", report_page.html(found, SHOP, language)) == []
    (rule,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert rule.startswith("default-src 'none'")


def test_what_a_customer_wrote_is_text_and_never_markup():
    told = facts()
    hostile = tuple(replace(one, words=("<script>alert(1)</script><b>bold",)) if one.words else one for one in told.matters)
    tree = page(figures(replace(told, matters=hostile), QUARTER, ZONE))
    assert tree.xpath("//script | //section//b[.='bold']") == []
    assert "<script>alert(1)</script><b>bold" in tree.text_content()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "found"), [("full", FULL), ("empty", EMPTY), ("many", MANY)])
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_on_a_telephone_without_a_complaint_or_a_request(
    tmp_path: Path, chromium: Chromium, language: str, name: str, found: Figures, dark: bool
):
    file = tmp_path / f"{name}.html"
    file.write_text(report_page.html(found, SHOP, language), encoding="utf-8")
    shown = chromium.show(file, dark=dark)
    assert (shown.requests, shown.complaints) == ((), ())
    assert (shown.width, shown.wide) == (PHONE[0], ())
    assert {"en": "What your cancellations tell you", "es": "Lo que dicen sus cancelaciones"}[language] in shown.text
    assert ("“Half an hour late again on Tuesday.”" in shown.text) == (language == "en" and found is not EMPTY)


def test_the_browser_would_tell_of_a_request_a_complaint_and_a_page_that_is_too_wide(tmp_path: Path, chromium: Chromium):
    file = tmp_path / "bad.html"
    file.write_text(
        "<!doctype html><meta name='viewport' content='width=device-width'><link rel='icon' href='data:,'>"
        "<p style='width: 500px'>wide</p><img src='http://127.0.0.1:9/x.png'>"
        "<script>console.error('trouble')</script>"
    )
    shown = chromium.show(file)
    assert shown.requests == ("http://127.0.0.1:9/x.png",)
    assert any("trouble" in complaint for complaint in shown.complaints)
    assert shown.width > PHONE[0]
    assert shown.wide


def test_the_blocks_of_a_bar_stand_on_each_other_and_the_highest_fills_the_picture():
    found = report_page.bars(FULL, "en")
    assert min(bar.top for bar in found) == 0
    assert [bar.total for bar in found] == [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 6]
    for bar in found:
        edges = [120.0, *(block.at for block in bar.blocks)]
        assert [block.at + block.length for block in bar.blocks] == pytest.approx(edges[:-1], abs=0.02)
    assert [bar.label for bar in found if bar.label] == ["31 Aug", "21 Sep", "12 Oct", "2 Nov"]


def test_the_divided_bar_is_whole():
    assert sum(block.length for block in report_page.split(FULL)) == pytest.approx(100, abs=0.02)


def test_json_holds_every_figure_in_plain_values():
    told = json.loads(json.dumps(report_page.plain(MANY)))
    assert told["cancellations"] == 250
    assert told["returned"] == {
        "count": 80,
        "of": 250,
        "low": pytest.approx(0.265, abs=1e-3),
        "high": pytest.approx(0.380, abs=1e-3),
        "enough": True,
    }
    assert told["answers"]["median"] == pytest.approx(5910, abs=3600)
    assert told["money"] == [{"currency": "USD", "lost": "8500", "won_back": "3400", "known": 200}]
    assert told["buckets"][-1] == {
        "day": "2026-11-16",
        "counts": {"service": 40, "price": 10, "timing": 10},
        "causes": [["late", 20], ["budget", 10], ["rude", 10], ["unresponsive", 10], ["work", 10]],
    }
    assert told["alarms"][0]["subreason"] == "late"


def test_a_period_is_named_by_days_of_the_business():
    zone = "America/New_York"
    whole = report_page.period(date(2026, 11, 1), date(2026, 11, 30), "30d", zone, NOW)
    assert whole.start == datetime(2026, 11, 1, 4, tzinfo=UTC)  # summer time ended on this day
    assert whole.end == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert report_page.period(None, None, "2w", zone, NOW) == Period(start=NOW - 14 * DAY, end=NOW)
    assert report_page.period(None, date(2026, 11, 20), "1d", zone, NOW).start == datetime(2026, 11, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "length", "why"),
    [
        (date(2026, 11, 9), date(2026, 11, 1), "30d", "the report would begin on 2026-11-09 and end before"),
        (date(2027, 1, 1), None, "30d", "the report would begin on 2027-01-01 and end before"),
        (None, None, "soon", "--last soon: expected a duration"),
        (None, None, "0d", "the report would begin on 2026-11-23 and end before"),
    ],
)
def test_a_period_that_is_none_is_refused_with_a_sentence(first: date | None, last: date | None, length: str, why: str):
    with pytest.raises(WinbackError, match=why):
        report_page.period(first, last, length, "UTC", NOW)


def winback(folder: Path, *words: str, **values: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(make_config(folder, **values)), "report", *words])


def test_the_verb_prints_text_in_the_first_language_of_the_business(tmp_path: Path):
    assert winback(tmp_path).stdout.startswith("What your cancellations tell you\nBluedoor Studio, ")
    assert winback(tmp_path, languages="[es, en]").stdout.startswith("Lo que dicen sus cancelaciones\n")
    assert "Nadie canceló" in winback(tmp_path, "--language", "es", "--from", "2026-01-01", "--to", "2026-01-31").stdout


def test_the_verb_prints_json_and_writes_a_page(tmp_path: Path):
    assert json.loads(winback(tmp_path, "--json").stdout)["cancellations"] == 0
    file = tmp_path / "report.html"
    assert winback(tmp_path, "--html", str(file)).stdout == f"{file} holds the report\n"
    assert lxml_html.fromstring(file.read_bytes()).xpath("//h1/text()") == ["What your cancellations tell you"]


def test_the_verb_says_what_is_wrong(tmp_path: Path):
    assert "--last soon" in str(winback(tmp_path, "--last", "soon").exception)
    assert "can't be written" in str(winback(tmp_path, "--html", str(tmp_path / "nowhere" / "report.html")).exception)
    assert winback(tmp_path, "--from", "yesterday").exit_code == 2
