from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import train
from pipeline.errors import WinbackError

LINE = {
    "id": "a-1",
    "lang": "en",
    "subject": "Saturday",
    "text": "I can't come.",
    "intent": "cancel",
    "reason": "timing",
    "subreason": None,
    "second_reason": "price",
    "sensitive": None,
    "opt_out": False,
    "firm": True,
    "hard": None,
    "asked": None,
    "dates": [],
}


def examples(count: int = 40) -> list[train.Example]:
    """Mails of five files; every second one cancels, the others are a reschedule and greetings."""
    found = []
    for number in range(count):
        kind = ("cancel", "none", "cancel", "reschedule")[number % 4]
        reasons = ("price", "service", "timing", "not_ready", "other", "unspecified")
        reason = reasons[number // 2 % 6] if kind == "cancel" else None
        text = {"cancel": f"please cancel it, {reason}", "none": "see you soon", "reschedule": "another day please"}[kind]
        flags = {"sensitive": "anger" if number % 7 == 0 else None, "opt_out": number % 5 == 0, "firm": number % 6 == 0}
        row = {**LINE, **flags, "id": f"x-{number}", "text": f"{text} {number}", "intent": kind, "reason": reason}
        found.append(train.example({**row, "subreason": "budget" if reason == "price" else None}, f"file-{number % 5}"))
    return found


def test_a_line_of_the_corpus_is_an_example():
    found = train.example(LINE, "salon")
    assert (found.text, found.group, found.second) == ("Saturday\nI can't come.", "salon", "price")
    assert found.labels == {
        "intent": "cancel",
        "reason": "timing",
        "subreason": "none",
        "sensitive": "none",
        "opt_out": "no",
        "firm": "yes",
    }


def test_mail_that_does_not_cancel_teaches_no_reason():
    found = train.example({**LINE, "intent": "none", "reason": None}, "salon")
    assert (found.labels["reason"], found.labels["subreason"]) == (None, None)


@pytest.mark.parametrize("line", ["{", '{"id": "x"}', "[]"])
def test_a_broken_line_is_named(tmp_path: Path, line: str):
    (tmp_path / "salon.jsonl").write_text(f"{json.dumps(LINE)}\n{line}\n", encoding="utf-8")
    with pytest.raises(WinbackError, match=r"salon\.jsonl:2"):
        train.read(tmp_path)


def test_a_label_that_there_is_not_is_not_learnt(tmp_path: Path):
    wrong = {**LINE, "intent": "quit", "reason": None}, {**LINE, "sensitive": "sad"}
    (tmp_path / "salon.jsonl").write_text("\n".join(map(json.dumps, (LINE, *wrong))), encoding="utf-8")
    with pytest.raises(WinbackError) as caught:
        train.read(tmp_path)
    second, third, _ = str(caught.value).splitlines()
    assert second == f'{tmp_path}/salon.jsonl:2: intent: expected cancel, reschedule or none, got "quit"'
    assert third.startswith(f"{tmp_path}/salon.jsonl:3: sensitive: expected bereavement, ")


def test_an_empty_corpus_is_refused(tmp_path: Path):
    with pytest.raises(WinbackError, match="nothing to learn from"):
        train.read(tmp_path)


def test_held_out_probabilities_are_there_for_every_mail():
    taught = train.teach(examples())
    for probabilities in taught.held_out.values():
        assert probabilities.shape[0] == 40
        assert np.all(np.isfinite(probabilities))


def test_the_purpose_of_days_is_held_out_by_the_folds_of_files():
    said = (
        ("cancel", "cancelled", "please cancel {}"),
        ("cancel", "return", "I am away, write again {}"),
        ("none", "past", "you came {}"),
    )
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
    mails = [
        train.example(
            {**LINE, "text": words.format(day), "intent": intent, "dates": [{"text": day, "kind": kind}]}, f"file-{number}"
        )
        for number in range(train.FOLDS)
        for day in days
        for intent, kind, words in said
    ]
    purposes = train.day_purposes(mails)
    by_file = [purposes[start : start + len(days) * len(said)] for start in range(0, len(mails), len(days) * len(said))]
    assert all(purpose is not None for purpose in purposes)
    assert [len(set(map(id, each))) for each in by_file] == [1] * train.FOLDS
    assert len(set(map(id, purposes))) == train.FOLDS


def test_the_trainer_tells_how_far_it_is():
    heard: list[tuple[int, int]] = []
    train.teach(examples(), lambda what, done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1]


def test_lessons_are_learnt_and_never_measured_on():
    lesson = train.Example(
        id="l",
        text="zyx",
        lang="",
        group="lessons",
        labels={**dict.fromkeys((*train.OF_ALL, *train.OF_CANCELLATIONS)), "intent": "reschedule"},
    )
    plain, taught = train.teach(examples()), train.teach(examples(), lessons=[lesson] * 4)
    for kind, probabilities in taught.held_out.items():
        assert probabilities.shape == plain.held_out[kind].shape
        assert np.all(np.isfinite(probabilities))
    assert "zyx" in taught.arrays["words"].tobytes().decode().split("\n")


def test_some_mails_without_a_subject_are_learnt_under_the_plain_subject_of_another():
    bare = [replace(each, subject="", text=f"see you {number}") for number, each in enumerate(examples(200))]
    named = [
        replace(bare[0], id="named", subject="Membership", text="Membership\nhello"),
        replace(bare[0], id="ending", subject="Cancel my order", text="Cancel my order\nplease"),
    ]
    got = train.under_subjects([*bare, *named])
    assert got == train.under_subjects([*bare, *named])
    assert got[-2:] == named
    assert {each.subject for each in got[:-2]} == {"", "Membership"}
    assert {each.text for each in got if each.subject == "Membership"} <= {f"Membership\n{each.text}" for each in bare} | {
        "Membership\nhello"
    }
    assert 0.3 < sum(bool(each.subject) for each in got[:-2]) / 200 < 0.5


def test_who_adds_a_mail_leaves_most_of_the_others_under_their_subjects():
    bare = [replace(each, subject="") for each in examples(200)]
    named = [replace(bare[0], id=f"named {number}", subject=f"Visit {number}") for number in range(30)]
    more = replace(bare[0], id="one more", subject="Thursday")
    before, after = train.under_subjects([*bare, *named]), train.under_subjects([*bare, *named, more])
    moved = [one.subject for one, other in zip(after, before, strict=False) if one.subject != other.subject]
    assert set(moved) <= {"Thursday"}
    assert len(moved) < 20
