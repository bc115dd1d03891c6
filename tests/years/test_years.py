"""Half a year of many customers in three countries: no rule for follow-ups is ever broken, and the observer is not blind."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time, timedelta

import pytest
from reliability.world import quick_folder

from pipeline.core import decide, followups
from pipeline.core.records import Caps
from pipeline.site import Site
from years.life import TOWNS, Town, lived
from years.observer import DAY, HOUR, Deed, Sent, Story, faults, unanswered

US, ES, CA = TOWNS
SEED = 7


def story(town: Town, count: int = 27, days: int = 200, spoiled: Callable[[Site], Site] = lambda site: site) -> Story:
    with quick_folder() as folder:
        return lived(town, folder / "site", count=count, days=days, seed=SEED, spoiled=spoiled)


half_a_year = functools.cache(story)


@pytest.fixture(scope="module", params=TOWNS, ids=lambda town: town.house.country)
def year(request: pytest.FixtureRequest) -> Story:
    return half_a_year(request.param)


@pytest.fixture(scope="module")
def american() -> Story:
    return half_a_year(US)


def test_no_rule_is_broken(year: Story):
    assert faults(year) == []


def test_who_cancels_is_answered(year: Story):
    assert unanswered(year) == []


def test_the_customers_do_enough_for_it_to_mean_something(year: Story):
    sent, done = Counter(one.kind for one in year.sent), Counter(deed.kind for deed in year.deeds)
    assert sent["acknowledgment"] > 20
    assert sent["touch"] >= 8
    assert len(done) >= 5


def broken(told: Story) -> set[str]:
    return {fault.rule for fault in faults(told)}


def a_touch(told: Story) -> Sent:
    """The first touch of a customer of whom nothing more was heard."""
    return next(one for one in told.sent if one.kind == "touch" and len(told.by_who[one.to]) == 1)


def an_answer(told: Story) -> Sent:
    return next(one for one in told.sent if one.kind == "acknowledgment" and one.automatic)


def with_mail(told: Story, *more: Sent) -> Story:
    return replace(told, sent=sorted((*told.sent, *more), key=lambda one: one.at))


def instead(told: Story, one: Sent, **changed: object) -> Story:
    return replace(told, sent=[replace(each, **changed) if each is one else each for each in told.sent])


def after(told: Story, kind: str) -> Story:
    one = a_touch(told)
    return replace(told, deeds=(*told.deeds, Deed(at=one.at - HOUR, who=one.to, kind=kind)))


def about(told: Story, one: Sent, **changed: object) -> Story:
    return replace(told, deeds=[replace(deed, **changed) if deed.mail == one.answers else deed for deed in told.deeds])


def many(told: Story, count: int, apart: timedelta) -> Sequence[Sent]:
    one = a_touch(told)
    return [replace(one, id=f"<{number}>", at=one.at + number * apart) for number in range(1, count + 1)]


SPOILT: dict[str, tuple[Callable[[Story], Story], str]] = {
    "a fourth touch": (lambda told: with_mail(told, *many(told, 3, 7 * DAY)), "no_more_touches_than_allowed"),
    "two touches in two days": (lambda told: with_mail(told, *many(told, 1, 2 * DAY)), "touches_keep_their_distance"),
    "a touch before our answer": (
        lambda told: replace(told, sent=[one for one in told.sent if one.kind != "acknowledgment"]),
        "touches_wait_for_the_answer",
    ),
    "a touch before the customer's day": (
        lambda told: about(told, a_touch(told), wished=a_touch(told).at.date() + 3 * DAY),
        "the_customers_own_date_stands",
    ),
    **{
        f"a touch after: {kind}": (lambda told, kind=kind: after(told, kind), "nothing_follows_a_stop")
        for kind in ("replies", "books", "opts_out", "bounces", "complains", "human", "cancels")
    },
    "a touch on Sunday": (
        lambda told: instead(told, a_touch(told), at=a_touch(told).at + (6 - a_touch(told).at.weekday()) * DAY),
        "follow_ups_leave_in_open_hours",
    ),
    "a second automatic mail": (
        lambda told: with_mail(told, replace(an_answer(told), id="<again>", at=an_answer(told).at + DAY)),
        "an_address_gets_few_automatic_mails",
    ),
    "sixty-one mails in an hour": (lambda told: with_mail(told, *many(told, 61, timedelta(seconds=50))), "caps_hold"),
    "a mail after a complaint": (lambda told: after(told, "complains"), "the_suppressed_are_left_alone"),
    "a touch to a widow": (lambda told: about(told, a_touch(told), excluded="bereavement"), "the_excluded_are_not_followed_up"),
    "a touch without a basis": (
        lambda told: replace(about(told, a_touch(told), basis=False), house=ES.house),
        "without_a_basis_nobody_is_followed_up",
    ),
    "a touch to who wants another date": (lambda told: about(told, a_touch(told), kind="moves"), "a_new_date_is_no_loss"),
    "an automatic answer to grief": (
        lambda told: about(told, an_answer(told), sensitive=True),
        "a_person_decides_on_what_is_sensitive",
    ),
    "no address": (lambda told: instead(told, a_touch(told), words='reply "stop"'), "follow_ups_carry_the_way_out"),
    "no List-Unsubscribe": (lambda told: instead(told, a_touch(told), unsubscribe=""), "follow_ups_carry_the_way_out"),
    "no one-click": (lambda told: replace(told, house=ES.house), "follow_ups_carry_the_way_out"),
    "an offer in an answer": (
        lambda told: instead(told, an_answer(told), words="Take a discount."),
        "answers_are_plain_service",
    ),
    "two questions": (lambda told: instead(told, an_answer(told), words="Why? And when?"), "answers_are_plain_service"),
    "an untrue word": (lambda told: instead(told, an_answer(told), words="It is cancelled."), "answers_are_plain_service"),
    "two answers": (
        lambda told: with_mail(told, replace(an_answer(told), id="<again>", at=an_answer(told).at + 9 * DAY)),
        "one_answer_a_mail",
    ),
    "the same words": (
        lambda told: with_mail(told, replace(a_touch(told), id="<again>", at=a_touch(told).at + 9 * DAY)),
        "nobody_reads_the_same_words_twice",
    ),
    "words of no text": (lambda told: instead(told, a_touch(told), text=""), "every_mail_is_a_known_text"),
}


@pytest.mark.parametrize(("spoil", "rule"), SPOILT.values(), ids=SPOILT)
def test_the_observer_sees_each_broken_rule(american: Story, spoil: Callable[[Story], Story], rule: str):
    assert faults(american) == []
    assert rule in broken(spoil(american))


def test_it_sees_who_was_not_answered(american: Story):
    assert unanswered(replace(american, sent=()))


def test_it_catches_a_product_that_does_not_stop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decide, "stop_cause", lambda *_: None)
    assert "nothing_follows_a_stop" in broken(story(US, count=25, days=90))


def test_it_catches_a_product_that_follows_up_whom_it_must_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        followups, "track_of", lambda verdict, rules: str(verdict.reason if verdict.reason != "other" else "price")
    )
    assert "the_excluded_are_not_followed_up" in broken(story(US, count=30, days=80))


def test_it_catches_a_product_without_quiet_hours_and_caps():
    def restless(site: Site) -> Site:
        follow = replace(site.rules.follow_ups, quiet_from=time(0), quiet_to=time(0), days=frozenset())
        return replace(site, rules=replace(site.rules, follow_ups=follow), caps=Caps(address_days=0, hour=999, day=999))

    assert {"follow_ups_leave_in_open_hours", "caps_hold"} <= broken(story(CA, count=40, days=50, spoiled=restless))
