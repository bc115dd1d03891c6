"""Build the model: from the shipped corpus and from what reps corrected. A worse one never takes the place of a better one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import app, gate, train
from pipeline.config import Config
from pipeline.core import flow
from pipeline.core.lessons import chosen
from pipeline.core.records import Lesson, Message
from pipeline.edges import shelf
from pipeline.edges.model import FORMAT
from pipeline.errors import WinbackError
from pipeline.evaluate.judging import on_own
from pipeline.gate import Standing
from pipeline.progress import shown
from pipeline.site import Site

SIGHUP = "A running daemon takes it over at SIGHUP (kill -HUP)"


class Kept(WinbackError):
    """The old model stays: the new one is worse."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lessons:
    """What a site teaches: the mails with what reps said of them, and how many corrections were left out for which cause."""

    examples: tuple[train.Example, ...] = ()
    left_out: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A model that is in no folder yet, and how it stands on the frozen set when it reads with all that is installed."""

    about: dict[str, Any]
    weights: bytes
    kind: str  # what it reads with then: `words`, or `full` with the sentence encoder
    standing: Standing


def lessons(site: Site) -> Lessons:
    """The corrections of a site as examples: the customers' new words with the reps' labels."""
    kept, left_out = chosen(site.store.overview.corrections())
    raws = [raw for raw in map(site.store.intake.raw, [lesson.message for lesson in kept]) if raw]
    read = {raw.key: message for raw, message in site.reader.read_all(raws) if isinstance(message, Message)}
    examples = [_example(read[lesson.message], lesson) for lesson in kept if lesson.message in read]
    gone = {"its mail is not stored any more (privacy.keep_raw) or can't be read": len(kept) - len(examples)}
    return Lessons(examples=tuple(examples), left_out=left_out | {cause: count for cause, count in gone.items() if count})


def _example(message: Message, lesson: Lesson) -> train.Example:
    """What a rep did not say (how sensitive a mail is, whether it opts out) is not taught."""
    labels = dict.fromkeys((*train.OF_ALL, *train.OF_CANCELLATIONS))
    return train.Example(
        id=lesson.message,
        text=flow.words(message),
        lang="",
        group="lessons",
        labels=labels | {"intent": str(lesson.intent), "reason": lesson.reason and str(lesson.reason)},
    )


def build(examples: Sequence[train.Example], taught_here: Sequence[train.Example] = ()) -> Built:
    """Learn, and measure what was learnt on held-out examples. The same mails give the same bytes."""
    with shown("learning") as tell:
        taught = train.teach(examples, tell, taught_here)
    kind = "full" if "full" in taught.held_out else "words"
    standing = gate.standing(on_own(examples, taught, kind))
    about = {
        "format": FORMAT,
        "heads": taught.heads,
        "mails": len(examples),
        "corpus": train.digest(examples),
        "lessons": sorted(each.id for each in taught_here),
        "held_out": {kind: gate.plain(standing)},
    }
    return Built(about=about, weights=train.packed(taught.arrays), kind=kind, standing=standing)


def ship(corpus: Path, folder: Path) -> str:
    """Build the model that comes with winback, from the corpus alone, and say so. Raises WinbackError."""
    built = build(train.read(corpus))
    shelf.put(folder, built.about, built.weights)
    return f"{folder}: the model was built from {_sources(built)}"


def learn(site: Site, config: Config, corpus: Path) -> str:
    """Build a site's model from the corpus and the reps' corrections, and say what became of it.

    Raises Kept when it is worse than the model in use, or than the one that comes with winback; then nothing is changed.
    """
    examples, folder, found = train.read(corpus), config.model.folder, lessons(site)
    built = build(examples, found.examples)
    told = [f"learnt from {_sources(built)}", *(f"left out: {count}: {cause}" for cause, count in found.left_out.items())]
    new = built.standing
    for old in _rivals([app.model_folder(config), app.SHIPPED_MODEL], built) or [build(examples).standing]:
        against = gate.objections(new, old)
        if against:
            raise Kept("\n".join([*told, *(f"the old model stays: {why}" for why in against)]))
    told.append(f"macro-F1 on mails that neither had seen: {old.macro_f1:.3f} before, {new.macro_f1:.3f} now")
    shelf.put(folder, built.about, built.weights)
    told.append(f"{folder}: holds the new model; `winback train --rollback` brings the old one back. {SIGHUP}")
    return "\n".join(told)


def _rivals(folders: Sequence[Path], built: Built) -> list[Standing]:
    """How the models in these folders stand, if measured like this one on the same mails; the one in use comes last."""
    found = []
    for folder in dict.fromkeys(reversed(folders)):
        said = shelf.about(folder) or {}
        if said.get("corpus") == built.about["corpus"] and built.kind in said.get("held_out", {}):
            found.append(gate.read(said["held_out"][built.kind]))
    return found


def _sources(built: Built) -> str:
    own, here = built.about["mails"], len(built.about["lessons"])
    reads = "words and meaning" if built.kind == "full" else "words alone, because the sentence encoder is not installed"
    return f"{own} mails" + (f" and {here} corrections" if here else "") + f" ({reads})"


def roll_back(folder: Path) -> str:
    """Bring the model back that was there before the last training, and say so. Raises WinbackError when there is none."""
    if shelf.about(folder) is None:
        raise WinbackError(f"{folder}: holds no model of your own, so there is none to go back from")
    if folder == app.SHIPPED_MODEL and shelf.about(folder / shelf.BEFORE) is None:
        raise WinbackError(f"{folder}: holds the model that comes with winback, and no older one")
    if shelf.back(folder):
        return f"{folder}: holds the model from before the last training again. {SIGHUP}"
    return f"{folder}: holds no model any more; the one that comes with winback is used. {SIGHUP}"


def forget(folder: Path, mails: Sequence[str]) -> str | None:
    """Take every model away that has learnt from these mails (keys), and say what to do; None when none had."""
    if not shelf.forget(folder, mails):
        return None
    return (
        f"{folder}: the model had learnt from their mails and is gone; run `winback train` to learn again from the other"
        f" corrections, until then an older one is used. {SIGHUP}, and has the old one in memory till then"
    )
