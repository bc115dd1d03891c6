from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.core import followups
from pipeline.core.records import (
    Address,
    Appointment,
    AppointmentRules,
    Business,
    Case,
    ContactState,
    DateKind,
    FollowUpRules,
    FoundDate,
    History,
    Intent,
    Reason,
    Rules,
    Sensitive,
    Touch,
    Verdict,
)

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 11:00 in Madrid
DAY = timedelta(days=1)
MARIA = Address(name="Maria Lopez", address="maria@example.org")
TRACKS = {
    "price": (
        Touch(after=timedelta(days=5), template="price_1"),
        Touch(after=timedelta(days=30), template="price_2"),
        Touch(after=timedelta(days=90), template="price_3"),
    ),
    "timing": (
        Touch(after=timedelta(days=2), template="timing_1"),
        Touch(after=timedelta(days=14), template="timing_2", own_date=True),
    ),
    "competitor": (Touch(after=timedelta(days=60), template="competitor_1"),),
}
RULES = Rules(
    business=Business(name="Bluedoor", sender=Address(address="dana@bluedoor.example"), timezone="Europe/Madrid"),
    follow_ups=FollowUpRules(quiet_from=time(18), quiet_to=time(9), tracks=TRACKS),
)
CASE = Case(
    message="m1",
    recipient=MARIA,
    message_id="<a@b>",
    thread=(),
    subject="Cancel",
    text="Too dear",
    sent=MONDAY,
    language="en",
    reason=Reason.PRICE,
)
HISTORY = History(address=MARIA.key, known=True, case="m1", acknowledged=MONDAY - timedelta(days=40))


def cancelled(reason: Reason = Reason.PRICE, **more: object) -> Verdict:
    return Verdict(intent=Intent.CANCEL, reason=reason, **more)


def wished(day: date, kind: DateKind = DateKind.RETURN) -> FoundDate:
    return FoundDate(text="then", day=day, kind=kind, start=0, end=4)


def step(number: int = 1, due: datetime = MONDAY) -> followups.FollowUp:
    return replace(followups.steps("m1", MARIA, cancelled(), RULES, MONDAY)[number - 1], due=due)


def days(found: tuple[followups.FollowUp, ...]) -> list[date]:
    return [one.due.date() for one in found]


def test_a_track_becomes_dated_steps_on_working_days():
    # 28 November is a Saturday, so the first touch waits for Monday; 23 December and 21 February follow the same rule.
    assert days(followups.steps("m1", MARIA, cancelled(), RULES, MONDAY)) == [
        date(2026, 11, 30),
        date(2026, 12, 23),
        date(2027, 2, 22),
    ]


def test_the_same_case_gives_the_same_keys():
    first = followups.steps("m1", MARIA, cancelled(), RULES, MONDAY)
    again = followups.steps("m1", MARIA, cancelled(), RULES, MONDAY)
    assert [one.key for one in first] == [one.key for one in again]
    assert len({one.key for one in first}) == 3


def test_no_more_touches_than_allowed():
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, max_touches=1))
    assert len(followups.steps("m1", MARIA, cancelled(), rules, MONDAY)) == 1


@pytest.mark.parametrize("kind", list(Sensitive))
def test_nobody_in_trouble_is_followed_up(kind: Sensitive):
    assert followups.steps("m1", MARIA, cancelled(sensitive=kind), RULES, MONDAY) == ()


@pytest.mark.parametrize("subreason", sorted(followups.ENDED))
def test_what_has_ended_is_not_followed_up(subreason: str):
    assert followups.steps("m1", MARIA, cancelled(subreason=subreason), RULES, MONDAY) == ()


def test_who_opts_out_is_not_followed_up():
    assert followups.steps("m1", MARIA, cancelled(opt_out=True), RULES, MONDAY) == ()


def test_a_sub_reason_with_its_own_track_comes_first():
    found = followups.steps("m1", MARIA, cancelled(Reason.OTHER, subreason="competitor"), RULES, MONDAY)
    assert [one.template for one in found] == ["competitor_1"]


def test_a_reason_without_a_track_starts_none():
    assert followups.steps("m1", MARIA, cancelled(Reason.OTHER), RULES, MONDAY) == ()


def test_the_customers_own_date_beats_the_cadence():
    verdict = cancelled(Reason.TIMING, dates=(wished(date(2027, 3, 1)),))
    found = followups.steps("m1", MARIA, verdict, RULES, MONDAY)
    # Nothing before the date that the customer named, and the touch for it on that very morning.
    assert days(found) == [date(2027, 3, 1)]
    assert found[0].template == "timing_2"
    assert found[0].due.astimezone(ZoneInfo("Europe/Madrid")).time() == time(9)


def test_a_date_of_the_customers_moves_the_whole_track_and_keeps_its_distances():
    verdict = cancelled(dates=(wished(date(2027, 3, 1)),))
    found = followups.steps("m1", MARIA, verdict, RULES, MONDAY)
    assert days(found) == [date(2027, 3, 1), date(2027, 3, 26), date(2027, 5, 25)]


