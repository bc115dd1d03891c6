from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from fakes import WordModel

from pipeline.core.records import Scores
from pipeline.errors import WinbackError
from pipeline.evaluate import files, measures
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
    (one,) = files.on_file(file_of(tmp_path, OURS), WordModel())
    assert (one.label, one.said, one.right) == ("price", "price", {"price", "timing"})
    assert (one.sensitive, one.opt_out) == ((False, False), (False, False))
    labelled, read = one.days or pytest.fail()
    assert labelled == (Day(start=17, end=26, kind="cancelled"), Day(start=41, end=50, kind="past"))
    assert {day.end for day in read} == {26, 50}
    assert "cancel" in one.evidence[0]


def test_an_answer_to_a_question_of_ours_is_read_as_one(tmp_path: Path):
    answer = {**OURS, "text": "It was too expensive.", "dates": []}
    alone, asked = files.on_file(file_of(tmp_path, answer, {**answer, "asked": "Why?"}), WordModel())
    assert (alone.said, asked.said) == ("none", "price")


def test_texts_in_the_format_of_others_are_judged_with_their_labels(tmp_path: Path):
    reschedule = {**THEIRS, "id": "R2", "label_intent": "reschedule_request"}
    either = {**THEIRS, "id": "R3", "label_intent": "none", "label_reason": None, "also": [], "also_intent": ["cancel"]}
    moving = {**THEIRS, "id": "R4", "body": "please cancel, we are moving", "also_intent": ["none"]}
    found = files.on_file(file_of(tmp_path, THEIRS, reschedule, either, moving), WordModel())
    assert [(each.id, each.label, each.said, each.good) for each in found] == [
        ("R1", "not_ready", "unspecified", True),
        ("R3", "none", "unspecified", True),
        ("R4", "not_ready", "not_ready", True),  # nobody uses `other` there
    ]
    assert {each.days for each in found} == {each.sensitive for each in found} == {None}
    assert found[2].right == {"not_ready", "unspecified", "none"}


MAIL = """From: Maria <maria@example.org>
To: dana@bluedoor.example
Date: Mon, 30 Nov 2026 22:30:00 -0600
Subject: Re: Tuesday
Message-ID: <1@example.org>

Hi Dana, please cancel tomorrow, too expensive. I was with you in March.

On Mon, Nov 30, 2026 at 9:14 AM Dana <dana@bluedoor.example> wrote:
> See you on December 24.
"""
WHOLE = {
    "id": "x-1",
    "lang": "en",
    "country": "US",
    "intent": "cancel",
    "reason": "price",
    "also": ["timing"],
    "sensitive": None,
    "opt_out": False,
    "hard": False,
    "dates": [
        {"text": "Tuesday", "kind": "cancelled", "day": "2026-12-01"},
        {"text": "tomorrow", "kind": "cancelled", "day": "2026-12-01"},
        {"text": "in March", "kind": "past", "day": "2026-03-01/2026-03-31"},
        {"text": "December 24", "kind": "mentioned", "day": None},
    ],
    "mail": MAIL,
}


def test_whole_mails_are_read_without_their_history_and_by_the_customers_clock(tmp_path: Path):
    (one,) = files.on_file(file_of(tmp_path, WHOLE), WordModel())
    assert (one.label, one.said, one.right) == ("price", "price", {"price", "timing"})
    labelled, read = one.days or pytest.fail()
    assert [(one.text[day.start : day.end], day.between) for day in labelled] == [
        ("Tuesday", (date(2026, 12, 1), date(2026, 12, 1))),
        ("tomorrow", (date(2026, 12, 1), date(2026, 12, 1))),
        ("in March", (date(2026, 3, 1), date(2026, 3, 31))),
    ]
    assert [one.text[day.start : day.end] for day in read] == ["Tuesday", "tomorrow", "in March"]
    found = measures.days([one]) or pytest.fail()
    assert (found.labelled, found.found, found.right, found.wrong) == (3, 1.0, 1.0, 0.0)


def test_a_day_that_is_found_and_not_the_right_one_is_wrong(tmp_path: Path):
    labels = [{"text": "tomorrow", "kind": "cancelled", "day": "2026-12-02"}, {"text": "in March", "kind": "past", "day": None}]
    (one,) = files.on_file(file_of(tmp_path, {**WHOLE, "dates": labels}), WordModel())
    found = measures.days([one]) or pytest.fail()
    assert (found.right, found.right_purpose) == (0.5, 1.0)
    assert found.wrong == pytest.approx(2 / 3)  # the day itself, and the one in the subject that nobody labelled


def test_all_files_of_a_folder_are_read(tmp_path: Path):
    file_of(tmp_path, WHOLE)
    (tmp_path / "more.jsonl").write_text(json.dumps({**WHOLE, "id": "x-0"}), encoding="utf-8")
    assert [each.id for each in files.on_file(tmp_path, WordModel())] == ["x-0", "x-1"]


class Silent:
    """Knows nothing."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return []


@pytest.mark.parametrize("rows", [[], [{}], [[]], [OURS, {"id": "x"}], [{"label_intent": "cancel"}]])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, rows: list[object]):
    with pytest.raises(WinbackError, match=r"texts\.jsonl: is not a file of labelled texts"):
        files.on_file(file_of(tmp_path, *rows), Silent())


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(WinbackError, match="nowhere"):
        files.on_file(tmp_path / "nowhere.jsonl", Silent())
