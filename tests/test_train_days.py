from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline import train_days
from pipeline.core.records import Address, Business, DateKind, Intent, Message, Rules
from pipeline.edges.model import day_words_of

RULES = Rules(business=Business(name="Bluedoor", sender=Address(address="dana@bluedoor.example"), country="US"))
TUESDAY = datetime(2026, 3, 10, 15, tzinfo=UTC)
SAID = (
    ("please cancel my hour on {}", "cancelled", Intent.CANCEL),
    ("I have moved house, write to me again {}", "return", Intent.CANCEL),
    ("your man came {} and broke the lamp", "past", Intent.CANCEL),
    ("could we make it {} instead", "new_slot", Intent.RESCHEDULE),
    ("we are having a feast {}", "mentioned", Intent.NONE),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def mail(text: str, subject: str = "") -> Message:
    return Message(key="m", subject=subject, text=text, arrived=TUESDAY)


def days() -> list[train_days.Day]:
    return [
        day
        for weekday in WEEKDAYS
        for words, kind, intent in SAID
        for day in train_days.days(mail(words.format(weekday)), intent, [(weekday, kind)], RULES)
    ]


def test_a_labelled_day_teaches_its_purpose_and_another_one_that_it_is_merely_mentioned():
    found = train_days.days(mail("cancel Monday,\nand see you on Friday"), Intent.CANCEL, [("Monday", "cancelled")], RULES)
    assert [train_days.KINDS[day.kind] for day in found] == [DateKind.CANCELLED, DateKind.MENTIONED]


def test_a_day_in_a_subject_teaches_only_if_it_is_labelled():
    said = [("Thursday", "cancelled")]
    found = train_days.days(mail("I can't come", "Re: Thursday"), Intent.CANCEL, said, RULES)
    assert [train_days.KINDS[day.kind] for day in found] == [DateKind.CANCELLED]
    assert train_days.days(mail("I can't come", "Re: Thursday"), Intent.CANCEL, [], RULES) == []


@pytest.mark.parametrize(
    ("pieces", "spans"),
    [
        (["a day"], [(0, 5)]),
        (["a day", "a day", "a day"], [(0, 5), (10, 16), None]),
        (["another"], [None]),
    ],
)
def test_pieces_are_found_where_they_stand_whatever_the_white_space(pieces: list[str], spans: list[tuple[int, int] | None]):
    assert train_days.places("a day and a\n day", pieces) == spans


def test_the_words_around_a_day_say_what_it_is_for():
    learnt = train_days.taught(days())
    assert learnt is not None
    for words, kind, intent in SAID:
        [day] = train_days.days(mail(words.format("Sunday")), intent, [], RULES)
        said = learnt(day.features)
        assert max(said, key=lambda each: said[each]) == kind
        assert sum(said.values()) == pytest.approx(1)


def test_the_same_days_teach_the_same_in_whatever_order_their_features_come():
    turned = [replace(day, features=dict(reversed(day.features.items()))) for day in days()]
    one, two = train_days.learn(days()), train_days.learn(turned)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_what_was_never_seen_is_never_said():
    learnt = day_words_of(train_days.learn([day for day in days() if train_days.KINDS[day.kind] != DateKind.RETURN]))
    assert learnt({"before again": 1.0})[DateKind.RETURN] < 1e-6


def test_days_of_one_kind_or_two_teach_nothing():
    few = [day for day in days() if train_days.KINDS[day.kind] in (DateKind.PAST, DateKind.CANCELLED)]
    assert train_days.learn(few) == {}
    assert train_days.taught(few) is None