def test_touches_keep_their_distance_from_an_answer_that_waited_for_a_rep():
    late = replace(HISTORY, acknowledged=MONDAY - timedelta(days=1))
    assert followups.judge(step(), CASE, late, RULES, MONDAY)[:2] == ("move", datetime(2026, 11, 27, 9, 0, tzinfo=UTC))


def test_a_date_of_the_customers_stands_however_late_our_answer_was():
    late = replace(HISTORY, acknowledged=MONDAY - timedelta(days=1))
    assert followups.judge(step(), replace(CASE, wished=MONDAY.date()), late, RULES, MONDAY)[0] == "go"


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2031, 1, 1)])
def test_a_date_in_the_past_or_absurdly_far_changes_nothing(day: date):
    verdict = cancelled(Reason.TIMING, dates=(wished(day),))
    assert days(followups.steps("m1", MARIA, verdict, RULES, MONDAY)) == [date(2026, 11, 25), date(2026, 12, 7)]


def test_who_wants_to_hear_from_us_in_years_is_left_in_peace_till_then():
    verdict = cancelled(Reason.TIMING, dates=(wished(date(2028, 11, 23)),))
    assert followups.steps("m1", MARIA, verdict, RULES, MONDAY) == ()


def test_the_cancelled_appointment_is_no_date_to_come_back():
    verdict = cancelled(Reason.TIMING, dates=(wished(date(2027, 3, 1), DateKind.CANCELLED),))
    assert days(followups.steps("m1", MARIA, verdict, RULES, MONDAY))[0] == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2026-11-23T10:00", "2026-11-23T10:00"),  # Monday, open
        ("2026-11-23T06:00", "2026-11-23T09:00"),  # too early
        ("2026-11-23T18:00", "2026-11-24T09:00"),  # the evening begins at 18:00 sharp
        ("2026-11-27T20:00", "2026-11-30T09:00"),  # Friday night waits for Monday
        ("2027-03-28T02:30", "2027-03-29T09:00"),  # the hour that the clocks leave out, on a Sunday
    ],
)
def test_touches_keep_to_business_hours(local: str, opens: str):
    zone = ZoneInfo("Europe/Madrid")
    got = followups.allowed(datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC), RULES)
    assert got.astimezone(zone).replace(tzinfo=None) == datetime.fromisoformat(opens)


def test_quiet_hours_after_midnight_leave_the_rest_of_the_day():
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, quiet_from=time(0), quiet_to=time(8)))
    late = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    assert followups.allowed(late, rules) == late


def test_a_due_step_goes():
    assert followups.judge(step(), CASE, HISTORY, RULES, MONDAY) == ("go", None, "")


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        (replace(HISTORY, suppressed="opt_out"), "suppressed"),
        (replace(HISTORY, case=None), "case_closed"),
        (replace(HISTORY, case="another"), "case_closed"),
        (replace(HISTORY, touches=3), "enough_touches"),
    ],
)
def test_a_due_step_is_dropped_with_its_cause(history: History, cause: str):
    assert followups.judge(step(), CASE, history, RULES, MONDAY) == ("drop", None, cause)


def test_without_a_reason_there_is_one_thanks_note_only():
    case = replace(CASE, reason=Reason.UNSPECIFIED)
    assert followups.judge(step(1), case, HISTORY, RULES, MONDAY)[0] == "go"
    assert followups.judge(step(2), case, HISTORY, RULES, MONDAY) == ("drop", None, "reason_unknown")


def test_no_touch_before_the_acknowledgment():
    waiting = replace(HISTORY, acknowledged=None)
    verdict, later, _ = followups.judge(step(), CASE, waiting, RULES, MONDAY)
    assert (verdict, later) == ("move", MONDAY + timedelta(days=1))


def test_an_acknowledgment_that_never_came_ends_the_steps():
    waiting = replace(HISTORY, acknowledged=None)
    later = MONDAY + timedelta(days=5 + 14, hours=1)
    moved_again_and_again = step(due=later)
    assert followups.judge(moved_again_and_again, CASE, waiting, RULES, later) == ("drop", None, "never_acknowledged")
    assert followups.judge(moved_again_and_again, CASE, waiting, RULES, later - 2 * DAY)[0] == "move"


def test_patience_with_review_counts_from_when_a_touch_was_meant_to_come():
    waiting, later = replace(HISTORY, acknowledged=None), MONDAY + timedelta(days=30)
    wishes = replace(CASE, wished=(MONDAY + timedelta(days=20)).date())
    old_mail = replace(CASE, opened=MONDAY + timedelta(days=20))
    assert followups.judge(step(due=later), wishes, waiting, RULES, later)[0] == "move"
    assert followups.judge(step(due=later), old_mail, waiting, RULES, later)[0] == "move"
    assert followups.judge(step(due=later), CASE, waiting, RULES, later)[0] == "drop"


