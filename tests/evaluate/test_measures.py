from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.evaluate import measures
from pipeline.evaluate.measures import Day, Judged


def judged(label: str, said: str, confidence: float = 0.9, **more: object) -> Judged:
    plain = Judged(id="j", lang="en", label=label, right=frozenset({label}), hard=False, said=said, confidence=confidence)
    return replace(plain, **more)


def test_precision_recall_and_f1():
    found = [judged("price", "price"), judged("price", "none"), judged("none", "price"), judged("none", "none")]
    assert measures.cancellation(found) == (0.5, 0.5, 0.5)


def test_a_reading_that_a_careful_person_accepts_is_right():
    lenient = judged("none", "price", right=frozenset({"none", "price"}))
    assert measures.cancellation([lenient, judged("price", "price")]) == (1.0, 1.0, 1.0)
    assert measures.accuracy([judged("timing", "price", right=frozenset({"timing", "price"}))]) == 1.0


def test_the_surest_part_counts_for_accuracy_by_coverage():
    found = [judged("none", "none", 0.9), judged("none", "price", 0.3)]
    assert (measures.accuracy(found), measures.accuracy(found, 0.5)) == (0.5, 1.0)


def test_calibration_error_is_the_gap_between_confidence_and_success():
    assert measures.calibration_error([judged("none", "none", 0.7), judged("none", "none", 0.7)]) == pytest.approx(0.3)


def test_reason_macro_f1_is_over_recognised_cancellations():
    found = [judged("price", "price"), judged("service", "price"), judged("timing", "none")]
    assert measures.reason_f1(found) == pytest.approx((2 / 3 + 0) / 2)


def test_macro_f1_and_recalls_are_over_all_readings():
    found = [judged("price", "price"), judged("service", "price"), judged("none", "none")]
    assert measures.macro_f1(found) == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert measures.recalls(found) == {"none": 1.0, "price": 1.0, "service": 0.0}


def test_false_alarms_are_counted_apart_for_hard_texts():
    found = [judged("none", "price", hard=True), judged("none", "none"), judged("none", "none", hard=True)]
    assert (measures.false_alarms(found, True), measures.false_alarms(found, False)) == (0.5, 0.0)


def test_chance_moves_a_figure_less_the_more_texts_there_are():
    few = [judged("price", said) for said in ("price", "price", "price", "none")]
    low, high = measures.by_chance(few, measures.accuracy)
    lower, upper = measures.by_chance(few * 25, measures.accuracy)
    assert low < lower < measures.accuracy(few) < upper < high
    assert (lower, upper) == pytest.approx((0.67, 0.83), abs=0.02)  # 0.75 -+ 1.96 standard errors of 100 texts
    assert measures.by_chance(few, measures.accuracy) == (low, high)


def test_a_flag_is_measured_where_it_was_labelled():
    assert measures.flagged([(True, True), (True, False), (False, True), None]) == (0.5, 0.5, 2)
    assert measures.flagged([None]) is None


def test_a_day_is_found_where_one_was_read_in_its_words():
    there = (Day(start=0, end=8, kind="return"), Day(start=20, end=24, kind="past"), Day(start=40, end=44, kind="past"))
    read = (Day(start=3, end=8, kind="return"), Day(start=20, end=22, kind="mentioned"), Day(start=60, end=64, kind="past"))
    found = measures.days([judged("none", "none", days=(there, read)), judged("none", "none")])
    assert found == measures.Days(labelled=3, read=3, found=2 / 3, right_purpose=1 / 3, unlabelled=1 / 3)
    assert measures.days([judged("none", "none")]) is None


def test_what_a_person_looks_at_is_never_sent_without_review():
    found = [
        judged("price", "price"),
        judged("price", "timing"),
        judged("price", "price", held=True),
        judged("price", "price", 0.4),
        judged("none", "none"),
    ]
    assert measures.sent(found, 0.5) == (0.5, 0.5)


def test_a_wish_for_another_date_is_answered_too():
    assert measures.sent([judged("reschedule", "reschedule"), judged("none", "reschedule")], 0.5) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, 0.0),
        ({"sensitive": (True, False)}, 1.0),
        ({"opt_out": (True, False)}, 1.0),
        ({"sensitive": (False, False), "opt_out": (False, False)}, 0.0),
        ({"answered_in": "en"}, 0.0),
        ({"answered_in": "es"}, 1.0),
        ({"said": "timing", "right": frozenset({"price", "timing"})}, 0.0),
    ],
)
def test_an_answer_is_wrong_for_what_it_misses_as_well(more: dict[str, object], wrong: float):
    assert measures.sent([replace(judged("price", "price"), **more)], 0.5) == (1.0, wrong)


def test_the_unsure_are_counted():
    assert (
        measures.figures([judged("price", "price"), judged("price", "price", unsure=True)])["unsure, left to a person"] == 0.5
    )


def test_the_worst_errors_are_those_that_were_surest():
    found = [judged("price", "timing", 0.5, id="a"), judged("price", "timing", 0.8, id="b"), judged("price", "price", id="c")]
    assert [each.id for each in measures.worst(found, 5)] == ["b", "a"]


def test_every_figure_is_there_for_no_texts_at_all():
    assert set(measures.figures([]).values()) == {0.0}
