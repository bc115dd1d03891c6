"""Write the model card: `python -m pipeline.evaluate CORPUS CARD [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.edges.model import LinearModel
from pipeline.evaluate.card import card
from pipeline.progress import shown


def main(arguments: Sequence[str]) -> None:
    """CORPUS CARD [FILE]: beside the corpus lies the exam, beside the card its last part (`experiments.md`) and `built`."""
    corpus, out, *others = (Path(argument) for argument in arguments)
    experiments = (out.parent / "experiments.md").read_text(encoding="utf-8")
    model = LinearModel.load(out.parent / "built")
    with shown("measuring") as tell:
        text = card(corpus, corpus.parent / "exam", others[0] if others else None, model, experiments, tell)
    out.write_text(text, encoding="utf-8")
    print(text.split("## How well it reads")[1].split("### Confusion")[0])


if __name__ == "__main__":
    main(sys.argv[1:])
