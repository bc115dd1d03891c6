from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rows import steps_of

from pipeline.core.records import (
    Address,
    ContactState,
    Decision,
    History,
    Intent,
    Outcome,
    Reason,
    StepPlan,
    Verdict,
)
from pipeline.store import Correction, Store
from store.world import (
    CAPS,
    DAY,
    MARIA,
    NOW,
    VERDICT,
    batch,
    cancelled,
    draft,
    mail,
    message,
    nothing,
    plan,
    sent,
    steps,
    touched,
)


def history(store: Store) -> History:
    return store.past.of_address(MARIA.address)


def step_states(store: Store, uid: str = "1") -> list[tuple[str, str | None]]:
    return [(step.state, step.cause) for step in steps_of(store, message(uid).key)]


def test_a_decision_draft_and_steps_are_written_together(store: Store):
    of = cancelled(store)
    assert store.intake.received(10) == []
    assert [one.draft.key for one in store.drafts.waiting()] == [draft(of).key]
    assert step_states(store) == [("planned", None), ("planned", None)]
    assert store.people.get(MARIA.address).state is ContactState.IN_FOLLOW_UP


def test_deciding_twice_changes_nothing(store: Store):
    of = cancelled(store)
    assert store.plans.decided([plan(of, store)], NOW + DAY) == 0
    assert len(store.drafts.waiting()) == 1


def test_a_draft_comes_back_as_it_was_made(store: Store):
    of = cancelled(store)
    kept = store.drafts.get(draft(of).key)
    assert kept.draft == replace(draft(of), recipient=Address(name="Maria Lopez", address="maria@example.org"))
    assert store.drafts.get("nobody") is None


def test_an_ignored_mail_keeps_its_cause_and_nothing_else(store: Store):
    store.intake.take(batch("1"), NOW)
    store.plans.decided([nothing(message())], NOW)
    assert store.overview.causes() == {"not_a_cancellation": 1}
    assert store.people.all() == []


def test_the_past_knows_the_open_case(store: Store):
    of = cancelled(store)
    found = history(store)
    assert (found.case, found.reason, found.known) == (of.key, Reason.PRICE, True)


def test_a_reply_drops_the_steps_with_its_cause(store: Store):
    cancelled(store)
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), stop="reply", stopped=(MARIA.key,))], NOW)
    assert step_states(store) == [("dropped", "reply"), ("dropped", "reply")]
    assert history(store).case is None
    assert store.people.get(MARIA.address).state is ContactState.ACTIVE


def test_a_reply_takes_back_a_touch_that_was_not_sent_yet(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    touched(store, of, 1)
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), stop="reply", stopped=(MARIA.key,))], NOW)
    assert store.sends.claim(20, "me", CAPS, NOW + 30 * DAY) == []
    assert step_states(store)[0] == ("dropped", "reply")


def test_a_reply_withdraws_a_touch_that_waits_for_a_rep(store: Store):
    of = cancelled(store, automatic=True)
    touched(store, of, 1, automatic=False)
    store.drafts.published([(draft(of, 1).key, "a.eml")])
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), stop="reply", stopped=(MARIA.key,))], NOW)
    assert [one.draft.number for one in store.drafts.to_withdraw()] == [1]


def test_a_second_cancellation_replaces_the_first_case(store: Store):
    cancelled(store, "1")
    second = cancelled(store, "2")
    assert history(store).case == second.key
    assert step_states(store, "1") == [("dropped", "new_cancellation")] * 2
    assert step_states(store, "2") == [("planned", None)] * 2


def test_suppression_stops_everything_that_is_on_its_way(store: Store):
    cancelled(store)
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), suppress={MARIA.key: "complaint"})], NOW)
    assert store.people.suppressed("MARIA@example.org") == "complaint"
    assert store.drafts.waiting() == []
    assert step_states(store) == [("dropped", "complaint")] * 2
    assert store.people.get(MARIA.address).state is ContactState.SUPPRESSED


