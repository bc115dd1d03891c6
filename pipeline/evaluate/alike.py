"""Measure how many mails of a corpus nearly repeat another: `python -m pipeline.evaluate.alike CORPUS`. Changes nothing."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from pipeline.evaluate.labels import labelled_rows, of_corpus

RUN = 4  # words
FEWEST = 8  # different runs: a shorter mail says what everybody says


def near_duplicates(texts: Iterable[str]) -> tuple[int, int]:
    """How many texts share more than half of their runs of four words with one earlier text, and how many texts there are."""
    holders: dict[str, list[int]] = {}
    near = number = 0
    for number, text in enumerate(texts, 1):
        runs = _runs(text)
        if len(runs) >= FEWEST:
            shared = Counter(chain.from_iterable(holders.get(run, ()) for run in runs))
            near += 2 * max(shared.values(), default=0) > len(runs)
        for run in runs:
            holders.setdefault(run, []).append(number)
    return near, number


def _runs(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def told(near: int, total: int) -> str:
    """The figures in words."""
    return f"{near} of {total:,} mails ({near / max(total, 1):.2%})"


def main(corpus: Path) -> None:
    """Print the rate of a corpus folder."""
    rows = labelled_rows(sorted(corpus.glob("*.jsonl")), of_corpus)
    found = told(*near_duplicates(row["text"] for _, row in rows))
    print(f"{found} share more than half of their four-word runs with an earlier one (of those with {FEWEST} or more)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
