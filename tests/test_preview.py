"""What an admin sees of the texts: `winback preview`, and `winback check` when one of them is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from site_of import ROOT, make_config
from typer.testing import CliRunner

from pipeline.cli import cli
from pipeline.errors import WinbackError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with texts of its own."""
    config = make_config(tmp_path)
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    text = config.read_text(encoding="utf-8").replace(f"folder: {ROOT / 'templates'} ", "folder: templates ")
    config.write_text(text, encoding="utf-8")
    return config


def says(config: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["--config", str(config), *words])
    assert result.exit_code == code, result.output
    return result.output


def heads(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.endswith(("(acknowledgment)", "(follow-up)"))]


def test_the_texts_of_a_reason_are_shown_as_a_customer_would_read_them(site: Path):
    shown = says(site, "preview", "--reason", "price", "--language", "en", "--variant", "1")
    assert heads(shown) == [
        "en/price.txt (acknowledgment)",
        "en/price_1.txt (follow-up)",
        "en/price_2.txt (follow-up)",
        "en/price_3.txt (follow-up)",
    ]
    assert "  Hi Maria,\n" in shown
    assert '  If you would rather not hear from us again, just reply "stop".\n' in shown


def test_a_text_that_speaks_of_a_date_is_shown_without_and_with_one(site: Path):
    shown = says(site, "preview", "--reason", "not_ready", "--language", "es", "--variant", "1")
    assert heads(shown)[:2] == ["es/not_ready.txt (acknowledgment)"] * 2
    assert "¿Cuándo le vendría bien" in shown
    assert "Le escribiré hacia el 7 de abril" in shown


def test_all_of_them_make_a_page_that_asks_for_nothing_from_elsewhere(site: Path, tmp_path: Path):
    page = tmp_path / "texts.html"
    assert says(site, "preview", "--html", str(page)).startswith(f"{page} holds ")
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "Thank you for letting us know" in text
    assert "src=" not in text


def test_no_such_text_is_a_clear_error(site: Path):
    result = CliRunner().invoke(cli, ["--config", str(site), "preview", "--reason", "nothing"])
    assert isinstance(result.exception, WinbackError)
    assert "prints them all" in str(result.exception)


def test_check_refuses_a_variant_that_sells_and_shows_how_it_looks(site: Path, tmp_path: Path):
    (tmp_path / "templates" / "en" / "price.4.txt").write_text("Subject: Hi\n\nStay, with a 20 % discount!!", encoding="utf-8")
    output = says(site, "check", "--texts", code=1)
    assert 'BAD  texts          en/price.4.txt: an acknowledgment offers nothing (B1): "20 %"' in output
    assert "REFUSED: it shouts (S0.1)" in output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("{% if not name %}Dear None,{% endif %}\nHello.", "something in it was not filled in"),
        ("{% if wished %}It is cancelled.{% endif %}\nHello.", "it claims what nobody has confirmed yet (B2)"),
        ("{% if not keeps_in_touch %}How could you!{% endif %}\nHello.", "it makes the customer feel guilty (S0.1)"),
    ],
)
def test_what_only_some_customers_would_read_is_found_too(site: Path, tmp_path: Path, words: str, why: str):
    (tmp_path / "templates" / "en" / "other.txt").write_text(f"Subject: Hi\n\n{words}\n", encoding="utf-8")
    assert why in says(site, "check", code=1)


def test_without_a_postal_address_no_follow_up_is_in_order(tmp_path: Path):
    output = says(make_config(tmp_path, address='""'), "check", code=1)
    assert "en/price_1.txt: a follow-up needs your postal address (B5): say it under business.address" in output
    assert "en/price.txt" not in output


@pytest.mark.parametrize(
    ("country", "words"),
    [("US", "United States: follow-ups go out until"), ("ES", "Spain: follow-ups go only to customers with a basis (contract")],
)
def test_check_tells_whom_the_law_lets_be_followed_up(tmp_path: Path, country: str, words: str):
    assert words in says(make_config(tmp_path, country=country), "check")
