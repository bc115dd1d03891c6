"""Whatever the bytes: a mail is read or refused with a reason, in time, and its answer goes to its sender or nowhere.

FUZZ_INPUTS says how many mails are tried (100,000), FUZZ_FROM with which number to begin.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import MONDAY

from pipeline.core.records import Place, Raw
from pipeline.edges.reader import Reader
from pipeline.errors import Unreadable
from reliability import fuzz

INPUTS = int(os.environ.get("FUZZ_INPUTS", "100000"))
FIRST = int(os.environ.get("FUZZ_FROM", "0"))
TOLD = 20  # failures


def numbers() -> Iterator[Raw]:
    for number in range(FIRST, FIRST + INPUTS):
        place = Place(folder="fuzz", epoch="1", uid=str(number))
        yield Raw(key=str(number), place=place, arrived=MONDAY, data=str(number).encode())


@pytest.mark.slow
def test_no_mail_crashes_hangs_or_steers_what_reads_it(tmp_path: Path):
    read = answered = 0
    failures = list[str]()
    with Reader(fuzz.judge, workers=2) as reader:
        for raw, got in reader.read_all(numbers()):
            judged = fuzz.Judged(wrong=str(got)) if isinstance(got, Unreadable) else got
            read += judged.read
            answered += judged.answered
            if judged.wrong and len(failures) < TOLD:
                file = tmp_path / f"{raw.key}.eml"
                file.write_bytes(fuzz.mail(int(raw.key)))
                failures.append(f"FUZZ_FROM={raw.key} FUZZ_INPUTS=1: {judged.wrong}; the mail: {file}")
    print(f"{INPUTS} mails from number {FIRST}: {read} read, {answered} answered, the others refused")
    assert failures == [], "\n".join(failures)
    assert INPUTS < 1_000 or (read > INPUTS * 0.9 and answered > INPUTS * 0.005), "the mails are too wild to tell anything"


def test_a_mail_is_the_same_wherever_it_is_made():
    assert [fuzz.mail(number) for number in range(20)] == [fuzz.mail(number) for number in range(20)]
    assert len({fuzz.mail(number) for number in range(200)}) > 190
