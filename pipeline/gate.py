"""Say whether a new model may take the place of an old one. Both are measured on mails that neither had seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluate.measures import Judged, macro_f1, recalls

MACRO_F1_MAY_DROP = 0.005
RECALL_MAY_DROP = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How well a model reads the frozen set: each mail of the shipped corpus, read by a model that had not seen its file.

    The lessons of a site are learnt in every fold, so the set shows what they do to the reading of all other mails.
    """

    macro_f1: float
    recall: Mapping[str, float]


def standing(judged: Sequence[Judged]) -> Standing:
    """How well the texts were read, rounded as it is stored."""
    recall = {label: round(value, 4) for label, value in recalls(judged).items()}
    return Standing(macro_f1=round(macro_f1(judged), 4), recall=recall)


def plain(known: Standing) -> dict[str, Any]:
    """A standing as it stands in model.json."""
    return {"macro_f1": known.macro_f1, "recall": dict(known.recall)}


def read(stored: Mapping[str, Any]) -> Standing:
    """A standing from model.json. Raises KeyError when it is none."""
    return Standing(macro_f1=stored["macro_f1"], recall=stored["recall"])


def objections(new: Standing, old: Standing) -> list[str]:
    """Why the new model may not replace the old one, in sentences; empty when it may."""
    found = []
    if _drops(old.macro_f1, new.macro_f1, MACRO_F1_MAY_DROP):
        found.append(f"macro-F1 falls from {old.macro_f1:.3f} to {new.macro_f1:.3f} (at most {MACRO_F1_MAY_DROP} is allowed)")
    for label, before in sorted(old.recall.items()):
        now = new.recall.get(label, 0.0)
        if _drops(before, now, RECALL_MAY_DROP):
            found.append(
                f"of {label} {now:.1%} are found instead of {before:.1%} (at most {RECALL_MAY_DROP:.0%} less is allowed)"
            )
    return found


def _drops(before: float, now: float, allowed: float) -> bool:
    return round(before - now, 6) > allowed
