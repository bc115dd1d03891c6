from __future__ import annotations

from dataclasses import replace

from pipeline.core.records import Beginning, Cursor, Decision, Intent, Outcome
from pipeline.store import Store
from pipeline.store.intake import content_key
from store.world import DAY, FOLDER, NOW, batch, message, nothing, plan, raw

START = Cursor(folder=FOLDER, epoch="1", last=7, old_before=NOW)


def test_mails_and_cursor_are_taken_over_together(store: Store):
    assert store.intake.take(batch("1", "2", last=2), NOW) == 2
    assert store.intake.cursor(FOLDER).last == 2
    assert [mail.place.uid for mail in store.intake.received(10)] == sorted(["1", "2"], key=lambda uid: raw(uid).key)


def test_taking_a_batch_twice_changes_nothing(store: Store):
    store.intake.take(batch("1", "2", last=2), NOW)
    assert store.intake.take(batch("1", "2", last=2), NOW) == 0
    assert len(store.intake.received(10)) == 2


def test_the_same_uid_in_another_epoch_is_another_mail(store: Store):
    store.intake.take(batch("1"), NOW)
    assert store.intake.take(batch("1", epoch="2"), NOW) == 1


def test_a_stored_mail_comes_back_as_it_was(store: Store):
    store.intake.take(batch("1"), NOW)
    assert store.intake.received(1) == [raw("1")]
    assert store.intake.raw(raw("1").key) == raw("1")
    assert store.intake.raw("nobody") is None


def test_waiting_mails_come_page_by_page(store: Store):
    store.intake.take(batch(*map(str, range(1, 6)), last=5), NOW)
    pages, last = [], None
    while page := store.intake.received(2, last):
        pages.append([mail.key for mail in page])
        last = page[-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({key for page in pages for key in page}) == 5


def test_before_the_first_look_there_is_no_cursor(store: Store):
    assert store.intake.cursor(FOLDER) is None
    assert store.intake.last_poll(FOLDER) is None


def test_mails_that_were_there_before_are_listed_and_never_read(store: Store):
    store.intake.begin(Beginning(cursor=START, passed=("a", "b")), NOW)
    assert store.intake.received(10) == []
    assert store.intake.known(FOLDER, "1", ["a", "b", "c"]) == {"a", "b"}
    assert store.overview.causes() == {"passed": 2}
    assert store.intake.cursor(FOLDER) == START


def test_an_empty_look_is_written_down(store: Store):
    store.intake.begin(Beginning(cursor=START), NOW)
    store.intake.polled(FOLDER, NOW + DAY)
    assert store.intake.last_poll(FOLDER) == NOW + DAY


def test_three_failures_hold_a_mail_for_a_person(store: Store):
    store.intake.take(batch("1"), NOW)
    key = raw("1").key
    assert [store.intake.failed(key, "boom", NOW) for _ in range(3)] == [False, False, True]
    assert store.intake.received(10) == []
    assert store.overview.causes() == {"poison": 1}
    assert [event.kind for event in store.events.of_message(key)] == ["failed", "failed", "held"]


def test_an_unreadable_mail_is_held_at_once_and_can_be_retried(store: Store):
    store.intake.take(batch("1"), NOW)
    key = raw("1").key
    assert store.intake.failed(key, "too deep", NOW, final=True)
    assert store.intake.retry(key, NOW)
    assert len(store.intake.received(10)) == 1
    assert not store.intake.retry(key, NOW)


def test_a_mail_whose_text_was_broken_can_be_retried_and_is_decided_anew(store: Store):
    store.intake.take(batch("1"), NOW)
    refused = nothing(message())
    held = replace(refused, decision=Decision(outcome=Outcome.HOLD, cause="text_refused"))
    store.plans.decided([held], NOW)
    assert store.intake.retry(raw("1").key, NOW)
    store.plans.decided([plan(message(), store)], NOW)
    assert store.plans.verdict_of(raw("1").key).intent is Intent.CANCEL


def test_after_a_new_epoch_known_mails_are_passed_over(store: Store):
    store.intake.take(batch("1"), NOW)
    store.intake.take(batch("1", "2", epoch="2"), NOW)
    assert [mail.place.uid for mail in store.intake.received(10) if mail.place.epoch == "2"] == ["2"]
    assert store.overview.causes() == {"known": 1}


def test_content_is_the_same_whatever_way_a_mail_came():
    one = b"Received: from a\r\n by b\r\nFrom: x@y\r\nSubject: s\r\n\r\nbody\r\n"
    other = b"Delivered-To: z\nReceived: from c\nFrom: x@y\nSubject: s\n\nbody\n"
    assert content_key(one) == content_key(other)
    assert content_key(one) != content_key(one.replace(b"body", b"Body"))
