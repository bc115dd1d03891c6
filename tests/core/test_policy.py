"""What a cancellation costs is computed to the cent, told with its arithmetic, and never guessed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core import policy_words
from pipeline.core.policy import OURS, Advice, Cancellation, Figures, advise, cause_of, rounded, version
from pipeline.core.records import Booking, Charge, Costs, Intent, Package, Policy, Reason, Sensitive, Verdict

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def percent(share: int | str, within: timedelta | None = None) -> Charge:
    return Charge(percent=Decimal(share), within=within)


def amount(money: str, within: timedelta | None = None) -> Charge:
    return Charge(amount=Decimal(money), within=within)


SALON = Policy(
    currency="USD",
    notice=DAY,
    fees=(percent(50, DAY), percent(100, timedelta(0))),
    grace=1,
    exceptions=frozenset({"illness", "emergency"}),
)
CATERER = Policy(
    currency="EUR",
    notice=30 * DAY,
    fees=(percent(30, 30 * DAY), percent(50, 14 * DAY), percent(100, 5 * DAY)),
    cap=percent(100),
    deposit=percent(25, 90 * DAY),
    costs=Costs.COVERED,
    exceptions=frozenset({"bereavement"}),
)
COACH = Policy(
    currency="USD",
    notice=DAY,
    exceptions=frozenset({"illness"}),
    packages={"ten": Package(sessions=10, price=Decimal(1000), extend=timedelta(minutes=5))},
)


def advised(
    policy: Policy,
    *,
    before: timedelta = 5 * HOUR,
    price: str = "80",
    paid: str = "0",
    spent: str = "0",
    late_before: int | None = 1,
    cause: str | None = "work",
) -> Advice:
    booking = Booking(
        price=Decimal(price), paid=Decimal(paid), spent=Decimal(spent), start=NOW + before, package="", sessions_left=None
    )
    return advise(policy, booking, Cancellation(at=NOW, late_before=late_before, cause=cause))


def session(policy: Policy = COACH, *, left: int | None = 6, before: timedelta = 5 * HOUR, cause: str = "work") -> Advice:
    booking = Booking(package="ten", sessions_left=left, start=NOW + before)
    return advise(policy, booking, Cancellation(at=NOW, late_before=0, cause=cause))


def money(advice: Advice) -> tuple[str, ...]:
    return tuple(str(figure) for figure in (advice.charge, advice.refund, advice.credit))


def told(advice: Advice, language: str = "en") -> list[str]:
    return list(policy_words.sentences(advice.lines, advice.currency, language))


def test_a_late_cancellation_costs_the_fee_of_its_window():
    advice = advised(SALON)
    assert money(advice) == ("40.00", "0.00", "0.00")
    assert (advice.section, advice.unknown) == ("fees", ())


def test_who_keeps_to_the_notice_pays_nothing_and_gets_back_what_was_paid():
    advice = advised(SALON, before=DAY, paid="20")
    assert money(advice) == ("0.00", "20.00", "0.00")
    assert advice.section == "notice"


def test_a_minute_less_than_the_notice_is_late():
    assert money(advised(SALON, before=DAY - timedelta(minutes=1)))[0] == "40.00"


def test_who_does_not_come_pays_the_row_without_time():
    assert money(advised(SALON, before=-HOUR))[0] == "80.00"
    assert money(advised(SALON, before=timedelta(0)))[0] == "40.00"


def test_what_was_paid_is_taken_off_and_the_rest_goes_back():
    assert money(advised(SALON, paid="15")) == ("25.00", "0.00", "0.00")
    assert money(advised(SALON, paid="40")) == ("0.00", "0.00", "0.00")
    assert money(advised(SALON, paid="60")) == ("0.00", "20.00", "0.00")


@pytest.mark.parametrize(
    ("currency", "price", "share", "fee"),
    [
        ("USD", "33.33", "50", "16.67"),  # 16.665: half a cent goes up
        ("USD", "0.01", "50", "0.01"),
        ("EUR", "99.99", "33.333333", "33.33"),
        ("JPY", "4999", "50", "2500"),
        ("KWD", "10.005", "50", "5.003"),
        ("CLF", "1.00010", "50", "0.5001"),
    ],
)
def test_money_is_rounded_half_up_to_the_minor_unit(currency: str, price: str, share: str, fee: str):
    policy = Policy(currency=currency, notice=DAY, fees=(percent(share, DAY),))
    assert money(advised(policy, price=price))[0] == fee


def test_amounts_finer_than_the_currency_are_rounded_before_anything_is_computed():
    policy = Policy(currency="JPY", notice=DAY, fees=(amount("1000.5", DAY),))
    assert money(advised(policy, paid="400.4")) == ("601", "0", "0")


def test_a_fee_is_at_least_the_minimum_and_never_more_than_the_cap():
    policy = replace(SALON, minimum=amount("10"), cap=amount("60"))
    assert money(advised(policy, price="12"))[0] == "10.00"
    assert money(advised(policy, price="80"))[0] == "40.00"
    assert money(advised(policy, price="500"))[0] == "60.00"
    assert [advised(policy, price=price).section for price in ("12", "120", "500")] == ["fees", "fees", "cap"]


def test_a_free_window_has_no_minimum():
    policy = replace(SALON, fees=(percent(0, DAY),), minimum=amount("10"))
    assert money(advised(policy)) == ("0.00", "0.00", "0.00")


def test_the_higher_of_two_rows_counts_so_that_shares_and_amounts_may_be_mixed():
    policy = replace(SALON, fees=(amount("30", DAY), percent(50, 6 * HOUR)))
    assert money(advised(policy, price="40"))[0] == "30.00"
    assert money(advised(policy, price="100"))[0] == "50.00"


def test_a_deposit_is_kept_as_far_as_it_was_paid():
    kept = {"before": 60 * DAY, "price": "1000"}
    assert money(advised(CATERER, paid="250", **kept)) == ("0.00", "0.00", "0.00")
    assert money(advised(CATERER, paid="400", **kept)) == ("0.00", "150.00", "0.00")
    assert money(advised(CATERER, paid="100", **kept)) == ("0.00", "0.00", "0.00")
    assert money(advised(CATERER, paid="250", price="1000", before=90 * DAY)) == ("0.00", "250.00", "0.00")


def test_part_of_what_was_paid_goes_back_near_the_date():
    policy = Policy(currency="USD", notice=7 * DAY, refunds=(percent(50, 7 * DAY), amount("10", DAY)))
    assert money(advised(policy, before=8 * DAY, paid="90")) == ("0.00", "90.00", "0.00")
    assert money(advised(policy, before=3 * DAY, paid="90")) == ("0.00", "45.00", "0.00")
    assert money(advised(policy, before=HOUR, paid="90")) == ("0.00", "10.00", "0.00")
    assert money(advised(policy, before=HOUR, paid="4")) == ("0.00", "2.00", "0.00")
    assert money(advised(policy, before=HOUR, paid="0")) == ("0.00", "0.00", "0.00")


@pytest.mark.parametrize(
    ("costs", "spent", "charge", "section"),
    [
        (Costs.OURS, "70", "40.00", "fees"),
        (Costs.COVERED, "70", "70.00", "costs"),
        (Costs.COVERED, "30", "40.00", "fees"),
        (Costs.ADDED, "30", "70.00", "fees"),
        (Costs.ADDED, "0", "40.00", "fees"),
    ],
)
def test_money_already_spent_is_ours_covered_or_added(costs: Costs, spent: str, charge: str, section: str):
    advice = advised(replace(SALON, costs=costs), spent=spent)
    assert (str(advice.charge), advice.section) == (charge, section)


def test_money_already_spent_counts_in_good_time_too():
    assert money(advised(replace(SALON, costs=Costs.ADDED), before=9 * DAY, spent="12"))[0] == "12.00"


def test_several_demands_do_not_add_up():
    advice = advised(CATERER, before=10 * DAY, price="1000", paid="250", spent="300")
    assert money(advice) == ("250.00", "0.00", "0.00")
    assert told(advice)[-2:] == [
        "Only the highest of these counts: 500.00 EUR.",
        "To charge: 500.00 EUR − 250.00 EUR already paid = 250.00 EUR.",
    ]


def test_the_first_time_is_let_go_and_it_is_said_what_comes_next():
    advice = advised(SALON, paid="20", late_before=0)
    assert money(advice) == ("0.00", "20.00", "0.00")
    assert (advice.section, advice.next_section) == ("grace", "fees")
    assert "The same would cost 40.00 USD next time." in told(advice)


def test_something_unforeseeable_brings_a_new_date_or_part_of_the_money_as_credit():
    advice = advised(CATERER, before=2 * DAY, price="1000", paid="1000", cause="bereavement")
    assert money(advice) == ("0.00", "0.00", "500.00")
    assert (advice.new_date, advice.section) == (True, "exceptions")
    assert "First offer a new date; the 1,000.00 EUR already paid counts in full." in told(advice)


def test_a_new_date_is_offered_even_where_no_amount_is_known():
    unpriced = Booking(start=NOW + HOUR, package="")
    assert advise(CATERER, unpriced, Cancellation(at=NOW, cause="bereavement")).new_date is True
    assert advise(CATERER, unpriced, Cancellation(at=NOW, cause=None)).new_date is False
    assert advise(CATERER, unpriced, Cancellation(at=NOW, cause="work")).new_date is False


def test_an_exception_gives_back_what_the_rule_would_have_given_back():
    advice = advised(CATERER, before=10 * DAY, price="1000", paid="800", cause="bereavement")
    assert money(advice) == ("0.00", "300.00", "250.00")


def test_an_exception_asks_for_nothing_that_was_not_paid():
    advice = advised(replace(SALON, new_date=False, credit=Decimal(0)), cause="illness")
    assert money(advice) == ("0.00", "0.00", "0.00")
    assert advice.new_date is False


def test_what_we_call_off_ourselves_costs_the_customer_nothing():
    advice = advised(CATERER, before=HOUR, price="1000", paid="600", spent="300", cause=OURS)
    assert money(advice) == ("0.00", "600.00", "0.00")
    assert advice.section == "ours"


def test_a_late_session_of_a_package_is_used_up_and_the_others_become_longer():
    advice = session()
    assert (advice.forfeited, advice.extended, advice.extra) == (1, 5, timedelta(minutes=5))
    assert money(advice) == ("0.00", "0.00", "0.00")
    assert told(advice)[-1] == "Sessions left: 6 − 1 = 5; as goodwill each becomes 5 minutes longer."


def test_a_session_called_off_in_time_stays_in_the_package():
    assert (session(before=DAY).forfeited, session(before=DAY).extended) == (0, 0)


def test_the_last_session_leaves_none_to_make_longer():
    advice = session(left=1)
    assert (advice.forfeited, advice.extended, advice.extra) == (1, 0, timedelta(0))


def test_an_illness_or_the_first_time_uses_up_no_session():
    assert session(cause="illness").forfeited == 0
    assert "The session stays in the package." in told(session(cause="illness"))
    assert "The session stays in the package." in told(session(replace(COACH, grace=1)))
    assert session(replace(COACH, grace=1)).forfeited == 0
    assert session(replace(COACH, grace=1)).next_section == "packages"


def test_without_the_number_left_a_forfeited_session_is_still_certain():
    advice = session(left=None)
    assert (advice.forfeited, advice.extended, advice.extra) == (1, None, None)
    assert advice.unknown == ("sessions_left",)


def test_a_package_may_use_up_more_than_are_left():
    policy = replace(COACH, packages={"ten": Package(sessions=10, forfeit=2)})
    assert session(policy, left=1).forfeited == 1
    assert session(policy, left=None).forfeited is None


def test_an_unknown_package_or_currency_is_said_not_guessed():
    advice = advise(COACH, Booking(package="twenty"), Cancellation())
    assert (advice.unknown, advice.forfeited, advice.charge) == (("package_name",), None, None)
    advice = advise(SALON, Booking(currency="EUR", price=Decimal(10)), Cancellation())
    assert (advice.unknown, advice.charge) == (("currency",), None)
    assert told(advice)[0] == "The booking is in another currency than the policy: nothing is computed."


def test_with_nothing_known_every_question_is_asked_and_no_figure_given():
    advice = advise(replace(SALON, costs=Costs.COVERED), Booking(), Cancellation())
    assert advice.unknown == ("start", "at", "price", "paid", "spent", "late_before", "cause")
    assert {name.name: getattr(advice, name.name) for name in fields(Figures)} == {
        **dict.fromkeys(("charge", "refund", "credit")),
        "forfeited": 0,
        "extended": 0,
        "extra": timedelta(0),
    }


def test_a_policy_without_money_needs_no_facts():
    advice = advise(Policy(notice=DAY), Booking(paid=Decimal(0)), Cancellation())
    assert (money(advice), advice.unknown) == (("0.00", "0.00", "0.00"), ())


def test_what_comes_in_good_time_needs_no_reason_and_no_past():
    advice = advised(SALON, before=2 * DAY, late_before=None, cause=None)
    assert (advice.unknown, money(advice)) == ((), ("0.00", "0.00", "0.00"))


def test_an_unknown_reason_leaves_the_amount_open_and_tells_both_ways():
    advice = advised(SALON, cause=None)
    assert (advice.charge, advice.unknown) == (None, ("cause",))
    lines = told(advice)
    assert "Nothing was paid in advance. To charge: 40.00 USD." in lines
    assert "If the cause is an illness or an emergency:" in lines


def test_an_unknown_reason_may_always_lie_with_us():
    assert advised(replace(SALON, exceptions=frozenset()), cause=None).unknown == ("cause",)


def test_an_unknown_past_leaves_the_amount_open_only_where_the_past_counts():
    assert advised(SALON, late_before=None).unknown == ("late_before",)
    assert advised(replace(SALON, grace=0), late_before=None).unknown == ()


def test_a_day_without_its_hour_is_enough_when_every_hour_comes_to_the_same():
    late = Cancellation(at=NOW, late_before=1, cause="work")
    booking = Booking(price=Decimal(80), paid=Decimal(0), package="", start=NOW + HOUR)
    assert money(advise(SALON, replace(booking, start_by=NOW + 23 * HOUR), late))[0] == "40.00"
    assert advise(SALON, replace(booking, start_by=NOW + DAY), late).unknown == ("hour",)
    assert advise(SALON, replace(booking, start=NOW - HOUR, start_by=NOW + 23 * HOUR), late).unknown == ("hour",)


def test_a_day_without_its_hour_is_told_with_both_ends():
    late = Cancellation(at=NOW, late_before=1, cause="work")

    def first(start: timedelta, start_by: timedelta) -> str:
        return told(advise(SALON, Booking(start=NOW + start, start_by=NOW + start_by), late))[0]

    assert first(HOUR / 2, 9 * HOUR) == "The cancellation came between 30 minutes and 9 hours before the start."
    assert first(-HOUR, 9 * HOUR) == "The cancellation came at most 9 hours before the start."
    assert first(-9 * HOUR, -HOUR) == "The cancellation came after the start."


def test_an_unknown_start_tells_what_each_length_of_notice_would_cost():
    advice = advise(
        SALON, Booking(price=Decimal(80), paid=Decimal(0), package=""), Cancellation(at=NOW, late_before=1, cause="work")
    )
    assert told(advice) == [
        "Late cancellations of this customer so far: 1; let go by the policy: 1.",
        "If it came at least 24 hours before the start:",
        "By the policy this costs nothing.",
        "If it came before the start:",
        "Fee: 50% of the price of 80.00 USD = 40.00 USD.",
        "Nothing was paid in advance. To charge: 40.00 USD.",
        "If it came later than that:",
        "Fee: 100% of the price of 80.00 USD = 80.00 USD.",
        "Nothing was paid in advance. To charge: 80.00 USD.",
        "Not known: when it was to begin.",
        "Until that is known, no amount that hangs on it is certain.",
    ]


def test_the_arithmetic_is_told_line_by_line_in_both_languages():
    advice = advised(replace(CATERER, currency="EUR"), before=10 * DAY, price="2469", paid="617.25")
    assert told(advice) == [
        "The cancellation came 10 days before the start; 30 days are asked for.",
        "Fee: 50% of the price of 2,469.00 EUR = 1,234.50 EUR.",
        "Of the deposit 617.25 EUR stays with us.",
        "Only the highest of these counts: 1,234.50 EUR.",
        "To charge: 1,234.50 EUR − 617.25 EUR already paid = 617.25 EUR.",
    ]
    assert told(advice, "es") == [
        "La cancelación llegó 10 días antes del inicio; se piden 30 días.",
        "Cargo: 50 % del precio de 2469,00 EUR = 1234,50 EUR.",
        "Del anticipo nos quedamos 617,25 EUR.",
        "Solo cuenta lo más alto: 1234,50 EUR.",
        "Por cobrar: 1234,50 EUR − 617,25 EUR ya pagados = 617,25 EUR.",
    ]


def test_hardship_and_complaints_warn_the_rep_before_money():
    assert told(advised(SALON, cause="hardship"))[-1] == "A person decides here; money comes last, if at all."
    assert told(advised(SALON, cause="quality"))[-1].startswith("They are unhappy with us")
    assert told(advised(SALON, cause="work"))[-1].startswith("Nothing was paid")


@pytest.mark.parametrize(
    ("verdict", "cause"),
    [
        (Verdict(intent=Intent.CANCEL, reason=Reason.TIMING, subreason="illness"), "illness"),
        (Verdict(intent=Intent.CANCEL, reason=Reason.TIMING, subreason="work"), "work"),
        (Verdict(intent=Intent.CANCEL, reason=Reason.TIMING, subreason="illness", sensitive=Sensitive.ANGER), "illness"),
        (Verdict(intent=Intent.CANCEL, reason=Reason.PRICE, subreason="budget", sensitive=Sensitive.HARDSHIP), "hardship"),
        (Verdict(intent=Intent.CANCEL, reason=Reason.PRICE), "price"),
        (Verdict(intent=Intent.CANCEL, reason=Reason.TIMING), None),
        (Verdict(intent=Intent.CANCEL, reason=Reason.OTHER), None),
        (Verdict(intent=Intent.CANCEL, reason=Reason.UNSPECIFIED), None),
        (Verdict(intent=Intent.RESCHEDULE), None),
    ],
)
def test_the_cause_is_what_was_understood_or_not_known(verdict: Verdict, cause: str | None):
    assert cause_of(verdict, SALON) == cause


def test_nonsense_is_refused_with_the_name_of_the_fact():
    with pytest.raises(ValueError, match=r"booking\.price: expected an amount of 0 or more, got -1"):
        Booking(price=Decimal(-1))
    with pytest.raises(ValueError, match=r"booking\.paid"):
        Booking(paid=Decimal("NaN"))
    with pytest.raises(ValueError, match=r"booking\.sessions_left"):
        Booking(sessions_left=0)
    with pytest.raises(ValueError, match=r"booking\.start_by"):
        Booking(start=NOW, start_by=NOW - HOUR)
    with pytest.raises(ValueError, match=r"cancellation\.late_before"):
        Cancellation(late_before=-1)


def test_the_version_changes_with_the_rules_and_not_with_how_they_are_written():
    same = replace(SALON, fees=SALON.fees[::-1], notice=timedelta(hours=24), credit=Decimal("50.0"))
    assert version(SALON) == version(same)
    assert (
        len({version(policy) for policy in (SALON, CATERER, COACH, replace(SALON, grace=2), replace(SALON, currency="EUR"))})
        == 5
    )
    assert version(Policy()) == version(Policy())
    assert len(version(SALON)) == 12


AMOUNTS = st.decimals(0, 3000, places=2)
WITHIN = st.sampled_from([timedelta(0), HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY])
SHARES = st.one_of(
    st.builds(Charge, percent=st.decimals(0, 100, places=1)),
    st.builds(Charge, amount=AMOUNTS),
)
ROWS = st.lists(st.builds(replace, SHARES, within=WITHIN), max_size=3).map(tuple)
POLICIES = st.builds(
    Policy,
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    notice=st.none() | WITHIN,
    fees=ROWS,
    minimum=st.none() | SHARES,
    cap=st.none() | SHARES,
    deposit=st.none() | SHARES | st.builds(replace, SHARES, within=WITHIN),
    refunds=ROWS,
    costs=st.sampled_from(Costs),
    grace=st.integers(0, 2),
    exceptions=st.frozensets(st.sampled_from(["illness", "bereavement"])),
    new_date=st.booleans(),
    credit=st.decimals(0, 100, places=1),
    packages=st.dictionaries(
        st.sampled_from(["five", "ten"]),
        st.builds(Package, sessions=st.just(10), forfeit=st.integers(0, 2), extend=st.sampled_from([timedelta(0), HOUR])),
    ),
)
NOTICES = st.integers(-50, 200).map(lambda hours: hours * HOUR)
CAUSES = st.sampled_from(["illness", "bereavement", "work", "quality", OURS, ""])


@st.composite
def known(draw: st.DrawFn) -> tuple[Policy, Booking, Cancellation]:
    """A policy, and a cancellation of which everything is known."""
    policy = draw(POLICIES)
    booking = Booking(
        price=draw(AMOUNTS),
        paid=draw(AMOUNTS),
        spent=draw(AMOUNTS),
        start=NOW,
        package=draw(st.sampled_from(["", *policy.packages])),
        sessions_left=draw(st.integers(1, 10)),
    )
    return policy, booking, Cancellation(at=NOW - draw(NOTICES), late_before=draw(st.integers(0, 3)), cause=draw(CAUSES))


def paid_for(policy: Policy, booking: Booking) -> Decimal:
    return Decimal(0) if booking.package else rounded(booking.paid, policy.currency)


def lost(policy: Policy, booking: Booking, advice: Advice) -> Decimal:
    """What a customer is worse off by: charged, or paid and neither given back nor kept as credit."""
    return advice.charge + paid_for(policy, booking) - advice.refund - advice.credit


@given(known())
def test_when_everything_is_known_every_figure_is_given_and_none_is_negative(facts):
    advice = advise(*facts)
    assert advice.unknown == ()
    assert min(advice.charge, advice.refund, advice.credit, advice.forfeited, advice.extended) >= 0


@given(known())
def test_a_cancellation_never_costs_more_than_the_cap(facts):
    policy, booking, cancellation = facts
    if policy.cap is None:
        return
    advice = advise(policy, booking, cancellation)
    base = rounded(booking.price, policy.currency)
    cap = policy.cap.amount if policy.cap.percent is None else base * policy.cap.percent / 100
    assert advice.charge + paid_for(policy, booking) - advice.refund <= rounded(cap, policy.currency)


@given(known())
def test_sums_are_exact_to_the_minor_unit(facts):
    policy, booking, cancellation = facts
    advice = advise(policy, booking, cancellation)
    for figure in (advice.charge, advice.refund, advice.credit):
        assert str(figure) == str(rounded(figure, policy.currency))
    assert 0 in (advice.charge, advice.refund)
    assert advice.refund + advice.credit <= paid_for(policy, booking)


@given(known())
def test_an_exception_never_costs_the_customer_more_than_the_rule(facts):
    policy, booking, cancellation = facts
    rule = advise(policy, booking, replace(cancellation, cause="work"))
    for cause in ("illness", OURS):
        kind = advise(policy, booking, replace(cancellation, cause=cause))
        assert lost(policy, booking, kind) <= lost(policy, booking, rule)
        assert kind.charge <= rule.charge
        assert kind.forfeited <= rule.forfeited


@given(known(), st.integers(0, 300))
def test_earlier_notice_never_costs_more(facts, hours):
    policy, booking, cancellation = facts
    late = advise(policy, booking, cancellation)
    early = advise(policy, booking, replace(cancellation, at=cancellation.at - hours * HOUR))
    assert lost(policy, booking, early) <= lost(policy, booking, late)
    assert early.forfeited <= late.forfeited


@given(known())
def test_what_is_let_go_never_costs_anything(facts):
    policy, booking, cancellation = facts
    policy = replace(policy, grace=cancellation.late_before + 1)
    advice = advise(policy, booking, cancellation)
    assert (lost(policy, booking, advice), advice.charge, advice.credit, advice.forfeited) == (0, 0, 0, 0)


@given(known())
def test_the_same_facts_give_the_same_advice_in_whatever_order_the_rules_stand(facts):
    policy, booking, cancellation = facts
    turned = replace(policy, fees=policy.fees[::-1], refunds=policy.refunds[::-1])
    figures = [
        [getattr(advise(rules, booking, cancellation), part.name) for part in fields(Figures)] for rules in (policy, turned)
    ]
    assert advise(*facts) == advise(*facts)
    assert figures[0] == figures[1]


@st.composite
def half_known(draw: st.DrawFn) -> tuple[tuple[Policy, Booking, Cancellation], Booking, Cancellation]:
    """The facts, and what is known of them."""
    policy, booking, cancellation = draw(known())
    forgotten = draw(st.sets(st.sampled_from(["price", "paid", "spent", "start", "package", "sessions_left"])))
    unsure = draw(st.sets(st.sampled_from(["at", "late_before", "cause"])))
    facts = (policy, booking, cancellation)
    if draw(st.booleans()):
        hours = st.integers(0, 30).map(lambda count: count * HOUR)
        booking = replace(booking, start=NOW - draw(hours), start_by=NOW + draw(hours))
        forgotten.discard("start")
    return facts, replace(booking, **dict.fromkeys(forgotten)), replace(cancellation, **dict.fromkeys(unsure))


@given(half_known())
def test_a_figure_that_is_given_holds_whatever_the_unknown_turns_out_to_be(half):
    (policy, booking, cancellation), guessed, heard = half
    truth, advice = advise(policy, booking, cancellation), advise(policy, guessed, heard)
    for part in fields(Figures):
        assert getattr(advice, part.name) in (None, getattr(truth, part.name))
    assert bool(advice.unknown) == any(getattr(advice, part.name) is None for part in fields(Figures))


@given(half_known())
def test_the_facts_that_are_named_as_unknown_are_all_that_is_missing(half):
    (policy, booking, cancellation), guessed, heard = half
    missing = set(advise(policy, guessed, heard).unknown)
    missing |= {"start", "start_by"} if missing & {"hour", "at"} else set()
    asked = replace(guessed, **{name: getattr(booking, name) for name in missing if hasattr(booking, name)})
    answered = replace(heard, **{name: getattr(cancellation, name) for name in missing if hasattr(cancellation, name)})
    assert advise(policy, asked, answered).unknown == ()


@given(half_known())
def test_every_advice_can_be_told_and_names_a_section_that_the_page_has(half):
    (policy, _, _), booking, cancellation = half
    advice = advise(policy, booking, cancellation)
    for language in policy_words.LANGUAGES:
        assert all("{" not in line for line in told(advice, language))
        keys = {section.key for section in policy_words.sections(policy, language)}
        assert advice.section in keys
        assert advice.next_section is None or advice.next_section in keys
