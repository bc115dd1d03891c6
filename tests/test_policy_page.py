"""The page about cancelling: the same rules as a friendly document, in Markdown and as HTML that asks nobody for anything."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import html as lxml_html
from servers.chromium import Chromium
from site_of import ROOT, make_config
from typer.testing import CliRunner, Result

from pipeline import policy_page
from pipeline.cli import cli
from pipeline.config import load
from pipeline.core.policy import Cancellation, advise, version
from pipeline.core.policy_words import LANGUAGES, sections, sentences
from pipeline.core.records import Address, Booking, Business, Charge, Package, Policy

DAY = timedelta(days=1)
POLICY = Policy(
    currency="USD",
    notice=DAY,
    fees=(Charge(percent=Decimal(50), within=DAY),),
    grace=1,
    exceptions=frozenset({"illness"}),
    packages={"ten": Package(sessions=10, price=Decimal("400.00"))},
)
BUSINESS = Business(
    name="Bluedoor Studio",
    sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
    address="1 Canal Street, Springfield",
    phone="+1 555 0100",
    reschedule_url="https://bluedoor.example/book?a=1&b=2",
)


def page(policy: Policy = POLICY, business: Business = BUSINESS, language: str = "en") -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(policy_page.html(policy, business, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_section_stands_under_its_key_in_both_forms(language: str):
    keys = [section.key for section in sections(POLICY, language)]
    assert page(language=language).xpath("//section/@id") == keys
    assert re.findall(r'<a id="(\w+)"></a>', policy_page.markdown(POLICY, BUSINESS, language)) == keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_forms_say_every_sentence_of_the_policy(language: str):
    seen = " ".join(page(language=language).text_content().split())
    written = policy_page.markdown(POLICY, BUSINESS, language)
    for section in sections(POLICY, language):
        for block in section.blocks:
            for line in [block] if isinstance(block, str) else block:
                assert line in seen
                assert line in written


def test_the_page_names_the_version_of_the_rules_and_how_to_reach_us():
    for told in (page().text_content(), policy_page.markdown(POLICY, BUSINESS, "en")):
        for wanted in (
            f"Version {version(POLICY)}",
            "dana@bluedoor.example",
            "+1 555 0100",
            "1 Canal Street",
            BUSINESS.reschedule_url,
        ):
            assert wanted in told
    assert f"Versión {version(POLICY)}" in policy_page.markdown(POLICY, BUSINESS, "es")


def test_other_rules_make_another_version():
    assert version(POLICY) != version(replace(POLICY, grace=2))
    assert policy_page.html(POLICY, BUSINESS, "en") == policy_page.html(POLICY, BUSINESS, "en")


def test_the_page_asks_nobody_for_anything():
    tree = page()
    assert tree.xpath("//script | //img | //iframe | //object | //embed | //*[@src] | //*[@style] | //form") == []
    assert [link.get("href") for link in tree.xpath("//link")] == ["data:,"]
    assert re.findall(r"url\(|@import", policy_page.html(POLICY, BUSINESS, "en")) == []
    (rule,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert rule.startswith("default-src 'none'")
    assert tree.xpath("//a/@href") == ["mailto:dana@bluedoor.example", BUSINESS.reschedule_url]


def test_the_page_fits_a_phone_a_sheet_of_paper_and_a_screen_reader():
    tree = page(language="es")
    assert tree.get("lang") == "es"
    assert tree.xpath("//meta[@name='viewport']/@content") == ["width=device-width, initial-scale=1"]
    assert len(tree.xpath("//h1")) == len(tree.xpath("//main")) == 1
    (style,) = tree.xpath("//style/text()")
    assert "@media print" in style
    widths = re.findall(r"(?:^|[ {;])(?:min-)?width: *[\d.]+(?:px|rem|em)", style)
    assert widths == []  # nothing is wider than the window


def test_what_the_admin_wrote_is_text_and_never_markup():
    business = replace(BUSINESS, name="Snip & <b>Curl</b>", address="", phone="", reschedule_url="")
    policy = replace(POLICY, packages={"<script>*ten*": Package(sessions=10)})
    tree = page(policy, business)
    assert tree.xpath("//b | //script") == []
    assert "Snip & <b>Curl</b>" in tree.text_content()
    assert "<script>*ten*: 10 sessions." in tree.text_content()
    written = policy_page.markdown(policy, business, "en")
    assert r"Snip \& \<b\>Curl\</b\>" in written
    assert r"\<script\>\*ten\*: 10 sessions." in written


def test_what_is_not_known_of_the_business_is_left_out():
    bare = Business(name="Bluedoor", sender=Address(name="Dana", address="dana@bluedoor.example"))
    assert page(business=bare).xpath("//a/@href") == ["mailto:dana@bluedoor.example"]
    assert "Call us" not in policy_page.markdown(POLICY, bare, "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_on_a_telephone_without_a_complaint_or_a_request(
    tmp_path: Path, chromium: Chromium, language: str, dark: bool
):
    file = tmp_path / "policy.html"
    assert winback(tmp_path, "--html", str(file), "--language", language).exit_code == 0
    shown = chromium.show(file, dark=dark)
    assert (shown.requests, shown.complaints) == ((), ())
    assert (shown.width, shown.wide) == (360, ())
    assert {"en": "When plans change", "es": "Cuando cambian los planes"}[language] in shown.text


def winback(folder: Path, *words: str, **values: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(make_config(folder, **values)), "policy", *words])


def test_the_verb_prints_the_page_in_the_first_language_of_the_business(tmp_path: Path):
    assert winback(tmp_path).stdout.startswith("# When plans change\n")
    assert winback(tmp_path, languages="[es, en]").stdout.startswith("# Cuando cambian los planes\n")
    assert winback(tmp_path, "--language", "es").stdout.startswith("# Cuando cambian los planes\n")
    assert winback(tmp_path, "--language", "fr").exit_code == 2


def test_the_verb_writes_the_html_page_into_a_file(tmp_path: Path):
    file = tmp_path / "policy.html"
    assert winback(tmp_path, "--html", str(file)).exit_code == 0
    assert lxml_html.fromstring(file.read_bytes()).xpath("//h1/text()") == ["When plans change"]


def test_the_verb_says_why_a_file_can_not_be_written(tmp_path: Path):
    result = winback(tmp_path, "--html", str(tmp_path / "nowhere" / "policy.html"))
    assert str(result.exception) == f"{tmp_path}/nowhere/policy.html: can't be written: No such file or directory"


NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EXAMPLES = (
    ("salon", timedelta(hours=5), "work", 0, {"price": "80", "paid": "20"}),
    ("salon", timedelta(hours=5), "work", 1, {"price": "80", "paid": "20"}),
    ("salon", timedelta(hours=5), None, 1, {"price": "80", "paid": "20"}),
    ("contractor", 5 * DAY, "budget", 0, {"price": "12000", "paid": "1000", "spent": "4150"}),
    ("agency", 20 * DAY, "competitor", 0, {"price": "9000", "paid": "4500", "spent": "3600"}),
    ("agency", 20 * DAY, "competitor", 0, {"paid": "4500"}),
)


def preset(folder: Path, name: str) -> Policy:
    """The rules of a preset that was copied into the shipped config.yaml, as its comment says."""
    shipped = make_config(folder).read_text(encoding="utf-8")
    rules = (ROOT / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(re.sub(r"(?ms)^policy:.*?(?=^\w)", lambda _: f"{rules}\n", shipped), encoding="utf-8")
    return load(folder / "config.yaml").cancelling()


def test_the_examples_of_the_admins_page_are_what_winback_says(tmp_path: Path):
    written = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    (\S.*)", re.sub(r"(?s)```.*?```", "", written), re.MULTILINE)
    said = set()
    for name, before, cause, late_before, facts in EXAMPLES:
        policy = preset(tmp_path, name)
        booking = Booking(start=NOW + before, package="", **{fact: Decimal(amount) for fact, amount in facts.items()})
        advice = advise(policy, booking, Cancellation(at=NOW, late_before=late_before, cause=cause))
        said |= set(sentences(advice.lines, policy.currency, "en"))
    assert len(shown) > 20
    assert [line for line in shown if line not in said] == []


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "presets").glob("*.yaml")))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_preset_makes_a_page(tmp_path: Path, name: str, language: str):
    told = policy_page.markdown(preset(tmp_path, name), BUSINESS, language)
    assert "{" not in told
    assert "None" not in told
    assert 'id="exceptions"' in told


def test_the_admins_page_shows_the_rules_of_the_presets():
    told = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    for name in ("salon", "contractor", "agency"):
        rules = (ROOT / "presets" / f"{name}.yaml").read_text(encoding="utf-8").partition("policy:\n")[2]
        money = [line for line in rules.splitlines() if not re.match(r"  (?:exceptions|relief|grace: 0)", line)]
        assert "\n".join(money) in told