def test_touches_rest_for_three_days():
    recent = replace(HISTORY, last_touch=MONDAY - timedelta(days=1))
    verdict, later, _ = followups.judge(step(), CASE, recent, RULES, MONDAY)
    assert (verdict, later) == ("move", MONDAY + timedelta(days=2))


def test_a_touch_that_is_due_at_night_waits_for_the_morning():
    night = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    assert followups.judge(step(), CASE, HISTORY, RULES, night)[:2] == ("move", datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


THANKS = Touch(after=3 * DAY, template="thanks")


def firm(reason: Reason, **more: object) -> Verdict:
    return Verdict(intent=Intent.CANCEL, reason=reason, firm=True, **more)


def with_thanks(**more: object) -> Rules:
    return replace(RULES, follow_ups=replace(RULES.follow_ups, thanks=THANKS, **more))


def texts(verdict: Verdict, rules: Rules) -> list[str]:
    return [step.template for step in followups.steps("case", MARIA, verdict, rules, MONDAY)]


def test_who_is_firm_is_thanked_before_anything_else_and_hears_no_more_than_before():
    plain = texts(replace(firm(Reason.PRICE), firm=False), with_thanks())
    thanked = texts(firm(Reason.PRICE), with_thanks())
    assert thanked[0] == "thanks"
    assert thanked[1:] == plain[: len(thanked) - 1]
    assert len(thanked) <= RULES.follow_ups.max_touches


def test_a_complaint_and_who_gave_no_reason_are_thanked_in_their_own_way():
    for reason in (Reason.SERVICE, Reason.UNSPECIFIED):
        assert "thanks" not in texts(firm(reason), with_thanks())


def test_no_thanks_come_before_the_customers_own_date():
    later = FoundDate(text="in March", day=date(2027, 3, 1), kind=DateKind.RETURN, start=0, end=8)
    assert "thanks" not in texts(firm(Reason.PRICE, dates=(later,)), with_thanks())


def test_greetings_have_their_own_rhythm_and_end():
    greetings = (Touch(after=30 * DAY, template="greeting"), Touch(after=90 * DAY, template="greeting"))
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, greetings=greetings))
    first, second = (followups.greeting(CASE, number, MONDAY, rules) for number in (1, 2))
    assert first is not None
    assert second is not None
    assert MONDAY + 30 * DAY <= first.due < MONDAY + 34 * DAY
    assert MONDAY + 90 * DAY <= second.due < MONDAY + 94 * DAY
    assert first.key != second.key
    assert followups.greeting(CASE, 3, MONDAY, rules) is None
    assert followups.greeting(CASE, 1, MONDAY, RULES) is None


def booked(at: datetime) -> Appointment:
    return Appointment(key="a", address=MARIA.key, start=at)


AROUND = replace(RULES, appointments=AppointmentRules(prepare_before=2 * DAY))


def test_something_useful_comes_so_long_before_the_new_date():
    step = followups.connecting(CASE, booked(MONDAY + 10 * DAY), AROUND, MONDAY)
    assert step is not None
    assert MONDAY + 8 * DAY <= step.due < MONDAY + 10 * DAY


def test_when_the_new_date_is_near_it_comes_at_once_or_not_at_all():
    assert followups.connecting(CASE, booked(MONDAY + DAY), AROUND, MONDAY) is not None
    assert followups.connecting(CASE, booked(MONDAY + timedelta(hours=1)), AROUND, MONDAY) is None
    assert followups.connecting(CASE, booked(MONDAY + 10 * DAY), RULES, MONDAY) is None


def connecting_judged(*known: Appointment, now: datetime) -> tuple[str, datetime | None, str]:
    step = followups.connecting(CASE, booked(MONDAY + 10 * DAY), AROUND, MONDAY)
    assert step is not None
    return followups.judge(step, CASE, History(appointments=known), AROUND, now)


def test_before_it_goes_the_date_is_looked_at_again():
    near = MONDAY + 8 * DAY
    assert connecting_judged(booked(MONDAY + 10 * DAY), now=near)[0] == "go"
    assert connecting_judged(booked(MONDAY + 20 * DAY), now=near)[0] == "move"
    assert connecting_judged(now=near) == ("drop", None, "no_new_date")
    assert connecting_judged(booked(near + timedelta(hours=1)), now=near) == ("drop", None, "no_new_date")


def test_who_has_woken_is_not_greeted():
    greetings = (Touch(after=30 * DAY, template="greeting"),)
    rules = replace(RULES, follow_ups=replace(RULES.follow_ups, greetings=greetings))
    step = followups.greeting(CASE, 1, MONDAY, rules)
    assert step is not None
    asleep = History(case=CASE.message, state=ContactState.HIBERNATING, acknowledged=MONDAY, touches=3, last_touch=MONDAY)
    assert followups.judge(step, CASE, asleep, rules, step.due)[0] == "go"
    awake = replace(asleep, state=ContactState.ACTIVE)
    assert followups.judge(step, CASE, awake, rules, step.due) == ("drop", None, "awake")
