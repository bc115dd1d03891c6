"""S0.4: tell a reason the business can change from one it can't, and turn the first kind into learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fakes import WordModel, World, mail, make_world

from pipeline import gestures, jobs, report_page
from pipeline.core.figures import Change, Figures, Period
from pipeline.core.records import Scores
from pipeline.core.report import figures

MAILS = (
    ("ana", "Please cancel. I was treated in a rude way: you were late again, I waited forty minutes."),
    ("ben", "I cancel my membership, the lady at the desk was rude and you started half an hour late."),
    ("eva", "Please cancel my sessions. Always late, and rude about it: write to me at eva@example.org if you must."),
    ("leo", "Please cancel my membership, it is too expensive for me."),
    ("sol", "We are moving to Portland, so please cancel our subscription."),
    ("mia", "Please cancel, my mother died last week and we are moving."),
)


class FineModel(WordModel):
    """Knows a few finer causes as well."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        found = []
        for text, scores in zip(texts, super().score(texts), strict=True):
            finer = "late" if "late" in text else "moved" if "moving" in text else ""
            grief = {"bereavement": 0.99} if "died" in text else {}
            found.append(replace(scores, subreason={finer: 0.99} if finer else {}, sensitive=grief))
        return found


def learnt(folder: Path) -> tuple[World, Figures]:
    """The report after six customers wrote, each for a reason of their own."""
    world, model = make_world(folder), FineModel()
    world.site = replace(world.site, model=model)
    jobs.poll(world.site)
    world.clock.forward(minutes=1)
    for number, (name, text) in enumerate(MAILS):
        world.inbox.arrive(mail(text, sender=f"{name.title()} <{name}@example.org>", uid=str(number)))
    for job in (jobs.poll, jobs.work, jobs.publish):
        job(world.site)
    now = world.clock()
    period = Period(start=now - timedelta(days=7), end=now + timedelta(minutes=1))
    return world, figures(world.site.store.report.facts(period), period, "Europe/Madrid")


def test_what_can_be_changed_is_told_from_what_can_not(tmp_path: Path):
    _, found = learnt(tmp_path)
    counts = {one.change: one.count for one in found.changes}
    assert (found.cancellations, counts[Change.CAN], counts[Change.CANNOT]) == (6, 4, 2)


def test_the_owner_reads_the_customers_own_words_but_no_address_and_no_grief(tmp_path: Path):
    world, found = learnt(tmp_path)
    for language in ("en", "es"):
        for told in (
            report_page.text(found, world.site.rules.business, language),
            report_page.html(found, world.site.rules.business, language),
        ):
            assert "too expensive for me" in told
            assert "We are moving to Portland" in told
            assert "example.org" not in told
            assert "mother" not in told


def test_a_cause_that_most_of_them_name_is_told_in_plain_words(tmp_path: Path):
    world, found = learnt(tmp_path)
    assert [(alarm.count, alarm.of) for alarm in found.alarms] == [(3, 3)]
    told = report_page.text(found, world.site.rules.business, "en")
    assert "3 of 3 customers who cancelled over the service in the last 10 days name the same thing: late arrival." in told


def test_a_reason_that_a_rep_corrects_is_corrected_in_the_report(tmp_path: Path):
    world, before = learnt(tmp_path)
    line = next(line for line in world.site.store.overview.lines() if line.sender == "leo@example.org")
    assert gestures.correct(world.site, line.key, "service", by="outbox")
    world.clock.forward(seconds=30)
    after = figures(world.site.store.report.facts(before.period), before.period, "Europe/Madrid")
    assert {str(one.reason): one.count for one in after.reasons}["service"] == 4
    assert [(one.was, one.became) for one in after.corrections] == [("price", "service")]
