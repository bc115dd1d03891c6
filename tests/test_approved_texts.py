"""Every text, in more than forty lifelike cases and both languages, is as somebody has looked at it and found it good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lifelike import APPROVED, CASES, FORMS, Life, files, written


@pytest.mark.parametrize(("path", "case", "folder"), [pytest.param(*row, id=f"{row[2]}-{row[1].name}") for row in files()])
def test_a_text_is_as_it_was_approved(path: Path, case: Life, folder: str):
    approved = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written(case, folder) == approved, "look at it; `python tests/lifelike.py` takes it over as it is"


def test_there_are_at_least_forty_cases_and_no_file_too_many():
    assert len(CASES) >= 40
    assert {path for path, _, _ in files()} == set(APPROVED.glob("*/*.txt"))


@pytest.mark.parametrize("folder", FORMS)
def test_every_text_is_among_them(folder: str):
    seen = {re.findall(r"^Text: ([a-z_0-9]+)", path.read_text(), re.M)[0] for path in (APPROVED / folder).glob("*.txt")}
    there = {path.name.split(".")[0] for path in (APPROVED.parents[1] / "templates" / folder).glob("*.txt")}
    assert there - seen - NOT_SHOWN == set()


# Second and later touches whose first one is shown, and texts about appointments, which no cancellation begins.
NOT_SHOWN = {"competitor_1", "not_ready_2", "timing_2", "thanks", "greeting", "late", "no_show", "prepare", "slot_offer"}
