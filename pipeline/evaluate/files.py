"""Read a file of labelled texts, whatever its format."""

from __future__ import annotations

from pathlib import Path

from pipeline import train
from pipeline.errors import BadFile
from pipeline.evaluate.judging import Model, judge
from pipeline.evaluate.labels import labelled_rows
from pipeline.evaluate.mails import on_mails
from pipeline.evaluate.measures import Judged
from pipeline.evaluate.others import on_others


def on_file(path: Path, model: Model) -> list[Judged]:
    """The labelled texts of a file, read by a model. Raises BadFile with a sentence for each mistake.

    Each line is one text as JSON: like those of our corpus (models/corpus/README.md), a whole mail (models/exam/README.md), or
    with id, subject, body, lang, label_intent, label_reason, also, also_intent and hard_negative. Of a folder all `*.jsonl`
    files are read; they are of one format.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise BadFile(f"{path}: holds no file that ends in .jsonl")
    rows = [row for _, row in labelled_rows(files)]
    if not rows:
        raise BadFile(f"{path}: is empty: expected one JSON object a line, see models/corpus/README.md")
    if "label_intent" in rows[0]:
        if judged := on_others(rows, model):
            return judged
        raise BadFile(f"{path}: no text is labelled `cancel` or `none` under label_intent")
    if "mail" in rows[0]:
        return on_mails(rows, model)
    examples = [train.example(row, path.stem) for row in rows]
    scores = model.score([example.text for example in examples])
    return [judge(example, score) for example, score in zip(examples, scores, strict=True)]
