from __future__ import annotations

from pathlib import Path

import pytest

from evaluate.test_files import OURS, file_of
from pipeline.evaluate import alike

LONG = "I have to cancel my class on Thursday because the bus no longer stops in our street"


def test_a_text_is_a_near_duplicate_if_it_shares_most_of_its_runs_with_one_earlier_text():
    half = "I have to cancel my class on Thursday, and there is not much more that can be said of it"
    assert alike.near_duplicates([LONG, LONG.upper().replace("BUS", "tram"), half]) == (1, 3)


def test_runs_that_many_share_make_no_two_texts_alike():
    first, second = LONG[: LONG.index("the bus")], LONG[LONG.index("the bus") :]
    assert alike.near_duplicates([f"{first} I am ill and stay at home", f"{second} so here I am again", LONG])[0] == 0


def test_what_everybody_says_is_no_near_duplicate():
    assert alike.near_duplicates(["please cancel my class on Thursday"] * 3) == (0, 3)


def test_the_rate_of_a_corpus_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file_of(tmp_path, {**OURS, "text": LONG}, {**OURS, "text": LONG})
    alike.main(tmp_path)
    assert capsys.readouterr().out.startswith("1 of 2 mails (50.00%) share more than half")
