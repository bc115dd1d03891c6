"""Make the figures of the report out of the facts of a period: counting and a little statistics, nothing else."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

from pipeline.core.figures import (
    ALARM_WINDOW,
    Alarm,
    AnswerFigure,
    Bucket,
    Change,
    ChangeFigure,
    CorrectionFigure,
    EditFigure,
    Facts,
    Figures,
    LetterRules,
    Matter,
    Moment,
    MoneyFigure,
    Period,
    Quote,
    ReasonFigure,
    Settled,
    Share,
    TextSent,
)
from pipeline.core.records import Intent, Reason

DAY = timedelta(days=1)
ENOUGH = 10  # a share of fewer customers says nothing yet, however it looks
YOUNG = 30 * DAY  # who cancelled later than this before the end may well still come back
ALARM_LEAST = 3  # customers who name the same cause
QUOTES = 3
LONGEST_QUOTE = 140  # characters

# Could the business have done something about it (playbook S0.4)? First by the reason, then by what refines it.
_BY_REASON: Mapping[Reason, Change] = {
    Reason.PRICE: Change.CAN,
    Reason.SERVICE: Change.CAN,
    Reason.TIMING: Change.CANNOT,
    Reason.NOT_READY: Change.CANNOT,
    Reason.OTHER: Change.UNKNOWN,
    Reason.UNSPECIFIED: Change.UNKNOWN,
}
_BY_SUBREASON: Mapping[str, Change] = {
    **dict.fromkeys(
        "cheaper_elsewhere price_rise budget competitor still_comparing quality late unresponsive rude billing provider_side"
        " feature_gap hard_to_use not_using".split(),
        Change.CAN,
    ),
    **dict.fromkeys(
        "need_ended moved hardship illness bereavement emergency travel work childcare weather transport schedule_conflict"
        " changed_mind diy closing pregnancy wrong_person postponed".split(),
        Change.CANNOT,
    ),
}

# So many days, at most, and the bars of the picture are of that many days.
_BAR_DAYS = ((14, 1), (126, 7), (math.inf, 28))

_Z = 1.959964  # 95 %, both sides


def figures(facts: Facts, period: Period, timezone: str, currency: str = "") -> Figures:
    """The report of a period. `timezone` is that of the business, whose days are counted; `currency` that of its prices."""
    zone = ZoneInfo(timezone)
    all_cancelled = sorted((m for m in facts.matters if m.intent is Intent.CANCEL), key=lambda m: (m.arrived, m.key))
    matters = [one for one in facts.matters if period.holds(one.arrived)]
    cancelled = [one for one in all_cancelled if period.holds(one.arrived)]
    asked = sum(one.intent is Intent.RESCHEDULE for one in matters)
    returns = _returns(facts, cancelled)
    bar_days, buckets = _buckets(cancelled, period, zone)
    rep_settled = [one for one in facts.settled if not one.automatic]
    return Figures(
        period=period,
        timezone=timezone,
        cancellations=len(cancelled),
        customers=len({one.who for one in cancelled}),
        other_date=share(asked, asked + len(cancelled)),
        held=facts.held,
        came_back=_came_back(facts, period),
        returned=share(len(returns), len(cancelled)),
        young=sum(one.arrived > period.end - YOUNG for one in cancelled if one.key not in returns),
        loyal=_loyal(facts, cancelled, returns),
        reasons=_reasons(cancelled),
        buckets=buckets,
        bucket_days=bar_days,
        changes=_changes(cancelled),
        answers=_answers(matters),
        by_reason=_rates(((_reason(one), one.key) for one in cancelled), returns),
        by_track=_rates(((track, one.key) for one in cancelled for track in one.tracks), returns),
        by_text=_by_text(facts.texts, cancelled, returns),
        money=_money(cancelled, returns, currency),
        automatic=len(facts.settled) - len(rep_settled),
        drafts=_edited("", rep_settled),
        edits=_edits(rep_settled),
        corrections=_corrections(facts),
        alarms=_alarms(all_cancelled, period),
    )


def share(count: int, of: int) -> Share:
    """`count` of `of` with Wilson's score interval (Wilson 1927), which is right for few and for none as well."""
    if not of:
        return Share(count=0, of=0, low=0.0, high=1.0, enough=False)
    part, spread = count / of, _Z**2 / of
    middle = (part + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(part * (1 - part) / of + spread / (4 * of)) / (1 + spread)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Share(count=count, of=of, low=low, high=high, enough=of >= ENOUGH)


def change(reason: Reason, subreason: str | None) -> Change:
    """Whether the business could have done something about it; the finer reason goes first."""
    return _BY_SUBREASON.get(subreason or "", _BY_REASON[reason])


def week(rules: LetterRules, timezone: str, now: datetime) -> Period:
    """The last seven whole days for which the weekly letter is due: they end at midnight of its weekday."""
    zone = ZoneInfo(timezone)
    local = now.astimezone(zone)
    last = local.date() - timedelta(days=(local.weekday() - rules.day) % 7)
    if datetime.combine(last, rules.at, zone) > now:
        last -= timedelta(days=7)
    return Period(start=_midnight(last - timedelta(days=7), zone), end=_midnight(last, zone))


def shortened(words: str) -> str:
    """A customer's words as a report may show them: one short line, without addresses, links and long numbers."""
    text = " ".join(_TELLING.sub("…", words).split())
    if len(text) <= LONGEST_QUOTE:
        return text
    return text[:LONGEST_QUOTE].rpartition(" ")[0].rstrip(" ,;:-") + " …"


_TELLING = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+|\+?\d(?:[ ./()-]{0,2}\d){5,}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _reason(one: Matter) -> Reason:
    return one.reason or Reason.UNSPECIFIED


def _by_customer(moments: Iterable[Moment]) -> Mapping[str, list[datetime]]:
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for moment in moments:
        found[moment.who].append(moment.at)
    return {who: sorted(times) for who, times in found.items()}


def _returns(facts: Facts, cancelled: Iterable[Matter]) -> Mapping[str, datetime]:
    """When the customer of a cancellation came back, by its key: after it, and before they cancelled anew."""
    back, again = _by_customer(facts.came_back), _by_customer(facts.cancelled)
    found = {}
    for one in cancelled:
        until = _next(again.get(one.who, ()), one.arrived)
        came = _next(back.get(one.who, ()), one.arrived)
        if came and (until is None or came < until):
            found[one.key] = came
    return found


def _next(times: Iterable[datetime], after: datetime) -> datetime | None:
    return next((moment for moment in times if moment > after), None)


def _came_back(facts: Facts, period: Period) -> int:
    """Customers who came back in the period after a cancellation of whatever time."""
    first = {who: times[0] for who, times in _by_customer(facts.cancelled).items()}
    return len({one.who for one in facts.came_back if period.holds(one.at) and one.who in first and first[one.who] < one.at})


def _loyal(facts: Facts, cancelled: Iterable[Matter], returns: Mapping[str, datetime]) -> Share:
    again = _by_customer(facts.cancelled)
    back = [one for one in cancelled if one.key in returns]
    return share(sum(_next(again.get(one.who, ()), returns[one.key]) is None for one in back), len(back))


def _reasons(cancelled: Sequence[Matter]) -> tuple[ReasonFigure, ...]:
    found = []
    for reason in Reason:
        ours = [one for one in cancelled if _reason(one) is reason]
        if ours:
            finer = Counter(one.subreason for one in ours if one.subreason)
            quotes = _quotes(ours, QUOTES) if reason is not Reason.UNSPECIFIED else ()  # they tell nothing of a reason
            found.append(ReasonFigure(reason=reason, count=len(ours), subreasons=_most_first(finer), quotes=quotes))
    return tuple(sorted(found, key=lambda figure: -figure.count))


def _most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _quotes(matters: Sequence[Matter], most: int) -> tuple[Quote, ...]:
    """The newest words, one quote a customer."""
    found: dict[str, Quote] = {}
    for one in reversed(matters):
        text = shortened(one.words[-1]) if one.words else ""
        if text and one.who not in found and text not in {quote.text for quote in found.values()}:
            found[one.who] = Quote(text=text, reason=_reason(one), subreason=one.subreason)
    return tuple(found.values())[:most]


def _buckets(cancelled: Sequence[Matter], period: Period, zone: ZoneInfo) -> tuple[int, tuple[Bucket, ...]]:
    """Bars of equal length, counted back from the end of the period, oldest first."""
    end = (period.end - timedelta(microseconds=1)).astimezone(zone).date() + DAY
    days = max(1, (end - period.start.astimezone(zone).date()).days)
    length = next(bar for most, bar in _BAR_DAYS if days <= most)
    bars: list[list[Matter]] = [[] for _ in range(math.ceil(days / length))]
    for one in cancelled:
        bars[(end - DAY - one.arrived.astimezone(zone).date()).days // length].append(one)
    return length, tuple(
        Bucket(
            day=end - (place + 1) * length * DAY,
            counts=dict(Counter(_reason(one) for one in bar)),
            causes=_most_first(Counter(one.subreason for one in bar if one.subreason)),
        )
        for place, bar in reversed(list(enumerate(bars)))
    )


def _changes(cancelled: Sequence[Matter]) -> tuple[ChangeFigure, ...]:
    found = []
    for kind in Change:
        ours = [one for one in cancelled if change(_reason(one), one.subreason) is kind]
        causes = Counter(one.subreason or str(_reason(one)) for one in ours)
        found.append(ChangeFigure(change=kind, count=len(ours), causes=_most_first(causes)))
    return tuple(found)


def _answers(matters: Sequence[Matter]) -> AnswerFigure:
    fresh = [one for one in matters if not one.old]
    waits = sorted(max(timedelta(), one.answered - one.arrived) for one in fresh if one.answered)
    if not waits:
        return AnswerFigure(waiting=len(fresh))
    return AnswerFigure(
        answered=len(waits),
        waiting=len(fresh) - len(waits),
        median=timedelta(seconds=median(wait.total_seconds() for wait in waits)),
        slow=waits[math.ceil(0.9 * len(waits)) - 1],
    )


def _rates(named: Iterable[tuple[str, str]], returns: Mapping[str, datetime]) -> tuple[tuple[str, Share], ...]:
    """The share that came back for each name, the largest group first."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for name, key in named:
        groups[name].add(key)
    found = [(str(name), share(len(keys & returns.keys()), len(keys))) for name, keys in groups.items()]
    return tuple(sorted(found, key=lambda pair: (-pair[1].of, pair[0])))


def _by_text(
    texts: Iterable[TextSent], cancelled: Iterable[Matter], returns: Mapping[str, datetime]
) -> tuple[tuple[str, Share], ...]:
    """For each text how many of those who got it came back after it; whoever was back before is left out."""
    keys = {one.key for one in cancelled}
    reached = ((text.template, text.matter) for text in texts if _in_time(text.at, returns.get(text.matter)))
    return tuple(sorted(_rates(((name, key) for name, key in reached if key in keys), returns)))


def _in_time(sent: datetime, came_back: datetime | None) -> bool:
    return came_back is None or sent < came_back


def _money(cancelled: Sequence[Matter], returns: Mapping[str, datetime], ours: str) -> tuple[MoneyFigure, ...]:
    lost: defaultdict[str, list[Decimal]] = defaultdict(list)
    back: defaultdict[str, list[Decimal]] = defaultdict(list)
    for one in cancelled:
        if one.price:
            (back if one.key in returns else lost)[one.price.currency or ours].append(one.price.amount)
    return tuple(
        MoneyFigure(
            currency=currency,
            lost=sum(lost[currency], start=Decimal()),
            won_back=sum(back[currency], start=Decimal()),
            known=len(lost[currency]) + len(back[currency]),
        )
        for currency in sorted(lost.keys() | back.keys())
    )


def _edits(settled: Sequence[Settled]) -> tuple[EditFigure, ...]:
    """By text, those first that were changed or refused most often."""
    names = {one.template for one in settled}
    found = [_edited(name, [one for one in settled if one.template == name]) for name in names]
    return tuple(sorted(found, key=lambda one: (-one.edited - one.rejected, one.template)))


def _edited(template: str, settled: Sequence[Settled]) -> EditFigure:
    rejected = sum(one.rejected for one in settled)
    edited = sum(one.edited for one in settled if not one.rejected)
    return EditFigure(template=template, as_it_was=len(settled) - rejected - edited, edited=edited, rejected=rejected)


def _corrections(facts: Facts) -> tuple[CorrectionFigure, ...]:
    counts = Counter((one.was, one.became) for one in facts.corrected if one.was != one.became)
    found = [CorrectionFigure(was=was, became=became, count=count) for (was, became), count in counts.items()]
    return tuple(sorted(found, key=lambda one: (-one.count, one.was, one.became)))


def _alarms(cancelled: Sequence[Matter], period: Period) -> tuple[Alarm, ...]:
    """What most customers of a reason name of late, if the business can change it. Customers are counted, not their mails."""
    recent = [one for one in cancelled if period.end - ALARM_WINDOW <= one.arrived < period.end]
    found = (alarm for reason in Reason for alarm in _alarm([one for one in recent if _reason(one) is reason], reason))
    return tuple(sorted(found, key=lambda alarm: -alarm.count))


def _alarm(matters: Sequence[Matter], reason: Reason) -> Iterator[Alarm]:
    everybody = {one.who for one in matters}
    named: defaultdict[str, set[str]] = defaultdict(set)
    for one in matters:
        if one.subreason and change(reason, one.subreason) is Change.CAN:
            named[one.subreason].add(one.who)
    for subreason, who in sorted(named.items()):
        if len(who) >= ALARM_LEAST and 2 * len(who) > len(everybody):
            quotes = _quotes([one for one in matters if one.subreason == subreason], QUOTES)
            yield Alarm(
                reason=reason, subreason=subreason, count=len(who), of=len(everybody), days=ALARM_WINDOW.days, quotes=quotes
            )
