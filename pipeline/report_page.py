"""Lay out the report to the owner: text for a terminal, JSON for programs, and one HTML page that needs nothing else."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.config import duration
from pipeline.core import reason_words, report_words
from pipeline.core.compose import day_in_words
from pipeline.core.figures import Alarm, ChangeFigure, Figures, Period, ReasonFigure, Share
from pipeline.core.records import Business, Reason
from pipeline.core.report_words import counted, quoted, say
from pipeline.errors import WinbackError

_DAY = timedelta(days=1)
_WIDTH = 96  # characters of a line on a terminal
_BAR = 24  # characters of the longest bar on a terminal
_HEIGHT = 120  # pixels of the highest bar on the page
_LABELS = 4  # days that have room under the bars on a telephone


def period(first: date | None, last: date | None, length: str, timezone: str, now: datetime) -> Period:
    """From the first day to the last, both whole, by the business's clock; without a first day, so long up to the last.

    Without a last day it ends now. Raises WinbackError when there is no such time.
    """
    zone = ZoneInfo(timezone)
    try:
        back = duration(length)
    except ValueError as error:
        raise WinbackError(f"--last {length}: expected a duration with its unit (d, w or mo), such as 30d") from error
    end = datetime.combine(last + _DAY, time(), zone) if last else now
    start = datetime.combine(first, time(), zone) if first else end - back
    if start >= end:
        raise WinbackError(f"the report would begin on {start:%Y-%m-%d} and end before: name an earlier --from or a later --to")
    return Period(start=start, end=end)


def plain(figures: Figures) -> dict[str, Any]:
    """The figures as values that JSON knows: times as ISO 8601 text, durations in seconds, money as decimal text."""
    return {name: _plain(value) for name, value in asdict(figures).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Decimal) else value


def text(figures: Figures, business: Business, language: str) -> str:
    """The report for a terminal."""
    lines = [say("title", language), f"{business.name}, {report_words.days(figures, language)}", *_overview(figures, language)]
    for title, part in _parts(figures, language):
        lines += ["", title.upper(), *(f"  {line}" if line else "" for line in part)]
    return "\n".join(lines) + "\n"


def _overview(figures: Figures, language: str) -> list[str]:
    if not figures.cancellations and not figures.other_date.count:
        return ["", say("nobody", language)]
    return [
        "",
        f"{figures.cancellations} {say('cancelled', language)}, "
        f"{figures.returned.count} {say('returned', language)}, "
        f"{figures.other_date.count} {say('another', language)}",
        *([counted("held", figures.held, language)] if figures.held else []),
    ]


def _parts(figures: Figures, language: str) -> Iterator[tuple[str, list[str]]]:
    if figures.alarms:
        yield say("alarms", language), [line for found in figures.alarms for line in _alarm_lines(found, language)]
    if figures.cancellations:
        yield say("why", language), [line for one in figures.reasons for line in _reason_lines(one, figures, language)]
        yield say("time", language), _time_lines(figures, language)
        yield say("change", language), [_change_line(one, figures, language) for one in figures.changes if one.count]
    if answered := report_words.answers(figures, language):
        yield say("answer", language), list(answered)
    if figures.cancellations:
        yield say("back", language), list(_back_lines(figures, language))
        yield say("worth", language), list(report_words.worth(figures, language)) or [say("no_price", language)]
    yield (
        say("reps", language),
        [
            *report_words.drafts(figures, language),
            *report_words.changed_texts(figures, language),
            *report_words.corrections(figures, language),
        ],
    )


def _alarm_lines(found: Alarm, language: str) -> list[str]:
    return [report_words.alarm(found, language), *(f"  {quoted(quote, language)}" for quote in found.quotes)]


def _reason_lines(one: ReasonFigure, figures: Figures, language: str) -> list[str]:
    most = figures.reasons[0].count
    bar = "█" * max(1, round(_BAR * one.count / most))
    finer = report_words.listed(one.subreasons, language)
    return [
        f"{reason_words.reason(one.reason, language):20} {one.count:4}  {bar}",
        *([f"{'':27}{finer}"] if finer else []),
        *(f"{'':27}{quoted(quote, language)}" for quote in one.quotes),
    ]


def _time_lines(figures: Figures, language: str) -> list[str]:
    most = max(sum(bucket.counts.values()) for bucket in figures.buckets)
    lines = []
    for bucket in figures.buckets:
        total = sum(bucket.counts.values())
        bar = "█" * math.ceil(_BAR * total / most)
        causes = report_words.listed(bucket.causes, language)
        lines.append(f"{day_in_words(bucket.day, language):20} {total:4}  {bar:{_BAR}}  {causes}".rstrip())
    return lines


def _change_line(one: ChangeFigure, figures: Figures, language: str) -> str:
    part = say("of", language, count=one.count, of=figures.cancellations)
    return f"{say(one.change, language)}: {part} ({report_words.listed(one.causes, language)})"


def _back_lines(figures: Figures, language: str) -> Iterator[str]:
    yield _rate_line(say("all", language), figures.returned, language)
    yield from report_words.came_back(figures, language)
    for title, rows in _rates(figures, language):
        yield ""
        yield title
        yield from (f"  {_rate_line(name, share, language)}" for name, share in rows if share.enough)
        yield from (f"  {line}" for line in textwrap.wrap(report_words.few(rows, language), _WIDTH))


def _rate_line(name: str, share: Share, language: str) -> str:
    return f"{name:24} {': '.join(report_words.rate(share, language))}"


def _rates(figures: Figures, language: str) -> list[tuple[str, list[tuple[str, Share]]]]:
    named = [
        ("by_reason", [(_named(name, language), share) for name, share in figures.by_reason]),
        ("by_track", [(_named(name, language), share) for name, share in figures.by_track]),
        ("by_text", list(figures.by_text)),
    ]
    return [(say(key, language), rows) for key, rows in named if rows]


def _named(name: str, language: str) -> str:
    return reason_words.reason(name, language) if name in frozenset(Reason) else reason_words.cause(name, language)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One coloured piece of a picture: where it begins and how long it is, across in percent, upwards in pixels."""

    kind: str
    at: float
    length: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar of the picture over time: its middle and left edge in percent, its blocks from the ground up."""

    left: float
    middle: float
    width: float
    total: int
    top: float
    label: str
    blocks: tuple[Block, ...]


def bars(figures: Figures, language: str) -> tuple[Bar, ...]:
    """The bars of the picture over time, the highest as high as the picture."""
    count = len(figures.buckets)
    most = max((sum(bucket.counts.values()) for bucket in figures.buckets), default=0) or 1
    every = math.ceil(count / _LABELS)
    step = 100 / count
    found = []
    for place, bucket in enumerate(figures.buckets):
        blocks, height = [], 0.0
        for reason in Reason:
            if bucket.counts.get(reason):
                length = _HEIGHT * bucket.counts[reason] / most
                height += length
                blocks.append(Block(kind=reason, at=round(_HEIGHT - height, 2), length=round(length, 2)))
        found.append(
            Bar(
                left=round(place * step + step * 0.12, 2),
                middle=round((place + 0.5) * step, 2),
                width=round(step * 0.76, 2),
                total=sum(bucket.counts.values()),
                top=round(_HEIGHT - height, 2),
                label=_short_day(bucket.day, language) if place % every == 0 else "",
                blocks=tuple(blocks),
            )
        )
    return tuple(found)


def _short_day(day: date, language: str) -> str:
    return f"{day.day} {day_in_words(day, language).rpartition(' ')[2][:3]}"


def split(figures: Figures) -> tuple[Block, ...]:
    """One bar across, divided by what the business can change."""
    found, at = [], 0.0
    for one in figures.changes:
        if one.count:
            length = 100 * one.count / figures.cancellations
            found.append(Block(kind=one.change, at=round(at, 2), length=round(length, 2)))
            at += length
    return tuple(found)


def html(figures: Figures, business: Business, language: str) -> str:
    """The report as one HTML page: no script, no request, as readable on a telephone as on paper."""
    return _PAGE.render(
        f=figures,
        business=business,
        language=language,
        days=report_words.days(figures, language),
        bars=bars(figures, language),
        height=_HEIGHT,
        split=split(figures),
        rates=_rates(figures, language),
        say=lambda key, **values: say(key, language, **values),
        words=report_words,
        reason=lambda name: reason_words.reason(name, language),
        counts=lambda found: ", ".join(f"{reason_words.reason(name, language)} {count}" for name, count in found.items()),
        listed=lambda causes: report_words.listed(causes, language),
        day=lambda moment: day_in_words(moment, language),
        held=counted("held", figures.held, language) if figures.held else "",
    )


_PAGE = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, undefined=StrictUndefined
).get_template("report_page.html")
