from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes import WordModel

from pipeline import train
from pipeline.core.records import Intent, Message, Reason, Sensitive, Verdict
from pipeline.errors import BadFile
from pipeline.evaluate import files, measures
from pipeline.evaluate.judging import held
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


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Please cancel, too expensive.", False),
        ("Please cancel, too expensive. Do I get my deposit back?", True),
        ("Please cancel, you are rude.", True),
        ("Please move my class to Tuesday?", False),
    ],
)
def test_what_the_product_never_answers_by_itself_is_held(tmp_path: Path, text: str, left: bool):
    ours, asked = {**OURS, "text": text, "dates": []}, {**OURS, "text": text, "dates": [], "asked": "Why?"}
    theirs = {**THEIRS, "lang": "en", "body": text}
    whole = {**WHOLE, "mail": f"From: m@example.org\nDate: Mon, 30 Nov 2026 22:30:00 -0600\n\n{text}\n", "dates": []}
    assert [each.held for each in files.on_file(file_of(tmp_path, ours, asked), WordModel())] == [left, True]
    assert [each.held for each in files.on_file(file_of(tmp_path, theirs), WordModel())] == [left]
    assert [each.held for each in files.on_file(file_of(tmp_path, whole), WordModel())] == [left]


@pytest.mark.parametrize(
    "read",
    [{"sensitive": Sensitive.ANGER}, {"opt_out": True}, {"unsure": True}, {"reason": Reason.SERVICE}, {"question": True}],
)
def test_what_is_read_in_a_mail_holds_its_answer(read: dict[str, Any]):
    message = Message(key="m", text="Please cancel.", arrived=train.SOME_DAY)
    sure = Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, confidence=0.01)
    assert not held(message, sure)
    assert held(message, replace(sure, **read))


def test_the_language_of_the_answer_is_judged_where_it_is_labelled(tmp_path: Path):
    spanish = {**OURS, "text": "Hola, quiero cancel la cita, por favor, price", "dates": []}
    assert [each.answered_in for each in files.on_file(file_of(tmp_path, OURS, spanish), WordModel())] == ["en", "es"]
    assert [each.answered_in for each in files.on_file(file_of(tmp_path, WHOLE), WordModel())] == ["en"]
    assert [each.answered_in for each in files.on_file(file_of(tmp_path, THEIRS), WordModel())] == [None]


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


def refused(folder: Path, *rows: object) -> list[str]:
    """What is said of a file, without its folder and the advice at the end."""
    with pytest.raises(BadFile) as caught:
        files.on_file(file_of(folder, *rows), WordModel())
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems[:-1]]


WRONG = [
    ({"intent": "quit", "reason": None}, 'intent: expected cancel, reschedule or none, got "quit"'),
    ({"reason": "prize"}, 'reason: expected price, service, timing, not_ready, other or unspecified, got "prize"'),
    ({"reason": None}, "reason: expected price, service, timing, not_ready, other or unspecified, got null"),
    ({"intent": "none"}, 'reason: expected null, for only what cancels has a reason, got "price"'),
    (
        {"second_reason": "time"},
        'second_reason: expected price, service, timing, not_ready, other, unspecified or null, got "time"',
    ),
    (
        {"sensitive": "sad"},
        'sensitive: expected bereavement, illness, hardship, legal, minor, abuse, anger or null, got "sad"',
    ),
    ({"lang": "fr"}, 'lang: expected en or es, got "fr"'),
    ({"lang": ["en"]}, 'lang: expected en or es, got ["en"]'),
    ({"opt_out": "no"}, 'opt_out: expected true or false, got "no"'),
    ({"text": None}, "text: expected text, got null"),
    ({"text": "half a sign: \ud83d"}, 'text: expected text, got "half a sign: \\ud83d"'),
    (
        {"dates": [{"text": "June", "kind": "whatever"}]},
        'dates: expected a list of {"text": ..., "kind": return, new_slot, cancelled, past or mentioned},'
        ' got [{"text": "June", "kind": "whatever"}]',
    ),
]


