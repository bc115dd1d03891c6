from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rows import steps_of

from pipeline.core.followups import REST_BETWEEN_TOUCHES
from pipeline.core.records import Address, Caps, ContactState, StepPlan
from pipeline.store import Store
from pipeline.store.sends import BACKOFF, LEASE
from store.world import CAPS, DAY, MARIA, NOW, cancelled, draft, mail, send_of, sent, steps, touched

MINUTE = timedelta(minutes=1)


def claim(store: Store, at=NOW, owner: str = "me", caps: Caps = CAPS):
    return store.sends.claim(20, owner, caps, at)


def state(store: Store, of) -> tuple[str, str | None]:
    _, now, cause = send_of(store, draft(of).key)
    return now, cause


def person(number: int, domain: str = "example.org") -> Address:
    return Address(name=f"P{number}", address=f"p{number}@{domain}")


def test_a_queued_mail_is_claimed_once(store: Store):
    cancelled(store, automatic=True)
    assert len(claim(store)) == 1
    assert claim(store, owner="another") == []


def test_a_sent_mail_stays_sent(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    assert state(store, of) == ("sent", "250 ok")
    assert claim(store, NOW + DAY) == []


def test_sending_acknowledges_the_case(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    assert store.past.of_address(MARIA.address).acknowledged == NOW


def test_a_lost_claim_may_not_write_the_dot(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.recover(NOW + LEASE, everything=False)
    (theirs,) = claim(store, NOW + LEASE, owner="another")
    assert theirs.fence == mine.fence + 1
    assert not store.sends.may_finish(mine, NOW + LEASE)
    assert store.sends.may_finish(theirs, NOW + LEASE)


def test_an_expired_lease_may_not_write_the_dot_even_unclaimed(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    assert not store.sends.may_finish(mine, NOW + LEASE)


def test_the_dot_is_granted_once(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    assert store.sends.may_finish(mine, NOW)
    assert not store.sends.may_finish(mine, NOW)


def test_nothing_is_claimed_while_stopped(store: Store):
    cancelled(store, automatic=True)
    store.control.stop("owner", NOW)
    assert claim(store) == []
    store.control.resume("owner", NOW)
    assert len(claim(store)) == 1


def test_a_stop_between_claim_and_dot_wins(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.control.stop("owner", NOW)
    assert not store.sends.may_finish(mine, NOW)
    assert state(store, of) == ("queued", "stopped")


def test_a_suppression_between_claim_and_dot_wins(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.people.suppress("Maria@Example.org", "complaint", NOW)
    assert not store.sends.may_finish(mine, NOW)
    assert state(store, of) == ("cancelled", "suppressed")


def test_the_suppressed_are_not_claimed(store: Store):
    of = cancelled(store, automatic=True)
    store.people.suppress(MARIA.address, "complaint", NOW)
    assert claim(store) == []
    assert state(store, of)[0] == "cancelled"


def test_trouble_before_the_dot_is_tried_again_with_patience(store: Store):
    of = cancelled(store, automatic=True)
    at = NOW
    for wait in (*BACKOFF, BACKOFF[-1]):
        (mine,) = claim(store, at)
        store.sends.later(mine, "451 try later", at)
        assert claim(store, at + wait - MINUTE) == []
        at += wait
    assert state(store, of) == ("queued", "451 try later")


def test_after_five_days_it_is_held(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store, NOW + 5 * DAY)
    store.sends.later(mine, "451 try later", NOW + 5 * DAY)
    assert state(store, of) == ("held", "expired after 5 days; last reply: 451 try later")


def test_a_refusal_holds_it(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.refused(mine, "550 no such user", NOW)
    assert state(store, of) == ("held", "550 no such user")


def test_a_released_claim_can_be_taken_at_once(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.release(mine, "connection lost", NOW)
    assert len(claim(store)) == 1


def test_a_release_after_the_dot_does_nothing(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.release(mine, "too late", NOW)
    assert state(store, of)[0] == "sending"


def test_an_uncertain_mail_is_never_sent_again_by_itself(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.uncertain(mine, "no reply", NOW)
    assert claim(store, NOW + DAY) == []
    assert store.sends.give_up_waiting(NOW + 59 * MINUTE) == 0
    assert store.sends.give_up_waiting(NOW + 60 * MINUTE) == 1
    assert state(store, of)[0] == "held"


def test_evidence_settles_an_uncertain_mail(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.uncertain(mine, "no reply", NOW)
    assert store.sends.proved(mine.key, "the customer answered it", NOW)
    assert state(store, of)[0] == "sent"
    assert not store.sends.proved(mine.key, "again", NOW)


def test_evidence_settles_even_what_was_held_as_uncertain(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.uncertain(mine, "no reply", NOW)
    store.sends.give_up_waiting(NOW + DAY)
    assert store.sends.proved(mine.key, "a bounce names it", NOW + DAY)
    assert state(store, of)[0] == "sent"


def test_a_late_250_settles_an_uncertain_mail(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.recover(NOW, everything=True)
    assert store.sends.sent(mine, "250 at last", NOW)
    assert state(store, of)[0] == "sent"


def test_a_late_250_of_an_old_fence_settles_nothing(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.release(mine, "lost", NOW)
    (again,) = claim(store)
    assert not store.sends.sent(replace(again, fence=mine.fence), "250", NOW)


def test_after_a_crash_claims_before_the_dot_wait_and_those_after_it_are_uncertain(store: Store):
    first = cancelled(store, "1", automatic=True, sender=person(1))
    second = cancelled(store, "2", automatic=True, sender=person(2))
    claimed = {one.recipient: one for one in claim(store)}
    store.sends.may_finish(claimed["p2@example.org"], NOW)
    assert store.sends.recover(NOW, everything=True) == (1, 1)
    assert state(store, first)[0] == "queued"
    assert state(store, second)[0] == "uncertain"


def test_a_mail_that_surely_never_arrived_is_queued_again(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.uncertain(mine, "no reply", NOW)
    assert store.sends.disproved(mine.key, "not in the Maildir", NOW)
    assert state(store, of)[0] == "queued"
    assert not store.sends.disproved(mine.key, "again", NOW)


def test_absence_proves_nothing_while_the_claimer_may_only_be_asleep(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.sends.recover(NOW + LEASE, everything=False)
    assert not store.sends.disproved(mine.key, "not in the Maildir", NOW + LEASE)
    assert store.sends.sent(mine, "250 at last", NOW + LEASE)
    assert state(store, of)[0] == "sent"


def test_the_dot_renews_the_lease(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW + 14 * MINUTE)
    assert store.sends.recover(NOW + 20 * MINUTE, everything=False) == (0, 0)
    assert store.sends.recover(NOW + 14 * MINUTE + LEASE, everything=False) == (0, 1)


def test_a_released_claim_uses_up_no_patience(store: Store):
    cancelled(store, automatic=True)
    for _ in range(5):
        (mine,) = claim(store)
        store.sends.release(mine, "the server is away", NOW)
    (mine,) = claim(store)
    store.sends.later(mine, "451", NOW)
    assert len(claim(store, NOW + BACKOFF[0])) == 1


def test_news_of_a_mail_that_was_erased_meanwhile_is_dropped(store: Store):
    cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.may_finish(mine, NOW)
    store.people.erase(MARIA.address, NOW)
    assert not store.sends.sent(mine, "250 ok", NOW)
    assert not store.sends.proved(mine.key, "an answer", NOW)


def test_a_clock_that_was_days_ahead_keeps_nothing_waiting_for_those_days(store: Store):
    ahead = 3 * DAY
    for number in (1, 2, 3):
        cancelled(store, str(number), automatic=True, sender=person(number))
    later, unsure, slow = claim(store, NOW + ahead)
    store.sends.later(later, "451", NOW + ahead)
    store.sends.may_finish(unsure, NOW + ahead)
    store.sends.uncertain(unsure, "no reply", NOW + ahead)
    assert store.sends.recover(NOW, everything=False) == (0, 0)
    assert [one.key for one in claim(store)] == [later.key]
    assert store.sends.recover(NOW + LEASE, everything=False) == (2, 0)
    assert store.sends.give_up_waiting(NOW + 60 * MINUTE) == 1
    assert {one.key for one in claim(store, NOW + LEASE)} == {later.key, slow.key}


def test_after_a_clock_that_was_ahead_the_caps_count_from_now_and_open_again(store: Store):
    caps = Caps(hour=1)
    for number in (1, 2):
        cancelled(store, str(number), automatic=True, sender=person(number))
    (first,) = claim(store, NOW + 365 * DAY, caps=caps)
    assert store.sends.may_finish(first, NOW + 365 * DAY)
    assert store.sends.sent(first, "250", NOW + 365 * DAY)
    store.sends.recover(NOW, everything=False)
    assert claim(store, NOW + 59 * MINUTE, caps=caps) == []
    assert len(claim(store, NOW + 60 * MINUTE, caps=caps)) == 1


def test_a_clock_set_ahead_opens_no_cap_early(store: Store):
    caps = Caps(hour=1)
    for number in (1, 2):
        cancelled(store, str(number), automatic=True, sender=person(number))
    (first,) = claim(store, caps=caps)
    store.sends.sent(first, "250", NOW)
    assert store.sends.clock_set_ahead(365 * DAY, NOW + 365 * DAY) == 1
    assert claim(store, NOW + 365 * DAY + 59 * MINUTE, caps=caps) == []
    assert len(claim(store, NOW + 365 * DAY + 60 * MINUTE, caps=caps)) == 1


def test_a_person_may_send_a_held_mail_again(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.refused(mine, "550", NOW)
    assert store.sends.queue_again(mine.key, "the address was mended", NOW)
    assert len(claim(store)) == 1
    assert state(store, of)[0] == "sending"
    assert not store.sends.queue_again(mine.key, "twice", NOW)


def test_a_held_mail_is_released_again_without_anybody_vouching_for_it(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.refused(mine, "550", NOW)
    assert store.sends.again(mine.draft, "a rep moved it", NOW)
    assert [again.key for again in claim(store)] == [mine.key]
    assert not store.sends.again(mine.draft, "twice", NOW)
    assert state(store, of)[0] == "sending"


def test_an_uncertain_mail_is_not_released_again(store: Store):
    of = cancelled(store, automatic=True)
    (mine,) = claim(store)
    store.sends.uncertain(mine, "no answer", NOW)
    assert not store.sends.again(mine.draft, "a rep moved it", NOW)
    store.sends.give_up_waiting(NOW + 60 * MINUTE)
    assert state(store, of)[0] == "held"
    assert not store.sends.again(mine.draft, "a rep moved it", NOW)


def test_who_releases_what_the_cap_held_back_makes_it_a_persons_mail(store: Store):
    cancelled(store, "1", automatic=True)
    sent(store)
    second = cancelled(store, "2", automatic=True)
    assert claim(store, NOW + MINUTE) == []
    assert state(store, second)[0] == "held"
    (key,) = store.sends.to_retry("mail:")
    assert store.sends.queue_again(key, "a person said so", NOW + MINUTE)
    assert len(claim(store, NOW + MINUTE)) == 1


def test_one_automatic_mail_an_address_in_seven_days(store: Store):
    cancelled(store, "1", automatic=True)
    sent(store)
    second = cancelled(store, "2", automatic=True)
    assert claim(store, NOW + 6 * DAY) == []
    assert state(store, second)[0] == "held"


def test_the_address_cap_ends_after_its_days(store: Store):
    cancelled(store, "1", automatic=True)
    sent(store)
    cancelled(store, "2", automatic=True)
    assert len(claim(store, NOW + 7 * DAY)) == 1


@pytest.mark.parametrize(
    ("caps", "domains"),
    [
        (Caps(domain_hour=3), ["example.org"] * 5),
        (Caps(hour=3), ["a.example", "b.example", "c.example", "d.example", "e.example"]),
    ],
)
def test_hourly_caps_are_never_exceeded_and_open_again(store: Store, caps: Caps, domains: list[str]):
    for number, domain in enumerate(domains, 1):
        cancelled(store, str(number), automatic=True, sender=person(number, domain))
    assert len(claim(store, caps=caps)) == 3
    assert claim(store, NOW + 59 * MINUTE, caps=caps) == []
    assert len(claim(store, NOW + 60 * MINUTE, caps=caps)) == 2


def test_an_hour_is_counted_from_the_dot_however_slow_the_server_is(store: Store):
    caps = Caps(hour=1)
    for number in (1, 2):
        cancelled(store, str(number), automatic=True, sender=person(number))
    (first,) = claim(store, caps=caps)
    assert store.sends.may_finish(first, NOW + 14 * MINUTE)
    assert claim(store, NOW + 73 * MINUTE, caps=caps) == []
    assert len(claim(store, NOW + 74 * MINUTE, caps=caps)) == 1


def test_the_daily_cap_counts_over_a_day(store: Store):
    for number in range(1, 5):
        cancelled(store, str(number), automatic=True, sender=person(number, f"d{number}.example"))
    assert len(claim(store, caps=Caps(day=2))) == 2
    assert claim(store, NOW + 23 * 60 * MINUTE, caps=Caps(day=2)) == []
    assert len(claim(store, NOW + DAY, caps=Caps(day=2))) == 2


def test_a_mail_that_surely_did_not_go_out_does_not_count(store: Store):
    for number in (1, 2):
        cancelled(store, str(number), automatic=True, sender=person(number))
    (first,) = claim(store, caps=Caps(hour=1))
    store.sends.refused(first, "550", NOW)
    assert claim(store, NOW + 60 * MINUTE, caps=Caps(hour=1))


def test_a_clock_set_back_opens_no_cap(store: Store):
    cancelled(store, "1", automatic=True)
    sent(store, NOW)
    cancelled(store, "2", automatic=True)
    assert claim(store, NOW - DAY) == []
    assert claim(store, NOW) == []


def states_of(store: Store, of) -> list[tuple[str, str | None]]:
    return [(step.state, step.cause) for step in steps_of(store, of.key)]


def refuse_touch(store: Store, reply: str):
    of = cancelled(store, automatic=True)
    sent(store)
    touched(store, of)
    (mine,) = claim(store, NOW + 8 * DAY)
    store.sends.refused(mine, reply, NOW + 8 * DAY)
    return of


def test_a_refused_touch_is_over_and_the_next_one_goes_on(store: Store):
    of = refuse_touch(store, "554 5.7.1 looks like spam")
    assert states_of(store, of) == [("dropped", "refused"), ("planned", None)]


def test_where_nobody_is_there_the_follow_ups_end(store: Store):
    of = refuse_touch(store, "550 5.1.1 no such user here")
    assert states_of(store, of) == [("dropped", "refused"), ("dropped", "bounce")]


def test_in_quiet_hours_a_touch_waits_unless_a_person_released_it(store: Store):
    of = cancelled(store)
    touch = touched(store, of)
    assert store.sends.claim(20, "me", CAPS, NOW, quiet=True) == []
    assert [one.key for one in store.sends.claim(20, "me", CAPS, NOW)] == [touch.key]


def test_a_touch_that_a_person_released_at_night_waits_for_the_morning_and_an_answer_does_not(store: Store):
    of = cancelled(store, automatic=True)
    touched(store, of, automatic=False)
    store.drafts.approve(draft(of, 1).key, mail(draft(of, 1), store, automatic=False), None, by="outbox", now=NOW)
    (answer,) = store.sends.claim(20, "me", CAPS, NOW, quiet=True)
    assert answer.draft == draft(of).key
    assert len(store.sends.claim(20, "me", CAPS, NOW)) == 1


def released(store: Store, of, number: int) -> None:
    """A rep lets a touch go."""
    touched(store, of, number, automatic=False)
    out = mail(draft(of, number), store, automatic=False)
    assert store.drafts.approve(out.draft, out, None, by="outbox", now=NOW)


def test_of_two_touches_that_are_released_together_the_second_leaves_three_days_later(store: Store):
    of = cancelled(store)
    released(store, of, 1)
    released(store, of, 2)
    (first,) = sent(store)
    assert first.draft == draft(of, 1).key
    assert send_of(store, draft(of, 2).key)[1:] == ("queued", "another touch went out just before")
    assert sent(store, NOW + REST_BETWEEN_TOUCHES - MINUTE) == []
    assert [one.draft for one in sent(store, NOW + REST_BETWEEN_TOUCHES)] == [draft(of, 2).key]


def test_a_restart_does_not_shorten_the_rest_between_touches(store: Store):
    of = cancelled(store)
    released(store, of, 1)
    released(store, of, 2)
    sent(store)
    store.sends.recover(NOW + MINUTE, everything=True)
    assert sent(store, NOW + REST_BETWEEN_TOUCHES - MINUTE) == []


def test_what_is_only_true_for_a_while_does_not_wait_for_the_rest_between_touches(store: Store):
    of = cancelled(store)
    released(store, of, 1)
    sent(store)
    offer = replace(draft(of, 2), until=NOW + 2 * DAY)
    store.plans.step(StepPlan(step=steps(of)[1], draft=offer), NOW)
    store.drafts.approve(offer.key, mail(offer, store, automatic=False), None, by="outbox", now=NOW)
    assert [one.draft for one in sent(store, NOW + MINUTE)] == [offer.key]


def test_an_answer_does_not_wait_for_the_rest_between_touches(store: Store):
    of = cancelled(store)
    released(store, of, 1)
    sent(store)
    again = cancelled(store, "2")
    answer = mail(draft(again), store, automatic=False)
    store.drafts.approve(answer.draft, answer, None, by="outbox", now=NOW)
    assert [one.draft for one in sent(store, NOW + MINUTE)] == [answer.draft]


def test_a_sent_touch_is_counted_and_done(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    touched(store, of)
    sent(store, NOW + 8 * DAY)
    history = store.past.of_address(MARIA.address)
    assert (history.touches, history.last_touch) == (1, NOW + 8 * DAY)
    assert [step.state for step in steps_of(store, of.key)] == ["done", "planned"]


def test_after_the_last_touch_the_customer_hibernates(store: Store):
    of = cancelled(store, automatic=True, count=1)
    sent(store)
    touched(store, of)
    sent(store, NOW + 8 * DAY)
    assert store.people.get(MARIA.address).state is ContactState.HIBERNATING


def test_a_touch_of_which_nobody_knows_whether_it_went_is_over_until_it_is_proved(store: Store):
    of = cancelled(store, automatic=True, count=1)
    sent(store)
    touched(store, of)
    (mine,) = claim(store, NOW + 8 * DAY)
    store.sends.may_finish(mine, NOW + 8 * DAY)
    store.sends.uncertain(mine, "no reply", NOW + 8 * DAY)
    store.sends.give_up_waiting(NOW + 9 * DAY)
    assert [(step.state, step.cause) for step in steps_of(store, of.key)] == [("dropped", "uncertain")]
    assert store.people.get(MARIA.address).state is ContactState.HIBERNATING
    store.sends.proved(mine.key, "the customer answered it", NOW + 10 * DAY)
    assert [step.state for step in steps_of(store, of.key)] == ["done"]
    assert store.past.of_address(MARIA.address).touches == 1


def test_who_cancels_and_opts_out_may_be_told_by_a_rep_that_it_was_received(store: Store):
    of = cancelled(store)
    store.people.suppress(MARIA.address, "opt_out", NOW)
    store.drafts.approve(draft(of).key, mail(draft(of), store, automatic=False), None, by="outbox", now=NOW)
    assert len(claim(store)) == 1


def test_who_opts_out_gets_no_automatic_mail(store: Store):
    of = cancelled(store, automatic=True)
    store.people.suppress(MARIA.address, "opt_out", NOW)
    assert claim(store) == []
    assert state(store, of)[0] == "cancelled"


def test_ended_sends_are_shown_once(store: Store):
    cancelled(store, automatic=True)
    sent(store)
    (shown,) = store.sends.to_show()
    assert shown.state == "sent"
    store.sends.shown([shown.key])
    assert store.sends.to_show() == []


def test_a_mailbox_under_another_tag_has_had_its_automatic_mail(store: Store):
    first = cancelled(store, "1", automatic=True, sender=Address(address="maria+a@example.org"))
    sent(store)
    second = cancelled(store, "2", automatic=True, sender=Address(address="Maria+b@example.org"))
    sent(store)
    assert (state(store, first)[0], state(store, second)[0]) == ("sent", "held")
