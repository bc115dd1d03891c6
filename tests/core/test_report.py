"""The arithmetic of the report: shares with their intervals, returns, waits, bars, alarms."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_facts import END, QUARTER, WEEK, ZONE
from report_facts import facts as shop

from pipeline.config import TRACKS
from pipeline.core.figures import (
    Change,
    Corrected,
    CorrectionFigure,
    EditFigure,
    Facts,
    Figures,
    LetterRules,
    Matter,
    Moment,
    MoneyFigure,
    Period,
    Price,
    Settled,
    TextSent,
)
from pipeline.core.records import Intent, Reason
from pipeline.core.report import _BY_SUBREASON, change, figures, share, shortened, week

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MONTH = Period(start=NOW - 30 * DAY, end=NOW)


def matter(who: str = "maria", before: float = 5, **more: object) -> Matter:
    told: dict[str, object] = {"intent": Intent.CANCEL, "reason": Reason.PRICE, **more}
    return Matter(key=f"{who} {before}", who=who, arrived=NOW - before * DAY, **told)


def made(*matters: Matter, **more: object) -> Figures:
    cancelled = tuple(Moment(who=one.who, at=one.arrived) for one in matters if one.intent is Intent.CANCEL)
    return figures(Facts(matters=matters, **{"cancelled": cancelled, **more}), MONTH, "UTC")


def back(who: str, before: float) -> Moment:
    return Moment(who=who, at=NOW - before * DAY)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [  # Newcombe 1998, table I, method 3, and the closed forms for none and all
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_a_share_has_the_interval_of_wilson(count: int, of: int, low: float, high: float):
    found = share(count, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_always_lies_within_its_interval(pair: tuple[int, int]):
    count, of = pair
    found = share(count, of)
    assert 0 <= found.low <= (count / of if of else 0) + 1e-12
    assert (count / of if of else 1) - 1e-12 <= found.high <= 1


def test_a_share_of_few_is_not_enough_and_one_of_nobody_says_nothing():
    assert [share(1, of).enough for of in (9, 10)] == [False, True]
    assert (share(0, 0).low, share(0, 0).high, share(0, 0).enough) == (0.0, 1.0, False)


def test_of_nothing_there_is_nothing_to_tell():
    found = made()
    assert (found.cancellations, found.customers, found.came_back, found.young) == (0, 0, 0, 0)
    assert (found.reasons, found.alarms, found.money, found.by_text) == ((), (), (), ())
    assert found.answers.median is None
    assert sum(sum(bucket.counts.values()) for bucket in found.buckets) == 0


def test_one_customer_who_came_back_is_one_of_one():
    found = made(matter(before=5), came_back=(back("maria", 3),))
    assert (found.cancellations, found.returned.count, found.returned.of, found.returned.enough) == (1, 1, 1, False)
    assert (found.young, found.came_back) == (0, 1)


def test_a_return_belongs_to_the_cancellation_before_it_and_to_no_other_customer():
    found = made(matter(before=20), matter(before=8), matter("pedro", 9), came_back=(back("maria", 15),))
    assert dict(found.by_reason)["price"].count == 1
    assert (found.returned.count, found.returned.of) == (1, 3)
    late = made(matter(before=20), matter(before=8), came_back=(back("maria", 2),))
    assert late.returned.count == 1


def test_whoever_wrote_before_the_cancellation_did_not_come_back():
    found = made(matter(before=5), came_back=(back("maria", 9),))
    assert (found.returned.count, found.came_back) == (0, 0)


def test_a_return_after_the_period_still_counts_for_its_cancellation_but_not_for_the_period():
    found = made(matter(before=5), came_back=(back("maria", -3),))
    assert (found.returned.count, found.came_back) == (1, 0)


def test_a_customer_who_cancelled_long_ago_and_is_back_now_counts_for_the_period():
    found = made(cancelled=(back("maria", 90),), came_back=(back("maria", 3),))
    assert (found.cancellations, found.came_back) == (0, 1)


def test_who_cancels_again_was_not_loyal():
    stays = made(matter(before=20), came_back=(back("maria", 15),))
    leaves = made(matter(before=20), matter(before=8), came_back=(back("maria", 15),))
    assert [(one.loyal.count, one.loyal.of) for one in (stays, leaves)] == [(1, 1), (0, 1)]


def test_those_who_may_still_come_back_are_counted():
    found = figures(
        Facts(matters=(matter("a", 40), matter("b", 20), matter("c", 10)), came_back=(back("c", 5),)), QUARTER, "UTC"
    )
    assert found.young == 1


def test_asking_for_another_date_is_no_cancellation():
    found = made(matter(), matter("pedro", intent=Intent.RESCHEDULE, reason=None))
    assert (found.cancellations, found.other_date.count, found.other_date.of) == (1, 1, 2)


def test_half_had_their_answer_by_the_median_and_nine_of_ten_by_the_slow_one():
    waits = [matter(f"c{n}", answered=NOW - 5 * DAY + n * MINUTE) for n in range(1, 11)]
    found = made(*waits, matter("late"), matter("old", old=True, answered=NOW)).answers
    assert (found.answered, found.waiting) == (10, 1)
    assert (found.median, found.slow) == (5.5 * MINUTE, 9 * MINUTE)


def test_an_answer_is_never_earlier_than_its_mail():
    found = made(matter(answered=NOW - 6 * DAY)).answers
    assert found.median == found.slow == timedelta()


@pytest.mark.parametrize(("days", "length", "count"), [(1, 1, 1), (14, 1, 14), (15, 7, 3), (126, 7, 18), (365, 28, 14)])
def test_bars_are_of_days_weeks_or_four_weeks(days: int, length: int, count: int):
    midnight = datetime.combine(NOW.date(), time(), UTC)
    period = Period(start=midnight - days * DAY, end=midnight)
    found = figures(Facts(), period, "UTC")
    assert (found.bucket_days, len(found.buckets)) == (length, count)
    assert found.buckets[-1].day == period.end.date() - length * DAY


def test_every_cancellation_stands_in_the_bar_of_its_day_by_the_clock_of_the_business():
    late = datetime(2026, 11, 21, 3, tzinfo=UTC)  # still the 20th in New York
    period = Period(start=END - 7 * DAY, end=END)
    found = figures(Facts(matters=(replace(matter(), arrived=late),)), period, ZONE)
    assert {bucket.day: bucket.counts for bucket in found.buckets if bucket.counts} == {date(2026, 11, 20): {Reason.PRICE: 1}}
    assert [bucket.day.day for bucket in found.buckets] == [16, 17, 18, 19, 20, 21, 22]


@given(st.integers(1, 500), st.lists(st.integers(0, 999), max_size=20))
def test_no_cancellation_is_lost_from_the_bars(days: int, places: list[int]):
    period = Period(start=NOW - days * DAY, end=NOW)
    matters = tuple(replace(matter(str(n)), arrived=period.start + days * place * DAY / 1000) for n, place in enumerate(places))
    found = figures(Facts(matters=matters), period, "Europe/Madrid")
    assert sum(sum(bucket.counts.values()) for bucket in found.buckets) == len(places) == found.cancellations


def test_every_subreason_says_whether_it_can_be_changed():
    assert set(_BY_SUBREASON) == TRACKS - set(Reason)


@pytest.mark.parametrize(
    ("reason", "finer", "told"),
    [
        (Reason.PRICE, None, Change.CAN),
        (Reason.SERVICE, "late", Change.CAN),
        (Reason.PRICE, "hardship", Change.CANNOT),
        (Reason.OTHER, "moved", Change.CANNOT),
        (Reason.OTHER, None, Change.UNKNOWN),
        (Reason.UNSPECIFIED, None, Change.UNKNOWN),
    ],
)
def test_the_finer_reason_decides_what_can_be_changed(reason: Reason, finer: str | None, told: Change):
    assert change(reason, finer) is told


def test_texts_count_for_who_came_back_after_them():
    one, two = matter("maria", 20, tracks=("price",)), matter("pedro", 20, tracks=("price",))
    texts = (
        TextSent(template="price", matter=one.key, at=NOW - 20 * DAY),
        TextSent(template="price_1", matter=one.key, at=NOW - 15 * DAY),
        TextSent(template="price_1.2", matter=two.key, at=NOW - 15 * DAY),
        TextSent(template="price_2", matter=one.key, at=NOW - 5 * DAY),  # she was back before it
    )
    found = made(one, two, texts=texts, came_back=(back("maria", 10),))
    assert [(name, part.count, part.of) for name, part in found.by_text] == [
        ("price", 1, 1),
        ("price_1", 1, 1),
        ("price_1.2", 0, 1),
    ]
    assert [(name, part.count, part.of) for name, part in found.by_track] == [("price", 1, 2)]


def test_money_is_told_for_each_currency_and_only_where_prices_are_known():
    usd, eur = Price(amount=Decimal("60.10"), currency="USD"), Price(amount=Decimal("45"), currency="EUR")
    found = made(matter("a", price=usd), matter("b", price=usd), matter("c", price=eur), matter("d"), came_back=(back("b", 1),))
    assert found.money == (
        MoneyFigure(currency="EUR", lost=Decimal("45"), won_back=Decimal("0"), known=1),
        MoneyFigure(currency="USD", lost=Decimal("60.10"), won_back=Decimal("60.10"), known=2),
    )


def test_a_price_without_a_currency_is_in_that_of_the_business():
    bare = Price(amount=Decimal("45"), currency="")
    facts = Facts(matters=(matter("a", price=bare), matter("b", price=replace(bare, currency="EUR"))))
    (found,) = figures(facts, MONTH, "UTC", "EUR").money
    assert (found.currency, found.lost, found.known) == ("EUR", Decimal("90"), 2)


def test_edits_and_corrections_are_counted():
    settled = (
        Settled(template="price", automatic=True),
        Settled(template="price"),
        Settled(template="service", edited=True),
        Settled(template="service", rejected=True),
    )
    corrected = (Corrected(was="price", became="service"),) * 2 + (Corrected(was="timing", became="timing"),)
    found = made(settled=settled, corrected=corrected)
    assert found.automatic == 1
    assert found.drafts == EditFigure(template="", as_it_was=1, edited=1, rejected=1)
    assert [(one.template, one.edited, one.rejected) for one in found.edits] == [("service", 1, 1), ("price", 0, 0)]
    assert found.corrections == (CorrectionFigure(was="price", became="service", count=2),)


def late(who: str, before: float = 4, **more: object) -> Matter:
    return matter(who, before, **{"reason": Reason.SERVICE, "subreason": "late", **more})


def test_an_alarm_needs_three_customers_and_more_than_half():
    others = [matter(f"x{n}", reason=Reason.SERVICE) for n in range(3)]
    assert made(late("a"), late("b")).alarms == ()
    assert made(late("a"), late("b"), late("c"), *others).alarms == ()
    (found,) = made(late("a"), late("b"), late("c"), late("d"), *others[:2]).alarms
    assert (found.reason, found.subreason, found.count, found.of, found.days) == (Reason.SERVICE, "late", 4, 6, 10)


def test_one_customer_alone_raises_no_alarm_however_often_they_write():
    assert made(*(late("a", before) for before in (1, 2, 3, 4))).alarms == ()


def test_what_is_long_past_or_can_not_be_changed_raises_no_alarm():
    assert made(*(late(who, 11) for who in "abcd")).alarms == ()
    assert made(*(matter(who, reason=Reason.OTHER, subreason="moved") for who in "abcd")).alarms == ()


def test_an_alarm_looks_back_further_than_a_short_period():
    week_only = Period(start=NOW - 7 * DAY, end=NOW)
    matters = (late("a", 9), late("b", 8), late("c", 1))
    found = figures(Facts(matters=matters), week_only, "UTC")
    assert (found.cancellations, len(found.alarms)) == (1, 1)


def test_quotes_are_the_newest_words_one_a_customer():
    told = [late(who, before, words=("Cancel.", f"{who} waited {before}")) for who, before in (("a", 9), ("a", 2), ("b", 5))]
    (found,) = made(*told).reasons
    assert [quote.text for quote in found.quotes] == ["a waited 2", "b waited 5"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Too  dear\nfor me.", "Too dear for me."),
        ("Write to ann@post.example, please.", "Write to … please."),
        ("See https://shop.example/x?y=1 for it", "See … for it"),
        ("Call +1 (555) 010-0100 or 612 34 56 78.", "Call … or …."),
        ("55 instead of 40 at 15:30", "55 instead of 40 at 15:30"),
    ],
)
def test_a_quote_shows_no_address_link_or_telephone_number(words: str, shown: str):
    assert shortened(words) == shown


def test_a_long_quote_ends_at_a_word():
    found = shortened("word " * 60)
    assert len(found) <= 142
    assert found.endswith("word …")


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-23T11:59:00+00:00", "2026-11-16"),  # Monday, one minute before seven in New York
        ("2026-11-23T12:00:00+00:00", "2026-11-23"),
        ("2026-11-25T12:00:00+00:00", "2026-11-23"),
        ("2026-11-30T04:59:00+00:00", "2026-11-23"),
    ],
)
def test_the_week_of_a_letter_ends_before_its_morning(now: str, ends: str):
    found = week(LetterRules(), ZONE, datetime.fromisoformat(now))
    assert found.end.isoformat().startswith(ends)
    assert found.end - found.start == 7 * DAY


def test_a_week_in_which_the_clocks_change_has_seven_days_all_the_same():
    found = week(LetterRules(day=1), ZONE, datetime(2026, 11, 4, 15, tzinfo=UTC))
    assert (found.start.isoformat(), found.end.isoformat()) == ("2026-10-27T00:00:00-04:00", "2026-11-03T00:00:00-05:00")


def test_the_order_of_the_facts_changes_nothing():
    told = shop()
    mixed = list(told.matters)
    random.Random(7).shuffle(mixed)
    again = replace(told, matters=tuple(mixed), came_back=told.came_back[::-1], texts=told.texts[::-1])
    assert figures(again, QUARTER, ZONE) == figures(told, QUARTER, ZONE)
    assert figures(shop(WEEK), WEEK, ZONE).alarms == figures(told, QUARTER, ZONE).alarms
