"""What a day is for, by the words around it."""

from __future__ import annotations

from math import exp

import pytest

from pipeline.core.purposes import DayWords
from pipeline.core.records import DateKind

KINDS = (DateKind.CANCELLED, DateKind.RETURN)
WORDS = DayWords(kinds=KINDS, weights={"before on": (2.0, -1.0), "after back": (-1.0, 4.0)}, bias=(0.5, 0.0))


def test_words_count_by_their_weight_and_as_much_as_they_are_near():
    said = WORDS({"before on": 1.0, "after back": 0.5, "never heard of": 1.0})
    cancelled, back = exp(0.5 + 2.0 - 0.5), exp(-1.0 + 2.0)
    assert said == {
        DateKind.CANCELLED: pytest.approx(cancelled / (cancelled + back)),
        DateKind.RETURN: pytest.approx(back / (cancelled + back)),
    }


def test_of_no_known_word_the_bias_alone_speaks():
    assert WORDS({})[DateKind.CANCELLED] == pytest.approx(exp(0.5) / (exp(0.5) + 1))
