from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import WordModel

from pipeline.core.records import Scores
from pipeline.errors import WinbackError
from pipeline.evaluate import judging
from pipeline.evaluate.measures import Day

OURS = {
    "id": "a-1",
    "lang": "en",
    "subject": "",
    "text": "Please cancel on March 3rd, and again on March 3rd: too expensive.",
    "intent": "cancel",
    "reason": "price",
    "subreason": None,
    "second_reason": "timing",
    "sensitive": None,
    "opt_out": False,
    "firm": False,
    "hard": None,
    "asked": None,
    "dates": [
        {"text": "March 3rd", "kind": "cancelled"},
        {"text": "March 3rd", "kind": "past"},
        {"text": "June", "kind": "past"},
    ],
}
THEIRS = {
    "id": "R1",
    "lang": "es",
    "subject": None,
    "body": "Quiero cancel, no longer needed",
    "label_intent": "cancel",
    "label_reason": "not_ready",
    "also": ["unspecified"],
    "also_intent": [],
    "hard_negative": False,
}


def file_of(folder: Path, *rows: object) -> Path:
    path = folder / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_our_own_lines_are_judged_with_flags_days_and_evidence(tmp_path: Path):
    (one,) = judging.on_file(file_of(tmp_path, OURS), WordModel())
    assert (one.label, one.said, one.right) == ("price", "price", {"price", "timing"})
    assert (one.sensitive, one.opt_out) == ((False, False), (False, False))
    labelled, read = one.days or pytest.fail()
    assert labelled == (Day(start=17, end=26, kind="cancelled"), Day(start=41, end=50, kind="past"))
    assert {day.end for day in read} == {26, 50}
    assert "cancel" in one.evidence[0]


def test_an_answer_to_a_question_of_ours_is_read_as_one(tmp_path: Path):
    answer = {**OURS, "text": "It was too expensive.", "dates": []}
    alone, asked = judging.on_file(file_of(tmp_path, answer, {**answer, "asked": "Why?"}), WordModel())
    assert (alone.said, asked.said) == ("none", "price")


def test_texts_in_the_format_of_others_are_judged_with_their_labels(tmp_path: Path):
    reschedule = {**THEIRS, "id": "R2", "label_intent": "reschedule_request"}
    either = {**THEIRS, "id": "R3", "label_intent": "none", "label_reason": None, "also": [], "also_intent": ["cancel"]}
    moving = {**THEIRS, "id": "R4", "body": "please cancel, we are moving", "also_intent": ["none"]}
    found = judging.on_file(file_of(tmp_path, THEIRS, reschedule, either, moving), WordModel())
    assert [(each.id, each.label, each.said, each.good) for each in found] == [
        ("R1", "not_ready", "unspecified", True),
        ("R3", "none", "unspecified", True),
        ("R4", "not_ready", "not_ready", True),  # nobody uses `other` there
    ]
    assert {each.days for each in found} == {each.sensitive for each in found} == {None}
    assert found[2].right == {"not_ready", "unspecified", "none"}


class Silent:
    """Knows nothing."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return []


@pytest.mark.parametrize("rows", [[], [{}], [[]], [OURS, {"id": "x"}], [{"label_intent": "cancel"}]])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, rows: list[object]):
    with pytest.raises(WinbackError, match=r"texts\.jsonl: is not a file of labelled texts"):
        judging.on_file(file_of(tmp_path, *rows), Silent())


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(WinbackError, match="nowhere"):
        judging.on_file(tmp_path / "nowhere.jsonl", Silent())
