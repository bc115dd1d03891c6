"""The jobs on a real store and a real outbox folder; only the mailbox, the way out and the model are stand-ins."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fakes import FOLDER, MONDAY, FakeTexts, WordModel, World, mail, make_world
from rows import steps_of

from pipeline import gestures, jobs
from pipeline.core.decide import HELD_IF_CANCELLED
from pipeline.core.records import Caps, ContactState, Text
from pipeline.daemon import Daemon
from pipeline.errors import NeedsHuman, Refused, TryLater, Uncertain, Unreachable, Unreadable
from pipeline.site import Site
from pipeline.store import StoredDraft, schema
from pipeline.store.control import hold_restored

CANCEL = "Please cancel my membership, it is too expensive for me."
CORE = Path(jobs.__file__).parent / "core"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    jobs.poll(made.site)  # the first look: what comes from now on is new
    made.clock.forward(minutes=1)
    return made


@pytest.fixture
def careful(tmp_path: Path) -> World:
    """A site where every acknowledgment waits for a rep."""
    made = make_world(tmp_path, acknowledgments="review")
    jobs.poll(made.site)
    made.clock.forward(minutes=1)
    return made


def round_(world: World) -> None:
    """What the daemon does in a second."""
    for job in (jobs.poll, jobs.work, gestures.collect, jobs.remind, jobs.publish, jobs.send, jobs.publish):
        job(world.site)


def state(world: World, address: str = "maria@example.org") -> ContactState | None:
    person = world.site.store.people.get(address)
    return person and person.state


def steps(world: World) -> list[tuple[str, str | None]]:
    line = next(line for line in world.site.store.overview.lines() if line.draft)
    return [(step.state, step.cause) for step in steps_of(world.site.store, line.key)]


def line_key(world: World) -> str:
    """The key of the mail that is answered."""
    return next(line.key for line in world.site.store.overview.lines() if line.draft)


def text(world: World, number: int = 0) -> str:
    return world.delivery.delivered_mails[number].data.decode()


def test_a_sure_cancellation_is_answered_at_once(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (sent,) = world.delivery.delivered_mails
    assert sent.recipient == "maria@example.org"
    assert "Auto-Submitted: auto-replied" in text(world)
    assert "In-Reply-To: <1@example.org>" in text(world)
    assert state(world) is ContactState.IN_FOLLOW_UP
    assert len(world.files("sent")) == 1


def test_doing_everything_again_sends_nothing_again(world: World):
    world.inbox.arrive(mail(CANCEL))
    for _ in range(3):
        round_(world)
    assert len(world.delivery.delivered_mails) == 1


def test_mail_that_was_there_before_is_not_answered(tmp_path: Path):
    world = make_world(tmp_path)
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    round_(world)
    assert (world.delivery.delivered_mails, world.files("review")) == ([], [])


def test_with_start_all_old_mail_makes_drafts_only(tmp_path: Path):
    world = make_world(tmp_path)
    world.inbox.arrive(mail(CANCEL), MONDAY - timedelta(days=3))
    world.site = replace(world.site, start="all")
    round_(world)
    assert (len(world.delivery.delivered_mails), len(world.files("review"))) == (0, 1)


def test_an_unvouched_sender_gets_a_draft_only(world: World):
    world.inbox.arrive(mail(CANCEL, trusted=False))
    round_(world)
    assert (len(world.delivery.delivered_mails), len(world.files("review"))) == (0, 1)


def test_mail_that_is_no_cancellation_is_left_alone(world: World):
    world.inbox.arrive(mail("What is your cancellation policy?"))
    round_(world)
    assert world.site.store.overview.causes() == {"not_a_cancellation": 1}
    assert world.files("review") == []


def test_two_mails_of_one_customer_in_one_batch_get_one_automatic_answer(world: World):
    world.inbox.arrive(mail(CANCEL, uid="1"))
    world.inbox.arrive(mail("Did you see it? Please cancel, too expensive.", uid="2"))
    round_(world)
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert len(world.files("review")) == 1


def test_approving_a_file_sends_it_as_it_was(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (draft,) = careful.files("review")
    careful.move(draft, "approved")
    round_(careful)
    assert "Auto-Submitted" not in text(careful)
    assert "> Please cancel my membership" in text(careful)
    assert (careful.files("review"), careful.files("approved"), len(careful.files("sent"))) == ([], [], 1)


def test_an_edited_file_is_sent_as_edited_to_the_recipient_of_the_store(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (draft,) = careful.files("review")
    words = (
        draft.read_text(encoding="utf-8").replace("Hi Maria,", "Dear Maria,").replace("maria@example.org", "evil@example.net")
    )
    draft.write_text(words, encoding="utf-8")
    careful.move(draft, "approved")
    round_(careful)
    assert careful.delivery.delivered_mails[0].recipient == "maria@example.org"
    assert "To: Maria Lopez <maria@example.org>" in text(careful)
    assert "Dear Maria," in text(careful)


def test_two_copies_of_a_draft_are_sent_once(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (draft,) = careful.files("review")
    copy = draft.with_name("copy of it.eml")
    copy.write_bytes(draft.read_bytes())
    careful.move(copy, "approved")
    careful.move(draft, "approved")
    round_(careful)
    round_(careful)
    assert len(careful.delivery.delivered_mails) == 1


def test_half_a_file_is_not_sent(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (draft,) = careful.files("review")
    words = draft.read_text(encoding="utf-8")
    draft.write_text(words[: words.index("I have your message") + 12], encoding="utf-8")
    careful.move(draft, "approved")
    round_(careful)
    assert careful.delivery.delivered_mails == []
    assert any("half saved" in note.read_text() for note in careful.outbox.glob("NOTE*"))


def test_a_draft_without_the_quote_is_sent_without_it(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (draft,) = careful.files("review")
    words = draft.read_text(encoding="utf-8")
    draft.write_text(words[: words.index("On 23 November")], encoding="utf-8")
    careful.move(draft, "approved")
    round_(careful)
    assert "> Please" not in text(careful)


def test_a_rejected_file_is_not_sent_and_ends_the_follow_ups(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "rejected")
    round_(careful)
    careful.clock.forward(days=60)
    round_(careful)
    assert careful.delivery.delivered_mails == []
    assert {state for state, _ in steps(careful)} == {"dropped"}


def test_moving_a_file_to_another_reason_brings_the_right_draft(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "timing")
    round_(careful)
    (draft,) = careful.files("review")
    assert "X-Winback-Reason: timing" in draft.read_text(encoding="utf-8")
    assert "https://bluedoor.example/book" in draft.read_text(encoding="utf-8")
    assert careful.files("timing") == []
    (label,) = careful.site.store.overview.corrections()
    assert (label.was_reason, label.reason) == ("price", "timing")


def test_the_corrected_draft_can_be_corrected_again_and_approved(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    for reason in ("timing", "price"):
        careful.move(careful.files("review")[0], reason)
        round_(careful)
    careful.move(careful.files("review")[0], "approved")
    round_(careful)
    assert len(careful.delivery.delivered_mails) == 1


def test_not_a_cancellation_takes_everything_back(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "not_a_cancellation")
    round_(careful)
    careful.clock.forward(days=60)
    round_(careful)
    assert (careful.files("review"), careful.files("not_a_cancellation")) == ([], [])
    assert careful.delivery.delivered_mails == []


def test_a_strange_file_is_left_alone_and_reported(careful: World):
    (careful.outbox / "approved" / "shopping.txt").write_text("milk")
    careful.clock.forward(days=1)
    round_(careful)
    assert (careful.outbox / "approved" / "shopping.txt").read_text() == "milk"
    assert any("not a draft of winback" in note.read_text() for note in careful.outbox.glob("NOTE*"))


def test_the_first_touch_comes_when_its_time_comes_and_a_reply_stops_the_rest(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7, hours=1)
    round_(world)
    (touch,) = world.files("review")
    assert "X-Winback-Kind: follow-up 1 of track price" in touch.read_text(encoding="utf-8")
    world.move(touch, "approved")
    round_(world)
    assert "List-Unsubscribe" in text(world, 1)
    assert "1 Blue Street" in text(world, 1)
    world.inbox.arrive(mail("Thank you, let me think.", uid="2"))
    round_(world)
    world.clock.forward(days=60)
    round_(world)
    assert len(world.delivery.delivered_mails) == 2
    assert steps(world) == [("done", None), ("dropped", "reply")]


def test_a_waiting_touch_is_withdrawn_when_the_customer_replies(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7, hours=1)
    round_(world)
    world.inbox.arrive(mail("I have booked again, thanks!", uid="2"))
    round_(world)
    assert world.files("review") == []


def test_an_approved_touch_that_was_overtaken_is_not_sent(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7, hours=1)
    round_(world)
    touch = world.files("review")[0]
    copy = world.outbox / "price" / "kept aside.eml"
    copy.write_bytes(touch.read_bytes())
    world.inbox.arrive(mail("I have booked again, thanks!", uid="2"))
    jobs.poll(world.site)
    jobs.work(world.site)
    world.move(touch, "approved")
    copy.unlink()
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert "superseded" in world.files("held")[0].read_text(encoding="utf-8")


def test_a_touch_that_nobody_foresaw_to_fail_keeps_no_other_from_going(world: World):
    for sender in ("Ann <ann@example.org>", "Maria Lopez <maria@example.org>"):
        world.inbox.arrive(mail(CANCEL, sender))
    round_(world)
    world.clock.forward(days=7, hours=1)
    content, fails = world.site.texts, []

    def render(name: str, language: str, values: Mapping[str, str]) -> Text:
        if not fails:
            fails.append(name)
            raise ZeroDivisionError("by chance")
        return content.render(name, language, values)

    with pytest.raises(NeedsHuman, match=r"touch 1 of \w+ fails \(ZeroDivisionError: by chance\)"):
        jobs.remind(replace(world.site, texts=FakeTexts(render)))
    assert len(world.site.store.drafts.waiting()) == 1
    jobs.remind(world.site)
    assert len(world.site.store.drafts.waiting()) == 2


def test_a_file_that_nobody_foresaw_to_fail_keeps_no_other_from_its_answer(careful: World, monkeypatch: pytest.MonkeyPatch):
    for sender in ("Ann <ann@example.org>", "Maria Lopez <maria@example.org>"):
        careful.inbox.arrive(mail(CANCEL, sender))
    round_(careful)
    first, second = careful.files("review")
    bad, good = careful.move(first, "approved"), careful.move(second, "approved")
    whole = gestures.approve

    def approve(site: Site, stored: StoredDraft, *words: str | None, by: str) -> bool:
        if stored.draft.recipient.name == "Ann":
            raise ZeroDivisionError("by chance")
        return whole(site, stored, *words, by=by)

    monkeypatch.setattr(gestures, "approve", approve)
    round_(careful)
    assert (bad.exists(), good.exists()) == (True, False)
    assert any(
        "winback fails on it (ZeroDivisionError: by chance)" in note.read_text() for note in careful.outbox.glob("NOTE*")
    )


def test_follow_ups_may_go_out_by_themselves_when_the_admin_says_so(tmp_path: Path):
    world = make_world(tmp_path, follow_ups="when_sure")
    jobs.poll(world.site)
    world.clock.forward(minutes=1)
    world.inbox.arrive(mail("Please cancel, I have a work trip."))
    round_(world)
    for _ in range(8):  # the touch is due after two days, sooner than an automatic mail may follow another
        world.clock.forward(days=1)
        round_(world)
    assert "Auto-Submitted: auto-generated" in text(world, 1)
    assert [state for state, _ in steps(world)] == ["done"]


def test_after_a_corrected_reason_its_own_touches_come(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7, hours=1)
    round_(world)
    world.move(world.files("review")[0], "timing")  # the draft of a touch
    round_(world)
    assert world.open_steps() == [("timing", 1)]
    world.clock.forward(days=3)
    round_(world)
    (touch,) = world.files("review")
    assert "X-Winback-Kind: follow-up 1 of track timing" in touch.read_text(encoding="utf-8")
    world.move(touch, "approved")
    round_(world)
    assert len(world.delivery.delivered_mails) == 2


def test_a_touch_comes_anew_when_a_reason_is_corrected_and_back(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=7, hours=1)
    round_(world)
    for reason in ("timing", "price"):
        gestures.correct(world.site, line_key(world), reason, by="terminal")
        round_(world)
    world.clock.forward(days=7)
    round_(world)
    (touch,) = world.files("review")
    assert "X-Winback-Kind: follow-up 1 of track price" in touch.read_text(encoding="utf-8")


def test_what_a_rep_rejected_and_then_named_is_promised_and_kept(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    rejected = careful.move(careful.files("review")[0], "rejected")
    round_(careful)
    assert careful.open_steps() == []
    careful.move(rejected, "price")
    round_(careful)
    assert careful.open_steps() == [("price", 1), ("price", 2)]
    careful.move(careful.files("review")[0], "approved")
    round_(careful)
    careful.clock.forward(days=7, hours=1)
    round_(careful)
    assert len(careful.files("review")) == 1


def test_a_corrected_mail_whose_case_is_over_promises_nothing(careful: World):
    careful.inbox.arrive(mail("Please cancel, I have a work trip and will be back on 10 December."))
    round_(careful)
    first = line_key(careful)
    careful.inbox.arrive(mail("Thank you, let me think.", uid="2"))
    round_(careful)
    gestures.correct(careful.site, first, "timing", by="terminal")
    round_(careful)
    (waiting,) = careful.site.store.drafts.waiting()
    assert "touch" not in waiting.draft.text
    assert "10 December" not in waiting.draft.text
    assert careful.open_steps() == []


def test_a_customer_on_the_phone_for_weeks_gets_no_touch_before_the_acknowledgment(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.clock.forward(days=8)
    round_(careful)
    assert len(careful.files("review")) == 1
    assert steps(careful)[0] == ("moved", "the acknowledgment is not out yet")


def test_trouble_before_the_dot_is_tried_again_later(world: World):
    world.delivery.before_dot = [TryLater("451 greylisted")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    assert world.delivery.delivered_mails == []
    world.clock.forward(minutes=6)
    round_(world)
    assert len(world.delivery.delivered_mails) == 1


def test_a_refused_mail_is_held_with_the_reply(world: World):
    world.delivery.before_dot = [Refused("550 no such user")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (held,) = world.files("held")
    assert "550 no such user" in held.read_text(encoding="utf-8")


def test_an_uncertain_mail_is_never_sent_again_and_reaches_a_person(world: World):
    world.delivery.after_dot = [Uncertain("no answer after the final dot")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    for _ in range(5):
        world.clock.forward(minutes=30)
        round_(world)
    assert world.delivery.delivered_mails == []
    assert "look before you send it again" in world.files("held")[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(("proof", "sent"), [(True, 0), (False, 1)])
def test_a_delivery_that_can_tell_settles_what_was_uncertain(world: World, proof: bool, sent: int):
    world.delivery.after_dot = [Uncertain("no answer")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.delivery.proof = proof
    round_(world)
    assert len(world.delivery.delivered_mails) == sent
    assert world.site.store.overview.counts()["send"] == {"sent": 1}


def test_a_copy_among_the_sent_mail_proves_it_where_the_account_is_known_to_file_it(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.delivery.after_dot = [Uncertain("no answer")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    monkeypatch.setattr(world.inbox, "find", lambda header, value, *, sent: f"<{value}@bluedoor.example>")
    assert jobs.evidence(world.site) == 0
    world.site.store.control.found_out(world.inbox.folder, files_sent=True, now=world.clock())
    assert jobs.evidence(world.site) == 1
    assert world.site.store.overview.counts()["send"] == {"sent": 1}


def test_an_answer_to_an_uncertain_mail_proves_that_it_arrived(world: World):
    world.delivery.after_dot = [Uncertain("no answer")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    line = world.site.store.overview.lines()[0]
    ours = world.site.store.keys.stamp(f"mail:{line.draft}")
    world.inbox.arrive(mail("Thanks!", uid="2", headers=f"In-Reply-To: <{ours}@bluedoor.example>\n"))
    round_(world)
    assert world.site.store.overview.counts()["send"] == {"sent": 1}


def test_when_the_server_is_away_claims_are_given_back(world: World):
    world.delivery.at_open = TryLater("connection refused")
    world.inbox.arrive(mail(CANCEL))
    with pytest.raises(TryLater):
        round_(world)
    assert world.site.store.overview.counts()["send"] == {"queued": 1}


def test_an_unreachable_server_is_asked_once_and_uses_up_no_patience_until_five_days_are_over(world: World):
    for name in ("ana", "bob"):
        world.inbox.arrive(mail(CANCEL, f"{name}@{name}.example", uid=name))
    for job in (jobs.poll, jobs.work):
        job(world.site)
    world.delivery.before_dot = [Unreachable("refused")] * 20
    with pytest.raises(Unreachable):
        jobs.send(world.site)
    assert len(world.delivery.before_dot) == 19
    assert world.site.store.overview.counts()["send"] == {"queued": 2}
    world.clock.forward(days=5)
    with pytest.raises(Unreachable):
        jobs.send(world.site)
    assert world.site.store.overview.counts()["send"] == {"held": 2}


def test_a_tripped_breaker_makes_drafts_only_and_tells_a_person_until_they_say_go(world: World):
    world.site = replace(world.site, caps=Caps(burst=2))
    daemon = Daemon(world.site)
    for name in ("ana", "bob", "cyd"):
        world.inbox.arrive(mail(CANCEL, f"{name}@{name}.example", uid=name))
    assert daemon.once()["watch"] == -1
    world.inbox.arrive(mail(CANCEL, "dan@dan.example", uid="dan"))
    daemon.once()
    assert (len(world.delivery.delivered_mails), len(world.files("review"))) == (2, 1)
    (note,) = world.outbox.glob("NOTE*")
    assert "winback resume" in note.read_text(encoding="utf-8")
    world.site.store.control.resume("terminal", world.clock())
    world.clock.forward(minutes=1)
    daemon._guards.clear()
    daemon.once()
    assert (len(world.delivery.delivered_mails), world.site.store.control.alarms()) == (3, [])
    assert not list(world.outbox.glob("NOTE*"))


def test_the_stop_file_stops_sending_and_nothing_else(world: World):
    stop = world.outbox.parent / "STOP"
    stop.touch()
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    assert world.delivery.delivered_mails == []
    stop.unlink()
    round_(world)
    assert len(world.delivery.delivered_mails) == 1


def test_an_unreadable_mail_is_held_and_shown_and_the_next_one_goes_on(world: World):
    class Picky:
        def read_all(self, raws):
            for raw in raws:
                if b"BOMB" in raw.data:
                    yield raw, Unreadable("it took more than 5 seconds")
                else:
                    yield from plain.read_all([raw])

    plain = world.site.reader
    world.site = replace(world.site, reader=Picky())
    world.inbox.arrive(mail("BOMB", uid="1", sender="Mallory <m@example.net>"))
    world.inbox.arrive(mail(CANCEL, uid="2"))
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert "open it in your mail program" in world.files("held")[0].read_text(encoding="utf-8")


def test_a_mail_that_breaks_the_core_three_times_is_held(world: World):
    def broken(name: str, language: str, values: object) -> object:
        raise RuntimeError("bug")

    world.site = replace(world.site, texts=FakeTexts(broken))
    world.inbox.arrive(mail(CANCEL))
    jobs.poll(world.site)
    for _ in range(3):
        jobs.work(world.site)
    assert world.site.store.overview.causes() == {"poison": 1}


@pytest.mark.parametrize("error", [ValueError("no such token"), Unreadable("it breaks the model: it crashes its process")])
def test_a_mail_that_breaks_the_model_is_held_and_the_others_of_its_batch_go_on(world: World, error: Exception):
    class Picky(WordModel):
        def score(self, texts):
            if any("BOMB" in text for text in texts):
                raise error
            return super().score(texts)

    world.site = replace(world.site, model=Picky())
    world.inbox.arrive(mail("Please cancel. BOMB", uid="1", sender="Mallory <m@example.net>"))
    world.inbox.arrive(mail(CANCEL, uid="2"))
    for _ in range(3):
        round_(world)
    assert [sent.recipient for sent in world.delivery.delivered_mails] == ["maria@example.org"]
    assert world.site.store.overview.causes() == {"poison": 1}


def test_a_mail_that_the_store_cannot_hold_does_not_stop_the_others(world: World):
    class Odd:
        def read_all(self, raws):
            for raw, message in plain.read_all(raws):
                yield raw, replace(message, subject="\udc80") if b"BOMB" in raw.data else message

    plain = world.site.reader
    world.site = replace(world.site, reader=Odd())
    world.inbox.arrive(mail("Hello. BOMB", uid="1", sender="Mallory <m@example.net>"))
    world.inbox.arrive(mail(CANCEL, uid="2"))
    for _ in range(3):
        round_(world)
    assert [sent.recipient for sent in world.delivery.delivered_mails] == ["maria@example.org"]
    assert world.site.store.overview.causes() == {"poison": 1}


def test_a_held_mail_moved_to_a_reason_gets_its_draft(world: World):
    world.inbox.arrive(mail(CANCEL, trusted=False, headers=""))
    world.site.store.people.suppress("maria@example.org", "by hand", world.clock())
    round_(world)
    (held,) = world.files("held")
    assert "does not want mail" in held.read_text(encoding="utf-8")
    world.move(held, "price")
    round_(world)
    assert [file.parent.name for file in world.outbox.glob("*/*.eml")] == ["review"]
    (label,) = world.site.store.overview.corrections()
    assert (label.was_reason, label.reason) == ("price", "price")


def test_a_mail_that_broke_the_core_can_be_answered_by_hand(world: World):
    texts = world.site.texts

    def broken(name: str, language: str, values: object) -> object:
        raise RuntimeError("bug")

    world.site = replace(world.site, texts=FakeTexts(broken))
    world.inbox.arrive(mail(CANCEL))
    jobs.poll(world.site)
    for _ in range(3):
        jobs.work(world.site)
    world.site = replace(world.site, texts=texts)
    round_(world)
    world.move(world.files("held")[0], "price")
    round_(world)
    assert len(world.files("review")) == 1


def test_a_full_disk_stops_fetching_with_a_clear_sentence(world: World):
    world.site = replace(world.site, free_space=lambda: 10)
    with pytest.raises(NeedsHuman, match="Make room"):
        jobs.poll(world.site)


def test_a_new_uidvalidity_answers_nobody_twice(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(hours=1)
    world.inbox.validity = "2"
    world.inbox.arrive(mail(CANCEL, uid="9", sender="Tom <tom@example.org>"), world.clock() - timedelta(minutes=5))
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert [file.name.split(" ")[1] for file in world.files("review")] == ["Tom"]
    assert world.site.store.intake.cursor(FOLDER).epoch == "2"


def test_marks_come_after_the_commit(world: World):
    def break_() -> None:
        raise TryLater("connection lost")

    world.inbox.mark = lambda uids: break_()
    world.inbox.arrive(mail(CANCEL))
    with pytest.raises(TryLater):
        jobs.poll(world.site)
    assert len(world.site.store.intake.received(10)) == 1


def test_old_mail_is_emptied_in_time(world: World):
    world.inbox.arrive(mail("Thank you!"))
    round_(world)
    world.clock.forward(days=181)
    assert jobs.tidy(world.site) == 1


def test_a_bounce_of_a_touch_ends_the_follow_ups(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    line = world.site.store.overview.lines()[0]
    ours = world.site.store.keys.stamp(f"mail:{line.draft}")
    bounce = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nTo: dana@bluedoor.example\nSubject: Undelivered Mail\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nNo such user.\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; maria@example.org\nAction: failed\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{ours}@bluedoor.example>\n\n--b--\n"
    )
    world.inbox.arrive(bounce.replace("\n", "\r\n").encode())
    round_(world)
    assert {cause for _, cause in steps(world)} == {"bounce"}
    assert state(world) is ContactState.SUPPRESSED


def test_the_note_on_a_file_goes_when_the_file_is_gone(careful: World):
    strange = careful.outbox / "approved" / "shopping.txt"
    strange.write_text("milk")
    careful.clock.forward(days=1)
    gestures.collect(careful.site)
    assert len(list(careful.outbox.glob("NOTE*"))) == 1
    strange.unlink()
    gestures.collect(careful.site)
    assert list(careful.outbox.glob("NOTE*")) == []


def test_a_draft_whose_file_vanished_gets_it_again(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (file,) = careful.files("review")
    before = file.read_bytes()
    file.unlink()
    assert jobs.reissue(careful.site) == 1
    round_(careful)
    assert [again.read_bytes() for again in careful.files("review")] == [before]
    assert jobs.reissue(careful.site) == 0


def test_a_draft_that_a_rep_moved_is_not_lost(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "approved")
    assert jobs.reissue(careful.site) == 0


@pytest.mark.parametrize("mangled", [b"", b"X-Winback-Draft: ?\n", b"X-Winback-Draft: 0123456789abcdef\n"])
def test_a_draft_whose_key_line_is_mangled_comes_back_and_is_not_sent(careful: World, mangled: bytes):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (file,) = careful.files("review")
    file.write_bytes(re.sub(rb"X-Winback-Draft: .*\n", mangled, file.read_bytes()))
    careful.move(file, "approved")
    round_(careful)
    assert careful.delivery.delivered_mails == []
    (note,) = careful.outbox.glob("NOTE*")
    assert "its last header line is missing or damaged; a fresh copy lies in review/" in note.read_text(encoding="utf-8")
    round_(careful)
    assert len(careful.files("review")) == 1


def test_a_sent_mail_that_is_moved_to_another_reason_stays_among_the_sent(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (file,) = world.files("sent")
    world.move(file, "timing")
    round_(world)
    assert (world.files("sent"), world.files("timing")) == ([file], [])
    (line,) = world.site.store.overview.lines()
    assert line.reason == "timing"


@pytest.mark.parametrize(
    ("place", "trouble"),
    [("before_dot", Refused), ("before_dot", TryLater), ("after_dot", Uncertain)],
)
def test_a_reply_of_the_server_puts_no_address_into_the_log(
    world: World, caplog: pytest.LogCaptureFixture, place: str, trouble: type[Exception]
):
    setattr(world.delivery, place, [trouble("550 5.1.1 <maria@example.org>: User unknown")])
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    assert "550 5.1.1 <...@...>: User unknown" in caplog.text
    assert "maria@" not in caplog.text
    (line,) = world.site.store.overview.lines()
    assert "maria@example.org" in (send_cause(world, line.draft) or "")


def send_cause(world: World, draft_key: str | None) -> str | None:
    query = sa.select(schema.send.c.cause).where(schema.send.c.draft == draft_key)
    with world.site.store.database.reading() as connection:
        return connection.execute(query).scalar_one()


def notes(world: World) -> str:
    return "\n".join(note.read_text(encoding="utf-8") for note in world.outbox.glob("NOTE*"))


def refused(world: World, why: str = "550 5.7.1 relaying denied") -> Path:
    """The file of a mail that the server refused."""
    world.delivery.before_dot = [Refused(why)]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (held,) = world.files("held")
    return held


def test_a_held_mail_says_what_to_do_and_is_sent_when_it_is_moved_to_approved(world: World):
    held = refused(world)
    (line,) = world.site.store.overview.lines()
    assert f"`winback retry mail:{line.draft}`" in held.read_text(encoding="utf-8")
    world.move(held, "approved")
    round_(world)
    assert [sent.recipient for sent in world.delivery.delivered_mails] == ["maria@example.org"]
    assert [file.parent.name for file in world.outbox.glob("*/*.eml")] == ["sent"]


def test_a_held_mail_that_is_refused_again_lies_in_held_again(world: World):
    world.move(refused(world), "approved")
    world.delivery.before_dot = [Refused("550 5.7.1 still denied")]
    round_(world)
    (held,) = world.files("held")
    assert "still denied" in held.read_text(encoding="utf-8")
    assert world.files("approved") == []


def test_a_held_mail_that_may_have_arrived_is_not_sent_again_by_moving_it(world: World):
    world.delivery.after_dot = [Uncertain("no answer after the final dot")]
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(hours=2)
    round_(world)
    world.move(world.files("held")[0], "approved")
    round_(world)
    assert world.delivery.delivered_mails == []
    assert len(world.files("approved")) == 1
    assert "look whether it arrived. If it did not, say `winback retry mail:" in notes(world)


def test_a_held_mail_with_new_words_is_not_sent_with_the_old_ones(world: World):
    held = refused(world)
    held.write_text(held.read_text(encoding="utf-8").replace("Hi Maria", "Dear Maria"), encoding="utf-8")
    world.move(held, "approved")
    round_(world)
    assert world.delivery.delivered_mails == []
    assert "this file has other words" in notes(world)


def test_a_cancelled_mail_that_is_moved_to_approved_stays_with_a_note(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "approved")
    gestures.collect(careful.site)
    careful.site.store.people.suppress("maria@example.org", "complaint", careful.clock())
    round_(careful)
    careful.move(careful.files("held")[0], "approved")
    round_(careful)
    assert careful.delivery.delivered_mails == []
    assert len(careful.files("approved")) == 1
    assert "cancelled before (complaint)" in notes(careful)


def test_a_sent_mail_that_is_moved_to_approved_goes_back_and_is_not_sent_again(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (file,) = world.files("sent")
    world.move(file, "approved")
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert (world.files("sent"), world.files("approved")) == ([file], [])


@pytest.mark.parametrize("folder", ["sent", "held"])
def test_a_draft_that_slipped_among_the_ended_ones_comes_back_with_its_edits(careful: World, folder: str):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (file,) = careful.files("review")
    file.write_text(file.read_text(encoding="utf-8").replace("Hi Maria", "Dear Maria"), encoding="utf-8")
    careful.move(file, folder)
    round_(careful)
    assert careful.files("review") == [file]
    assert "Dear Maria" in file.read_text(encoding="utf-8")
    assert careful.delivery.delivered_mails == careful.files(folder) == []


def test_after_a_restore_a_draft_among_the_sent_ones_stays_for_it_may_have_been_sent(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    store, (file,) = careful.site.store, careful.files("review")
    with store.database.writing() as connection:
        hold_restored(connection, store.keys, {1: f"mail:{store.drafts.waiting()[0].draft.key}"}, careful.clock())
    moved = careful.move(file, "sent")
    gestures.collect(careful.site)
    assert (careful.files("review"), careful.files("sent")) == ([], [moved])


def test_a_copy_of_a_draft_among_the_ended_ones_is_left_there(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    (file,) = careful.files("review")
    copy = careful.outbox / "sent" / file.name
    copy.write_bytes(file.read_bytes())
    round_(careful)
    assert (careful.files("review"), careful.files("sent")) == ([file], [copy])


def test_a_folder_that_is_dragged_into_approved_is_told(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    folder = careful.outbox / "approved" / "today"
    folder.mkdir()
    careful.files("review")[0].rename(folder / "draft.eml")
    careful.clock.forward(days=365)
    round_(careful)
    assert "approved/today: is a folder" in notes(careful)


def test_an_unreadable_held_mail_is_not_said_to_be_gone(world: World):
    class Blind:
        def read_all(self, raws):
            for raw in raws:
                yield raw, Unreadable("it took more than 5 seconds")

    world.site = replace(world.site, reader=Blind())
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.move(world.files("held")[0], "price")
    round_(world)
    assert "its mail is stored, but winback can't read it" in notes(world)


def test_a_file_with_two_drafts_brings_both_back(careful: World):
    for number, who in enumerate(("maria", "tom")):
        careful.inbox.arrive(mail(CANCEL, uid=str(number), sender=f"{who.title()} <{who}@{who}.example>"))
    round_(careful)
    first, second = careful.files("review")
    key = re.findall(r"X-Winback-Draft: .*\n", second.read_text(encoding="utf-8"))[0]
    first.write_text(first.read_text(encoding="utf-8").replace("X-Winback-Draft", f"{key}X-Winback-Draft"), encoding="utf-8")
    second.unlink()
    careful.move(first, "approved")
    round_(careful)
    assert careful.delivery.delivered_mails == []
    assert "it holds more than one draft; a fresh copy lies in review/" in notes(careful)
    assert careful.files("review") == [first, second]


def test_each_cause_for_which_a_mail_can_be_held_has_a_sentence():
    said = re.findall(r'Outcome\.HOLD, cause="(\w+)"', "".join(file.read_text() for file in CORE.glob("*.py")))
    failed = {"unreadable", "poison"}  # by the store, when a mail can't be read or decided
    assert set(said) >= {"unsure", "trouble", "too_big", "text_refused"}
    assert set(jobs._HELD) == {*said, *HELD_IF_CANCELLED, *failed}


def test_approved_mails_that_wait_are_told_with_the_reason(careful: World):
    careful.inbox.arrive(mail(CANCEL))
    round_(careful)
    careful.move(careful.files("review")[0], "approved")
    careful.delivery.before_dot = [TryLater("451 greylisted")]
    round_(careful)
    assert notes(careful) == ""
    careful.clock.forward(minutes=5)
    gestures.collect(careful.site)
    assert "not sent yet: 1; none is lost\n1 because 451 greylisted (tried again from 2026-11-23 11:06 on)" in notes(careful)
    (careful.outbox.parent / "STOP").touch()
    gestures.collect(careful.site)
    assert "1 because sending is stopped, until somebody says `winback resume`" in notes(careful)
    (careful.outbox.parent / "STOP").unlink()
    careful.clock.forward(minutes=1)
    round_(careful)
    gestures.collect(careful.site)
    assert notes(careful) == ""


def test_an_approved_follow_up_at_night_is_told_to_wait_for_business_hours(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    world.clock.forward(days=8)
    round_(world)
    world.clock.forward(hours=12)
    world.move(world.files("review")[0], "approved")
    round_(world)
    world.clock.forward(minutes=10)
    gestures.collect(world.site)
    assert "1 because follow-ups wait for business hours, from 2026-12-02 09:00 on" in notes(world)


def test_files_of_ended_matters_go_when_the_mails_do(world: World):
    world.inbox.arrive(mail(CANCEL))
    round_(world)
    (file,) = world.files("sent")
    os.utime(file, (world.clock().timestamp(),) * 2)
    jobs.tidy(world.site)
    assert world.files("sent") == [file]
    world.clock.forward(days=181)
    jobs.tidy(world.site)
    assert world.files("sent") == []


def answer(world: World, words: str, uid: str = "2") -> None:
    """The customer answers the last mail that we sent."""
    ours = world.delivery.delivered_mails[-1].message_id
    world.inbox.arrive(
        mail(words, subject="Re: Hello", headers=f"In-Reply-To: {ours}\nReferences: <1@example.org> {ours}\n", uid=uid)
    )


def test_an_answer_to_our_question_gives_the_cancellation_its_reason(world: World):
    world.inbox.arrive(mail("Please cancel my membership."))
    round_(world)
    assert "what made you decide?" in text(world)
    world.clock.forward(hours=2)
    answer(world, "It was too expensive for what I used.")
    round_(world)
    (draft,) = world.files("review")
    words = draft.read_text(encoding="utf-8")
    assert "Thank you for your answer" in words
    assert 'X-Winback-Answers: "what made you decide?"' in words
    first, second = (line for line in world.site.store.overview.lines() if line.draft)
    assert (first.reason, second.reason, len(world.delivery.delivered_mails)) == ("unspecified", "price", 1)
    world.move(draft, "approved")
    round_(world)
    assert "what made you decide?" not in text(world, 1)
    assert [step.track for step in steps_of(world.site.store, second.key)] == ["price", "price"]
    world.clock.forward(days=7)
    round_(world)
    assert len(world.files("review")) == 1  # the first touch of the track for the price


def test_a_question_that_was_not_ours_is_no_context(careful: World):
    """The customer's own question stands below our words, and a rep's edit keeps it there."""
    careful.inbox.arrive(mail("Please cancel it, I am moving. Will you refund me?"))
    round_(careful)
    (draft,) = careful.files("review")
    draft.write_text(draft.read_text(encoding="utf-8").replace("Hi Maria,", "Dear Maria,"), encoding="utf-8")
    careful.move(draft, "approved")
    round_(careful)
    answer(careful, "Thank you!")
    round_(careful)
    assert careful.files("review") == []
    assert careful.site.store.overview.causes() == {"not_a_cancellation": 1}
