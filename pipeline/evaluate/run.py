"""Carry out an evaluation: on held-out parts of a corpus, or on a file of labelled texts."""

from __future__ import annotations

from pathlib import Path

from pipeline import train
from pipeline.evaluate.files import on_file
from pipeline.evaluate.judging import Model, on_own
from pipeline.evaluate.measures import Judged
from pipeline.progress import shown


def of_corpus(corpus: Path) -> tuple[str, list[Judged]]:
    """A title, and the mails of the corpus as read by models that had not seen their file. Takes minutes."""
    examples = train.read(corpus)
    with shown("evaluating") as tell:
        taught = train.teach(examples, tell)
    best = "full" if "full" in taught.held_out else "words"
    judged = on_own(examples, taught, best, train.day_purposes(examples))
    return f"{len(examples)} mails of the corpus, held out in {train.FOLDS} folds", judged


def of_file(path: Path, model: Model) -> tuple[str, list[Judged]]:
    """A title, and the texts of the file as read by the model. Raises WinbackError when the file can't be used."""
    judged = on_file(path, model)
    return f"{len(judged)} texts of {path.name}", judged
