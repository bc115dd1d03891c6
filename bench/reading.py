"""Measure how fast words become verdicts: one core, batches of 200, the texts of the generated mailbox.

make bench runs it; .venv/bin/python bench/reading.py --mails 500 --rounds 3
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from boxes import mailbox

from pipeline import config
from pipeline.core import flow
from pipeline.core.records import History, Message, Place, Raw, Rules, Scores
from pipeline.core.understand import understand
from pipeline.edges.model import LinearModel

BATCH = 200


def messages(count: int) -> list[Message]:
    found = []
    for number, data in enumerate(mailbox(count)):
        place = Place(folder="bench", epoch="1", uid=str(number))
        found.append(flow.read(Raw(key=place.key, place=place, arrived=datetime(2026, 1, 5, tzinfo=UTC), data=data)))
    return found


def screened(mails: list[Message], rules: Rules) -> list[Message]:
    """Those that are not settled by their headers alone."""
    return [mail for mail in mails if flow.matters(flow.look(mail, History(), rules))]


def seconds(mails: list[Message], model: LinearModel, rules: Rules) -> tuple[float, float]:
    """CPU time of screening, which settles machines as in the product, and from the words of the others to their verdicts."""
    screening = reading = 0.0
    for at in range(0, len(mails), BATCH):
        began = time.process_time()
        asked = screened(mails[at : at + BATCH], rules)
        looked = time.process_time()
        scores: list[Scores] = model.score([flow.words(mail) for mail in asked])
        for mail, score in zip(asked, scores, strict=True):
            understand(mail, score, rules)
        screening, reading = screening + looked - began, reading + time.process_time() - looked
    return screening, reading


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--mails", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=5)
    asked = options.parse_args()
    rules, mails = config.load(ROOT / "config.yaml").rules(), messages(asked.mails)
    began = time.perf_counter()
    model = LinearModel.load(ROOT / "models" / "built")
    model.score(["please cancel my appointment, something came up"])
    loaded = time.perf_counter() - began
    words = LinearModel.load(ROOT / "models" / "built")
    words._encoder = None
    rounds = [(*seconds(mails, model, rules), *seconds(mails, words, rules)) for _ in range(asked.rounds)]
    print("\n| ms a mail, one core (median) | screening by headers | from words to verdict |\n|---|---|---|")
    times = [1000 * statistics.median(each) / asked.mails for each in zip(*rounds, strict=True)]
    for name, (screening, reading) in (("with meaning", times[:2]), ("words alone", times[2:])):
        print(f"| {name} | {screening:.2f} | {reading:.2f} |")
    print(f"\nthe model is loaded and has scored a first text after {loaded:.1f} s")


if __name__ == "__main__":
    main()
