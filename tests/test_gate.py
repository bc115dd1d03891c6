from __future__ import annotations

import pytest

from pipeline import gate
from pipeline.evaluate.measures import Judged
from pipeline.gate import Standing

OLD = Standing(macro_f1=0.8, recall={"none": 0.9, "price": 0.7})


@pytest.mark.parametrize(
    ("f1", "price", "objections"),
    [
        (0.81, 0.75, 0),
        (0.795, 0.68, 0),  # just what is allowed
        (0.7949, 0.7, 1),
        (0.82, 0.6799, 1),
        (0.7, 0.5, 2),
    ],
)
def test_a_model_may_get_so_much_worse_and_no_more(f1: float, price: float, objections: int):
    assert len(gate.objections(Standing(macro_f1=f1, recall={"none": 0.9, "price": price}), OLD)) == objections


def test_a_reading_that_the_new_model_never_gives_is_an_objection():
    (why,) = gate.objections(Standing(macro_f1=0.8, recall={"none": 0.9}), OLD)
    assert why == "of price 0.0% are found instead of 70.0% (at most 2% less is allowed)"


def test_a_standing_is_stored_and_read_back():
    said = [("price", "price"), ("price", "none"), ("none", "none")]
    judged = [
        Judged(id="j", lang="en", label=label, right=frozenset({label}), hard=False, said=read, confidence=0.9)
        for label, read in said
    ]
    known = gate.standing(judged)
    assert known.recall == {"none": 1.0, "price": 0.5}
    assert gate.read(gate.plain(known)) == known
