"""The words of the report: the letter as an owner reads it, and the pieces that the pages are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from approved import FOLDER, approved
from report_facts import END, QUARTER, SHOP, WEEK, ZONE, facts
from site_of import ROOT

from pipeline.config import TRACKS
from pipeline.core import reason_words, report_words
from pipeline.core.figures import Facts, Period
from pipeline.core.reason_words import LANGUAGES
from pipeline.core.records import Address, Reason
from pipeline.core.report import figures, share

DAY = timedelta(days=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_of_a_week_is_the_one_that_was_approved(language: str):
    letter = report_words.letter(figures(facts(WEEK), WEEK, ZONE), SHOP, language)
    told = f"{letter.subject}\n\n{letter.body}\n"
    assert told == approved(f"letter.{language}.txt", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_of_a_quiet_week_is_the_one_that_was_approved(language: str):
    nameless = replace(SHOP, sender=Address(address="office@bluedoor.example"))
    letter = report_words.letter(figures(Facts(), WEEK, ZONE), nameless, language)
    told = f"{letter.subject}\n\n{letter.body}\n"
    assert told == approved(f"letter-quiet.{language}.txt", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_every_finer_one_has_words(language: str):
    assert set(reason_words._CAUSES) == TRACKS - set(Reason)
    assert all(reason_words.reason(reason, language) for reason in Reason)
    assert len({reason_words.over(reason, language) for reason in Reason}) == len(Reason)


def test_a_cause_without_words_is_shown_as_it_is():
    assert reason_words.cause("own_garden", "en") == "own garden"


@pytest.mark.parametrize(
    ("length", "en", "es"),
    [
        (timedelta(days=7), "16 to 22 November 2026", "del 16 al 22 de noviembre de 2026"),
        (timedelta(days=1), "22 November 2026", "22 de noviembre de 2026"),
        (timedelta(days=30), "24 October to 22 November 2026", "del 24 de octubre al 22 de noviembre de 2026"),
        (
            timedelta(days=365),
            "23 November 2025 to 22 November 2026",
            "del 23 de noviembre de 2025 al 22 de noviembre de 2026",
        ),
    ],
)
def test_a_period_is_named_by_its_first_and_last_day(length: timedelta, en: str, es: str):
    # Local midnights: an hour more where summer time ended between.
    found = figures(Facts(), Period(start=END - length, end=END), ZONE)
    assert (report_words.days(found, "en"), report_words.days(found, "es")) == (en, es)


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (20, "a minute", "1 min"),
        (240, "4 minutes", "4 min"),
        (5880, "1 hour and 38 minutes", "1 h 38 min"),
        (7200, "2 hours", "2 h"),
        (3 * 86400, "3 days", "3 d"),
    ],
)
def test_a_wait_is_told_long_and_short(seconds: int, long: str, short: str):
    length = timedelta(seconds=seconds)
    assert (report_words.wait(length, "en"), report_words.short_wait(length)) == (long, short)


def test_a_share_of_few_is_told_without_a_percentage():
    assert report_words.rate(share(2, 7), "en") == ("2 of 7", "not enough data yet")
    assert report_words.rate(share(3, 12), "es") == ("3 de 12", "25 %, probablemente del 9 al 53 %")
    rows = [("Price", share(2, 7)), ("Service", share(3, 12)), ("Timing", share(0, 1))]
    assert report_words.few(rows, "en") == "Not enough data yet: Price 2 of 7, Timing 0 of 1"
    assert report_words.few(rows[1:2], "en") == ""


def test_an_alarm_is_one_plain_sentence():
    (alarm,) = figures(facts(), QUARTER, ZONE).alarms
    assert report_words.alarm(alarm, "en") == (
        "4 of 6 customers who cancelled over the service in the last 10 days name the same thing: late arrival."
    )
    assert "4 de 6 clientes" in report_words.alarm(alarm, "es")


def test_the_page_for_admins_shows_the_letter():
    letter = (FOLDER / "letter.en.txt").read_text(encoding="utf-8")
    shown = "\n".join(f"    {line}" if line else "" for line in letter.rstrip("\n").splitlines())
    assert shown in (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
