"""Pieces that help to prepare are put into mails as they are, and a piece that can't be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.edges.content import Content
from pipeline.errors import TextRefused

SHIPPED = Path(__file__).parents[2] / "content"


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_shipped_piece_is_there_in_both_languages(language: str):
    names = {path.stem for path in SHIPPED.glob("*/*.txt")}
    assert len(names) >= 2
    assert all(Content(SHIPPED)(name, language) for name in names)


def test_a_piece_is_given_without_the_empty_lines_round_it(tmp_path: Path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.txt").write_text("\ufeffBring {{ nothing }}.\n\n")
    assert Content(tmp_path)("a", "en") == "Bring {{ nothing }}."


@pytest.mark.parametrize(
    ("data", "why"), [(None, "no such piece"), (b" \n", "is empty"), (b"\xff\xfe", "not UTF-8"), (b"x" * 5_000, "at most 4000")]
)
def test_a_piece_that_cannot_be_used_is_refused(tmp_path: Path, data: bytes | None, why: str):
    (tmp_path / "en").mkdir()
    if data is not None:
        (tmp_path / "en" / "a.txt").write_bytes(data)
    with pytest.raises(TextRefused, match=why):
        Content(tmp_path)("a", "en")