@pytest.mark.parametrize(("labels", "said"), WRONG, ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_a_label_that_there_is_not_is_named_with_its_line(tmp_path: Path, labels: dict[str, object], said: str):
    assert refused(tmp_path, OURS, {**OURS, **labels}) == [f"texts.jsonl:2: {said}"]


@pytest.mark.parametrize(
    ("labels", "key"),
    [({"hard": "no"}, "hard"), ({"also": ["prize"]}, "also"), ({"country": "Spain"}, "country"), ({"mail": "hello"}, "mail")]
    + [({"dates": [{"text": "June", "kind": "past", "day": day}]}, "dates") for day in ("June", "2026-06-01/", 6)],
)
def test_labels_of_whole_mails_are_looked_at_too(tmp_path: Path, labels: dict[str, object], key: str):
    (said,) = refused(tmp_path, {**WHOLE, **labels})
    assert said.startswith(f"texts.jsonl:1: {key}: expected ")


@pytest.mark.parametrize(
    ("labels", "key"), [({"label_reason": "prize"}, "label_reason"), ({"also": None}, "also"), ({"body": 3}, "body")]
)
def test_labels_of_others_are_looked_at_too(tmp_path: Path, labels: dict[str, object], key: str):
    (said,) = refused(tmp_path, {**THEIRS, **labels})
    assert said.startswith(f"texts.jsonl:1: {key}: expected ")


def test_a_file_whose_labels_say_neither_is_refused(tmp_path: Path):
    with pytest.raises(BadFile, match="no text is labelled `cancel` or `none`"):
        files.on_file(file_of(tmp_path, {**THEIRS, "label_intent": "quit"}), WordModel())


def test_every_mistake_is_named_at_once_the_first_twenty_of_many(tmp_path: Path):
    said = refused(tmp_path, {**OURS, "lang": "fr", "firm": 1}, {"id": "x"}, *({**OURS, "lang": "fr"} for _ in range(30)))
    assert len(said) == 21
    assert said[:2] == [
        'texts.jsonl:1: lang: expected en or es, got "fr"',
        "texts.jsonl:1: firm: expected true or false, got 1",
    ]
    assert said[2].startswith("texts.jsonl:2: has no lang, intent, ")
    assert said[-1] == "and 13 more mistakes"


def test_a_broken_line_is_named_by_its_number_in_the_file(tmp_path: Path):
    good = json.dumps(OURS)
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join([good, "", good[:40], "[1]", "[" * 100_000, good]), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        files.on_file(path, WordModel())
    third, fourth, fifth, _ = caught.value.problems
    assert third.startswith(f"{path}:3: is not JSON (Unterminated string starting at at character ")
    assert fourth == f"{path}:4: expected one object, {{...}}, got [1]"
    assert fifth.startswith(f"{path}:5: is not JSON that can be read")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "texts.jsonl: is empty: expected one JSON object a line"),
        (b'{"id": 1}\n\x89PNG\r\n\x1a' + b"\xff" * 10_000, "texts.jsonl:2: is not UTF-8 text: expected one JSON object a line"),
        ('{"id": "a"}'.encode("utf-16"), "texts.jsonl:1: is not UTF-8 text"),
    ],
)
def test_what_holds_no_texts_is_told_in_a_sentence(tmp_path: Path, data: bytes, said: str):
    path = tmp_path / "texts.jsonl"
    path.write_bytes(data)
    with pytest.raises(BadFile) as caught:
        files.on_file(path, WordModel())
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_marks_that_editors_leave_are_no_mistake(tmp_path: Path):
    """A byte order mark, line ends of Windows, and a character that Unicode takes for the end of a line."""
    path = tmp_path / "texts.jsonl"
    line = json.dumps({**OURS, "subject": "one\u2028two"}, ensure_ascii=False)
    path.write_bytes(f"\ufeff{line}\r\n{line}\r\n".encode())
    assert len(files.on_file(path, WordModel())) == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadFile, match=r"nowhere\.jsonl: can't be read \(No such file or directory\): name a file"):
        files.on_file(tmp_path / "nowhere.jsonl", WordModel())


def test_a_folder_without_texts_is_named(tmp_path: Path):
    with pytest.raises(BadFile, match=r"holds no file that ends in \.jsonl"):
        files.on_file(tmp_path, WordModel())
