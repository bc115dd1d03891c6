"""Read a file of labelled texts, whatever its format."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline import train
from pipeline.errors import WinbackError
from pipeline.evaluate.judging import Model, judge
from pipeline.evaluate.mails import on_mails
from pipeline.evaluate.measures import Judged
from pipeline.evaluate.others import on_others


def on_file(path: Path, model: Model) -> list[Judged]:
    """The labelled texts of a file, read by a model. Raises WinbackError when the file can't be used.

    Each line is one text as JSON: like those of our corpus (models/corpus/README.md), a whole mail (models/exam/README.md), or
    with id, subject, body, lang, label_intent, label_reason, also, also_intent and hard_negative. Of a folder all `*.jsonl`
    files are read; they are of one format.
    """
    try:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not rows:
            raise ValueError("it is empty")
        if "label_intent" in rows[0]:
            return on_others(rows, model)
        if "mail" in rows[0]:
            return on_mails(rows, model)
        examples = [train.example(row, path.stem) for row in rows]
        scores = model.score([example.text for example in examples])
        return [judge(example, score) for example, score in zip(examples, scores, strict=True)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        formats = "see models/corpus/README.md, and models/exam/README.md for whole mails"
        raise WinbackError(f"{path}: is not a file of labelled texts ({error!r}): {formats}") from error
