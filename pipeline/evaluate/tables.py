"""The figures as tables, whatever they are written in afterwards: Markdown, plain text, a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.evaluate.measures import (
    THRESHOLDS,
    Judged,
    by_chance,
    by_class,
    cancellation,
    days,
    figures,
    flagged,
    reason_f1,
    sent,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of short texts under a head, all of one length; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as Markdown."""
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.head, ("---",) * len(self.head), *self.rows))

    def plain(self) -> str:
        """The table in columns for a terminal: names to the left, figures to the right."""
        widths = [max(len(row[column]) for row in (self.head, *self.rows)) for column in range(len(self.head))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])
            for row in (self.head, *self.rows)
        ]
        return "\n".join(line.rstrip() for line in lines)


def of_figures(columns: Mapping[str, Sequence[Judged]]) -> Table:
    """The figures that matter, a column for each set of texts."""
    found = [figures(judged) for judged in columns.values()]
    rows = tuple((name, *(f"{column[name]:.3f}" for column in found)) for name in found[0])
    return Table(head=("figure", *columns), rows=rows)


def of_classes(judged: Sequence[Judged]) -> Table:
    """Precision, recall and F1 of each reading, and its F1 in each language."""
    spoken = [by_class([each for each in judged if each.lang == lang]) for lang in ("en", "es")]
    counts = Counter(each.label for each in judged)
    rows = tuple(
        (
            label,
            *(f"{value:.3f}" for value in values),
            *(f"{part[label][2]:.3f}" if label in part else "-" for part in spoken),
            str(counts[label]),
        )
        for label, values in by_class(judged).items()
    )
    return Table(head=("reading", "precision", "recall", "F1", "F1 English", "F1 Spanish", "texts"), rows=rows)


def of_confusion(judged: Sequence[Judged]) -> Table:
    """How often each label was read as what."""
    counts = Counter((each.label, each.said) for each in judged)
    labels = sorted({each.label for each in judged})
    said = sorted({each.said for each in judged} | set(labels))
    rows = tuple((label, *(str(counts[label, other]) for other in said)) for label in labels)
    return Table(head=("label \\ read as", *said), rows=rows)


def of_thresholds(judged: Sequence[Judged]) -> Table:
    """What `sure_at` trades: how much is answered without a person, and how many of those answers are wrong."""
    found = [(threshold, *sent(judged, threshold)) for threshold in THRESHOLDS]
    rows = tuple((f"{threshold:.2f}", f"{answered:.0%}", f"{wrong:.1%}") for threshold, answered, wrong in found)
    return Table(head=("sure_at", "answered without review", "wrong among them"), rows=rows)


def of_flags(judged: Sequence[Judged]) -> Table | None:
    """How well `sensitive` and `opt_out` are recognised, rules included; None where nobody labelled them."""
    found = {
        "sensitive": flagged([each.sensitive for each in judged]),
        "opt_out": flagged([each.opt_out for each in judged]),
    }
    rows = tuple(
        (name, f"{known[0]:.3f}", f"{known[1]:.3f}", str(known[2])) for name, known in found.items() if known is not None
    )
    return Table(head=("flag", "precision", "recall", "texts"), rows=rows) if rows else None


def of_days(judged: Sequence[Judged]) -> Table | None:
    """How well days are found; None where nobody labelled them."""
    known = days(judged)
    if known is None:
        return None
    rows = (
        ("labelled days that were found", known.found, known.labelled),
        ("... and whose purpose was right", known.right_purpose, known.labelled),
        ("... and which were the right day", known.right, known.labelled),
        ("days read where no label speaks of one", known.unlabelled, known.read),
        ("days read and acted upon, where the label says otherwise or nothing", known.wrong, known.read),
    )
    told = tuple((name, f"{part:.3f}", str(of)) for name, part, of in rows if part is not None)
    return Table(head=("days", "share", "of"), rows=told)


def of_chance(judged: Sequence[Judged]) -> Table:
    """What is asked of whole mails, and how far it moves with the choice of the mails; where nobody labelled it, 0."""
    rows = tuple(
        (name, f"{figure(judged):.3f}", *(f"{bound:.3f}" for bound in by_chance(judged, figure)))
        for name, figure in _ASKED.items()
    )
    return Table(head=("figure", "here", "from", "to"), rows=rows)


def _flag(name: str, which: int) -> Callable[[Sequence[Judged]], float]:
    def figure(judged: Sequence[Judged]) -> float:
        known = flagged([getattr(each, name) for each in judged])
        return known[which] if known else 0.0

    return figure


def _days(name: str) -> Callable[[Sequence[Judged]], float]:
    return lambda judged: getattr(days(judged), name, None) or 0.0


_ASKED: Mapping[str, Callable[[Sequence[Judged]], float]] = {
    "cancellation F1": lambda judged: cancellation(judged)[2],
    "reason macro-F1 on recognised cancellations": reason_f1,
    "precision of sensitive": _flag("sensitive", 0),
    "recall of sensitive": _flag("sensitive", 1),
    "precision of opt_out": _flag("opt_out", 0),
    "recall of opt_out": _flag("opt_out", 1),
    "days with the right purpose and day": _days("right"),
    "days acted upon wrongly": _days("wrong"),
}
