"""One evaluation as it is shown: for a terminal, and as plain values for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluate import measures, tables
from pipeline.evaluate.measures import Judged

WORST = 20
SHOWN = 300  # characters of a text


def text(title: str, judged: Sequence[Judged]) -> str:
    """Everything that matters, for a terminal."""
    parts = [title, *(f"{name}\n{table.plain()}" if name else table.plain() for name, table in sections(judged))]
    return "\n\n".join([*parts, "Surest of themselves and wrong", "\n".join(_error(each) for each in _worst(judged))]) + "\n"


def sections(judged: Sequence[Judged]) -> list[tuple[str, tables.Table]]:
    """The tables with their titles, in the order in which they are shown."""
    found = (
        ("", tables.of_figures({"all": judged})),
        ("By reading", tables.of_classes(judged)),
        ("Confusion", tables.of_confusion(judged)),
        ("Flags", tables.of_flags(judged)),
        ("Days", tables.of_days(judged)),
        ("When it may answer by itself", tables.of_thresholds(judged)),
    )
    return [(name, table) for name, table in found if table is not None]


def plain(title: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """The same as plain values, ready for JSON; shares are 0..1."""
    flags = {name: measures.flagged([getattr(each, name) for each in judged]) for name in ("sensitive", "opt_out")}
    known = measures.days(judged)
    counts = Counter((each.label, each.said) for each in judged)
    return {
        "title": title,
        "texts": len(judged),
        "figures": measures.figures(judged),
        "by_reading": {lang: _classes([each for each in judged if lang in ("all", each.lang)]) for lang in ("all", "en", "es")},
        "confusion": [{"label": label, "read_as": said, "texts": count} for (label, said), count in sorted(counts.items())],
        "by_coverage": [
            {"coverage": share, "accuracy": measures.accuracy(judged, share)} for share in measures.COVERAGES if judged
        ],
        "by_confidence": _bins(judged),
        "flags": {
            name: {"precision": found[0], "recall": found[1], "texts": found[2]} for name, found in flags.items() if found
        },
        "days": known
        and {
            "labelled": known.labelled,
            "found": known.found,
            "right_purpose": known.right_purpose,
            "read": known.read,
            "unlabelled": known.unlabelled,
            "right": known.right,
            "wrong": known.wrong,
        },
        "sure_at": [
            {"sure_at": threshold, "answered": answered, "wrong": wrong}
            for threshold in measures.THRESHOLDS
            for answered, wrong in [measures.sent(judged, threshold)]
        ],
        "worst": [_plain_error(each) for each in _worst(judged)],
    }


def _classes(judged: Sequence[Judged]) -> dict[str, Mapping[str, float]]:
    return {
        label: {"precision": precision, "recall": recall, "f1": f1}
        for label, (precision, recall, f1) in measures.by_class(judged).items()
    }


def _bins(judged: Sequence[Judged]) -> list[dict[str, float]]:
    return [
        {
            "from": number / measures.BINS,
            "texts": len(part),
            "confidence": measures.mean([each.confidence for each in part]),
            "accuracy": measures.accuracy(part),
        }
        for number, part in enumerate(measures.by_confidence(judged))
        if part
    ]


def _worst(judged: Sequence[Judged]) -> list[Judged]:
    return measures.worst(judged, WORST)


def _error(each: Judged) -> str:
    words = " ".join(each.text.split())[:SHOWN]
    evidence = " / ".join(" ".join(piece.split()) for piece in each.evidence)
    shown = f"\n    because of: {evidence}" if evidence else ""
    return f"{each.id}: {each.label}, read as {each.said} ({each.confidence:.0%})\n    {words}{shown}"


def _plain_error(each: Judged) -> dict[str, Any]:
    return {
        "id": each.id,
        "label": each.label,
        "read_as": each.said,
        "confidence": round(each.confidence, 4),
        "evidence": list(each.evidence),
        "text": each.text[:SHOWN],
    }
