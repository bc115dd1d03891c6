"""What a day is for, by the words around it."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp

import pytest

from pipeline.core.purposes import DayWords, Mention, purposes
from pipeline.core.records import DateKind, Intent

TODAY = date(2026, 3, 10)
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


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("please close our account at the end of march", "at the end of march"),
        ("we terminate the support agreement, effective today", "today"),
        ("take me off friday please", "friday"),
        ("cancel the standing booking because we move on friday", None),
        ("we close on the house on friday", None),
    ],
)
def test_a_day_on_which_something_ends_in_so_many_words_is_that_of_the_ending(text: str, ends: str | None):
    said = ends or "on friday"
    start = text.index(said)
    mention = Mention(start=start, end=start + len(said), day=TODAY + timedelta(days=3))
    never = dict.fromkeys(DateKind, 0.0) | {DateKind.MENTIONED: 1.0}
    found = purposes(text, [mention], 0, Intent.CANCEL, TODAY, lambda asked: never)
    assert found == [DateKind.CANCELLED if ends else DateKind.MENTIONED]
