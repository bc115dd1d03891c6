from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import evaluate, train
from pipeline.errors import WinbackError

ROOT = Path(__file__).parents[1]
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


def test_an_empty_corpus_is_refused(tmp_path: Path):
    with pytest.raises(WinbackError, match="nothing to learn from"):
        train.read(tmp_path)


def test_building_twice_gives_the_same_bytes(tmp_path: Path):
    (tmp_path / "corpus").mkdir()
    rows = [
        {**LINE, "id": each.id, "text": each.text, "intent": each.labels["intent"], "reason": each.labels["reason"]}
        for each in examples()
    ]
    for part in range(5):
        lines = "\n".join(json.dumps({**row, "opt_out": n % 2 == 0, "firm": n % 3 == 0}) for n, row in enumerate(rows[part::5]))
        (tmp_path / "corpus" / f"{part}.jsonl").write_text(lines, encoding="utf-8")
    for out in ("one", "two"):
        train.build(tmp_path / "corpus", tmp_path / out, extra=examples())
    for name in ("model.json", "model.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["model.json", "model.npz"]


def test_held_out_probabilities_are_there_for_every_mail():
    taught = train.teach(examples())
    for probabilities in taught.held_out.values():
        assert probabilities.shape[0] == 40
        assert np.all(np.isfinite(probabilities))


def test_the_trainer_tells_how_far_it_is():
    heard: list[tuple[int, int]] = []
    train.teach(examples(), lambda what, done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1]


def judged(label: str, said: str, confidence: float = 0.9, **more: object) -> evaluate.Judged:
    plain = evaluate.Judged(
        id="j", lang="en", label=label, right=frozenset({label}), hard=False, said=said, confidence=confidence
    )
    return replace(plain, **more)


def test_precision_recall_and_f1():
    found = [judged("price", "price"), judged("price", "none"), judged("none", "price"), judged("none", "none")]
    assert evaluate.cancellation(found) == (0.5, 0.5, 0.5)


def test_a_reading_that_a_careful_person_accepts_is_right():
    lenient = judged("none", "price", right=frozenset({"none", "price"}))
    assert evaluate.cancellation([lenient, judged("price", "price")]) == (1.0, 1.0, 1.0)
    assert evaluate.accuracy([judged("timing", "price", right=frozenset({"timing", "price"}))]) == 1.0


def test_the_surest_part_counts_for_accuracy_by_coverage():
    found = [judged("none", "none", 0.9), judged("none", "price", 0.3)]
    assert (evaluate.accuracy(found), evaluate.accuracy(found, 0.5)) == (0.5, 1.0)


def test_calibration_error_is_the_gap_between_confidence_and_success():
    assert evaluate.calibration_error([judged("none", "none", 0.7), judged("none", "none", 0.7)]) == pytest.approx(0.3)


def test_reason_macro_f1_is_over_recognised_cancellations():
    found = [judged("price", "price"), judged("service", "price"), judged("timing", "none")]
    assert evaluate.reason_f1(found) == pytest.approx((2 / 3 + 0) / 2)


def test_false_alarms_are_counted_apart_for_hard_texts():
    found = [judged("none", "price", hard=True), judged("none", "none"), judged("none", "none", hard=True)]
    assert (evaluate.false_alarms(found, True), evaluate.false_alarms(found, False)) == (0.5, 0.0)


def test_a_file_of_others_that_cannot_be_read_is_named(tmp_path: Path):
    path = tmp_path / "others.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(WinbackError, match=r"others\.jsonl"):
        evaluate.on_others(path, None)  # type: ignore[arg-type]


def test_the_model_card_is_that_of_the_corpus():
    """If this fails, run `make evaluate`: the corpus has changed since the card was written."""
    card = (ROOT / "models" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert train.digest(train.read(ROOT / "models" / "corpus"))[:16] in card