def test_the_suppression_list_names_nobody(store: Store):
    store.people.suppress(MARIA.address, "opt_out", NOW)
    assert b"maria" not in store.database.path.read_bytes().lower()


def test_an_automatic_answer_is_known_from_the_moment_it_is_queued(store: Store):
    cancelled(store, automatic=True)
    assert history(store).last_automatic == NOW
    sent(store, NOW + DAY)
    assert history(store).last_automatic == NOW + DAY


def test_a_mail_that_answers_ours_is_recognised_by_its_thread(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    ours = mail(draft(of), store)
    stranger = message("9", Address(address="second@example.net"), thread=(ours.message_id,))
    found = store.past.of_messages([stranger])[0]
    assert (found.replies_to, found.counterpart, found.answered_thread) == (ours.key, MARIA.key, True)


def test_a_bounce_is_recognised_by_the_mail_it_returns(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    bounce = replace(message("9"), sender=None, returned_id=mail(draft(of), store).message_id)
    assert store.past.of_messages([bounce])[0].counterpart == MARIA.key


def test_a_mail_without_sender_has_an_empty_past(store: Store):
    assert store.past.of_messages([replace(message(), sender=None)]) == [History()]


def test_due_steps_come_one_a_customer_and_earliest_first(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    assert store.plans.due_steps(10, NOW) == []
    ((step, case),) = store.plans.due_steps(10, NOW + 30 * DAY)
    assert step == steps(of)[0]
    assert (case.message, case.recipient, case.reason, case.text) == (of.key, MARIA, Reason.PRICE, of.text)


def test_a_moved_step_waits_for_its_new_time(store: Store):
    of = cancelled(store)
    later = NOW + 9 * DAY
    store.plans.step(StepPlan(step=steps(of)[0], moved_to=later, why=("quiet hours",)), NOW)
    assert steps_of(store, of.key)[0].due == later
    assert step_states(store)[0] == ("moved", "quiet hours")


def test_dropping_the_last_step_lets_the_customer_hibernate(store: Store):
    of = cancelled(store)
    for step in steps(of):
        store.plans.step(StepPlan(step=step, dropped="enough_touches"), NOW)
    assert store.people.get(MARIA.address).state is ContactState.HIBERNATING


def test_a_step_that_was_settled_meanwhile_is_left_alone(store: Store):
    of = cancelled(store)
    store.plans.step(StepPlan(step=steps(of)[0], dropped="reply"), NOW)
    assert not store.plans.step(StepPlan(step=steps(of)[0], draft=draft(of, 1)), NOW)
    assert len(store.drafts.waiting()) == 1


def corrected_plan(store: Store, reason: Reason | None, revision: int = 1):
    of = message()
    if reason is None:
        decision = Decision(outcome=Outcome.IGNORE, cause="not_a_cancellation", review=False)
        return replace(plan(of, store), verdict=Verdict(intent=Intent.NONE), decision=decision, draft=None, contact=None)
    made = replace(draft(of, revision=revision), template=str(reason), reason=str(reason))
    return replace(plan(of, store), verdict=replace(VERDICT, reason=reason), draft=made)


def test_a_corrected_reason_gives_a_new_draft_and_keeps_a_label(store: Store):
    of = cancelled(store)
    correction = Correction(intent=Intent.CANCEL, reason="timing", by="outbox")
    store.plans.corrected(corrected_plan(store, Reason.TIMING), correction, NOW)
    (waiting,) = store.drafts.waiting()
    assert waiting.draft.template == "timing"
    assert store.drafts.get(draft(of).key).state == "superseded"
    (label,) = store.overview.corrections()
    assert (label.was_reason, label.reason, label.by) == ("price", "timing", "outbox")
    assert store.plans.revision(of.key) == 2


def test_not_a_cancellation_ends_the_case(store: Store):
    cancelled(store)
    store.plans.corrected(corrected_plan(store, None), Correction(intent=Intent.NONE, reason=None, by="outbox"), NOW)
    assert store.drafts.waiting() == []
    assert step_states(store) == []
    assert history(store).case is None
    assert store.overview.causes() == {"not_a_cancellation": 1}


def test_a_case_goes_on_when_a_rep_names_a_reason_after_all(store: Store):
    cancelled(store)
    store.plans.corrected(corrected_plan(store, None), Correction(intent=Intent.NONE, reason=None, by="outbox"), NOW)
    after_all = Correction(intent=Intent.CANCEL, reason="timing", by="outbox")
    store.plans.corrected(corrected_plan(store, Reason.TIMING), after_all, NOW)
    assert history(store).reason is Reason.TIMING
    assert [step.case for step, _ in store.plans.due_steps(9, NOW + 5 * DAY)] == [message().key]


def test_a_correction_does_not_open_a_case_that_a_reply_ended(store: Store):
    cancelled(store)
    store.intake.take(batch("2", last=2), NOW)
    store.plans.decided([nothing(message("2"), stop="reply", stopped=(MARIA.key,))], NOW)
    correction = Correction(intent=Intent.CANCEL, reason="timing", by="outbox")
    store.plans.corrected(corrected_plan(store, Reason.TIMING), correction, NOW)
    assert history(store).case is None


def test_after_the_acknowledgment_went_out_a_correction_changes_the_follow_ups_only(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    correction = Correction(intent=Intent.CANCEL, reason="timing", by="terminal")
    store.plans.corrected(corrected_plan(store, Reason.TIMING), correction, NOW)
    assert store.drafts.waiting() == []
    assert history(store).reason is Reason.TIMING
    assert store.drafts.get(draft(of).key).state == "approved"
    assert len(step_states(store)) == 2


def test_what_happened_to_a_mail_can_be_told(store: Store):
    of = cancelled(store, automatic=True)
    sent(store)
    kinds = [event.kind for event in store.events.of_message(of.key)]
    assert kinds == ["decided", "drafted", "planned", "planned", "in_follow_up", "sent"]
    assert {"drafted", "sent"} <= {event.kind for event in store.events.of_address("MARIA@example.org")}


def test_approving_queues_the_edited_mail_once(store: Store):
    of = cancelled(store)
    key, out = draft(of).key, mail(draft(of), store, automatic=False)
    assert store.drafts.approve(key, out, ("New subject", "New words"), by="outbox", now=NOW)
    assert not store.drafts.approve(key, out, None, by="outbox", now=NOW)
    kept = store.drafts.get(key)
    assert (kept.state, kept.draft.subject, kept.draft.text, kept.draft.quote) == ("approved", "New subject", "New words", "")
    assert len(sent(store)) == 1


def test_rejecting_an_acknowledgment_ends_its_case(store: Store):
    of = cancelled(store)
    assert store.drafts.reject(draft(of).key, by="outbox", now=NOW)
    assert not store.drafts.reject(draft(of).key, by="outbox", now=NOW)
    assert step_states(store) == [("dropped", "rejected")] * 2
    assert store.people.get(MARIA.address).state is ContactState.ACTIVE
    assert not store.drafts.approve(draft(of).key, mail(draft(of), store), None, by="x", now=NOW)


def test_rejecting_a_touch_ends_that_touch_only(store: Store):
    of = cancelled(store, automatic=True)
    touched(store, of, 1, automatic=False)
    store.drafts.reject(draft(of, 1).key, by="terminal", now=NOW)
    assert step_states(store) == [("dropped", "rejected"), ("planned", None)]


def test_a_touch_that_nobody_looks_at_ends_in_time(store: Store):
    of = cancelled(store, automatic=True)
    touched(store, of, 1, automatic=False)
    assert store.drafts.expire_touches(timedelta(days=30), NOW + 29 * DAY) == 0
    assert store.drafts.expire_touches(timedelta(days=30), NOW + 30 * DAY) == 1
    assert step_states(store)[0] == ("dropped", "too late")


def test_drafts_are_found_by_the_first_characters_of_their_key(store: Store):
    of = cancelled(store)
    assert [one.draft.key for one in store.drafts.find(draft(of).key[:6])] == [draft(of).key]
    assert store.drafts.find("%") == []
