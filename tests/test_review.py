"""What reps say in the terminal counts the words that lie in the file, and nothing is told that is not so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import World, mail, make_world

from pipeline import gestures, jobs, review
from pipeline.errors import NeedsHuman, Refused, TextRefused, Uncertain, WinbackError

CANCEL = "Please cancel my membership, it is too expensive for me."


def round_(world: World) -> None:
    for job in (jobs.poll, jobs.work, gestures.collect, jobs.publish, jobs.send, jobs.publish):
        job(world.site)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A site with one draft that waits."""
    made = make_world(tmp_path, acknowledgments="review")
    jobs.poll(made.site)
    made.clock.forward(minutes=1)
    made.inbox.arrive(mail(CANCEL))
    round_(made)
    yield made
    made.site.store.close()


def key(world: World) -> str:
    return next(line.draft for line in world.site.store.overview.lines() if line.draft)


def edit(world: World, old: str, new: str) -> Path:
    (file,) = world.files("review")
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return file


def sent(world: World) -> str:
    round_(world)
    (one,) = world.delivery.delivered_mails
    return one.data.decode()


def test_an_edited_file_is_shown_and_sent_as_edited(world: World):
    edit(world, "Hi Maria,", "Dear Maria,")
    edit(world, "Subject: Re: Hello", "Subject: Your membership")
    subject, text, remark = review.words(world.site, review.find(world.site, key(world)))
    assert (subject, "Dear Maria," in text) == ("Your membership", True)
    assert remark.startswith("edited in review/")
    assert "as edited in its file" in review.approve(world.site, key(world)[:6])
    assert "Dear Maria," in sent(world)
    assert "Subject: Your membership" in sent(world)


def test_an_untouched_file_is_sent_as_it_was(world: World):
    assert review.words(world.site, review.find(world.site, key(world)))[2] == ""
    assert "edited" not in review.approve(world.site, key(world))
    assert "Hi Maria," in sent(world)


def test_half_a_file_is_refused(world: World):
    (file,) = world.files("review")
    words = file.read_text(encoding="utf-8")
    file.write_text(words[: words.index("I have your message") + 12], encoding="utf-8")
    with pytest.raises(TextRefused, match="half saved"):
        review.approve(world.site, key(world))
    assert len(world.site.store.drafts.waiting()) == 1


def test_a_file_that_lost_its_key_is_refused(world: World):
    edit(world, "X-Winback-Draft", "X-Winback-Daft")
    with pytest.raises(WinbackError, match="last header line is missing"):
        review.approve(world.site, key(world))


def test_two_files_with_different_words_are_refused(world: World):
    (file,) = world.files("review")
    file.with_name("copy.eml").write_text(file.read_text(encoding="utf-8").replace("Hi", "Hello"), encoding="utf-8")
    with pytest.raises(WinbackError, match="different words"):
        review.approve(world.site, key(world))
    assert "different words" in review.words(world.site, review.find(world.site, key(world)))[2]


def test_what_a_rep_has_moved_is_not_approved_over_its_head(world: World):
    world.move(world.files("review")[0], "price")
    with pytest.raises(WinbackError, match="lies in price/"):
        review.approve(world.site, key(world))


def test_what_slipped_into_sent_is_not_approved_without_its_edits(world: World):
    world.move(world.files("review")[0], "sent")
    with pytest.raises(WinbackError, match="lies in sent/"):
        review.approve(world.site, key(world))


class ReadOnly:
    """An outbox on a disk that takes nothing any more."""

    def __init__(self, whole: object) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> object:
        return getattr(self._whole, name)

    def discard(self, *which: str) -> None:
        raise NeedsHuman("outbox/review: Read-only file system")


@pytest.mark.parametrize(("act", "state"), [(review.approve, "approved"), (review.reject, "rejected")])
def test_on_a_read_only_disk_it_is_told_what_happened(world: World, act, state: str):
    site = replace(world.site, outbox=ReadOnly(world.site.outbox))
    said = act(site, key(world))
    assert f"is {state}" in said
    assert "its file still lies in review/" in said
    assert "Read-only file system" in said
    assert review.find(world.site, key(world)).state == state


def held(world: World, trouble: Exception) -> None:
    place = world.delivery.before_dot if isinstance(trouble, Refused) else world.delivery.after_dot
    place.append(trouble)
    review.approve(world.site, key(world))
    round_(world)
    world.clock.forward(hours=2)
    round_(world)


@pytest.mark.parametrize("name", ["mail:{}", "{}"])
@pytest.mark.parametrize("trouble", [Refused("550 relaying denied"), Uncertain("no answer")])
def test_a_beginning_is_enough_to_retry_and_the_old_file_goes(world: World, trouble: Exception, name: str):
    held(world, trouble)
    assert len(world.files("held")) == 1
    assert "is tried again" in review.retry(world.site, name.format(key(world)[:8]))
    assert world.files("held") == []
    round_(world)
    assert len(world.delivery.delivered_mails) == 1
    assert [file.parent.name for file in world.outbox.glob("*/*.eml")] == ["sent"]


def test_an_unknown_key_is_told_where_keys_stand(world: World):
    with pytest.raises(WinbackError, match=r"nothing that is held .* outbox/held/"):
        review.retry(world.site, "0123")


def test_two_held_things_need_more_of_the_key(world: World):
    held(world, Refused("550 denied"))
    world.delivery.before_dot = [Refused("550 denied")]
    world.inbox.arrive(mail(CANCEL, "Tom <tom@example.com>", uid="2"))
    round_(world)
    (waiting,) = world.site.store.drafts.waiting()
    review.approve(world.site, waiting.draft.key)
    round_(world)
    with pytest.raises(WinbackError, match="2 things that are held"):
        review.retry(world.site, "mail:")


def test_the_old_file_of_a_held_mail_goes_when_it_is_read_again(world: World):
    class Broken:
        def read_all(self, raws):
            for raw in raws:
                yield raw, review.jobs.Unreadable("it took more than 5 seconds")

    site, world.site = world.site, replace(world.site, reader=Broken())
    world.inbox.arrive(mail(CANCEL, "Tom <tom@example.com>", uid="2"))
    round_(world)
    world.site = site
    ((mail_key, _),) = site.store.drafts.held_like("")
    review.retry(site, mail_key[:8])
    assert world.files("held") == []
    round_(world)
    assert len(world.files("review")) == 2


def test_a_held_mail_that_reading_again_does_not_help_keeps_its_file_and_says_why(world: World):
    world.inbox.arrive(mail(CANCEL, "Tom <tom@example.com>", uid="2"))
    world.site.store.people.suppress("tom@example.com", "by hand", world.clock())
    round_(world)
    ((mail_key, _),) = world.site.store.drafts.held_like("")
    with pytest.raises(WinbackError, match="does not want mail"):
        review.retry(world.site, mail_key)
    assert len(world.files("held")) == 1


def test_a_note_that_answers_no_mail_is_not_said_to_have_lost_it(world: World):
    from pipeline import people

    people.no_show(world.site, "eva@example.net", "2026-11-23 09:00")
    (note,) = [stored for stored in world.site.store.drafts.waiting() if stored.draft.template.startswith("no_show")]
    with pytest.raises(WinbackError, match="a note to who did not come answers no mail"):
        review.correct(world.site, note.draft.key, "price")
