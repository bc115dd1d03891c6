"""What the documents say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from pipeline.cli import cli
from pipeline.config import load
from pipeline.store.describe import describe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_page_about_the_store_is_up_to_date():
    assert (ROOT / "docs" / "store.md").read_text(encoding="utf-8") == describe(), "run `make docs`"


def test_the_readme_names_every_verb():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = get_command(cli).commands
    assert [name for name in verbs if f"`winback {name}" not in readme] == []


def test_every_verb_says_what_it_does():
    verbs = get_command(cli).commands
    assert [name for name, verb in verbs.items() if not (verb.help or "").strip()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_repository_speaks_of_the_product_alone():
    words = re.compile(r"\.\./shared|\.library", re.IGNORECASE)
    assert [page.name for page in PAGES if words.search(page.read_text(encoding="utf-8"))] == []


EXAMPLES = re.findall(r"```yaml\n(outbox: .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)


def put(into: dict[str, object], values: dict[str, object]) -> None:
    for key, value in values.items():
        there = into.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            put(there, value)
        else:
            into[key] = value


@pytest.mark.parametrize("example", EXAMPLES, ids=["salon", "contractor", "agency"])
def test_the_examples_of_the_readme_are_good_configurations(example: str, tmp_path: Path):
    yaml = YAML()
    whole = yaml.load(ROOT / "config.yaml")
    put(whole, yaml.load(example))
    yaml.dump(whole, tmp_path / "config.yaml")
    load(tmp_path / "config.yaml")
