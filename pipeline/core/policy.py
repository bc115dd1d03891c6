"""Say what a cancellation costs by the business's own policy, with the arithmetic. Advice to a rep: it decides nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from pipeline.core.records import Booking, Charge, Costs, Intent, Line, Package, Policy, Reason, Sensitive, Verdict, digest

# The sub-reason for which no customer ever pays: we could not keep the appointment ourselves.
OURS = "provider_side"

# What a rep is told when a person has to decide and no amount should be named.
SENSITIVE = Line(key="sensitive")

_FORESEEN = frozenset({Reason.PRICE, Reason.SERVICE, Reason.NOT_READY})
_SENSITIVE = frozenset(str(kind) for kind in Sensitive)
_SERVICE = frozenset("service quality late unresponsive rude billing feature_gap hard_to_use".split())

# Decimals of a currency's minor unit where they are not two (ISO 4217, list one).
_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_EXACT = Context(prec=40, rounding=ROUND_HALF_UP)
_FAR = timedelta(days=100_000)  # longer before the start than anybody cancels
_ZERO = Decimal(0)
_NONE = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancellation:
    """When a cancellation came, how many late ones of this customer came before it, and its cause; None is "not known".

    `late_before` counts those that were late without an exception. `cause` is a sub-reason, a sensitive situation or a reason,
    as `cause_of` finds it. Raises ValueError for a negative count.
    """

    at: datetime | None = None
    late_before: int | None = None
    cause: str | None = None

    def __post_init__(self) -> None:
        if self.late_before is not None and self.late_before < 0:
            raise ValueError(f"cancellation.late_before: expected 0 or more, got {self.late_before}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a cancellation comes to: money to charge, to give back and to keep as credit, and what becomes of sessions.

    `forfeited` sessions of a package are used up; `extended` ones become `extra` longer each. None: it can't be said.
    """

    charge: Decimal | None = _ZERO
    refund: Decimal | None = _ZERO
    credit: Decimal | None = _ZERO
    forfeited: int | None = 0
    extended: int | None = 0
    extra: timedelta | None = _NONE


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice(Figures):
    """What the policy says of one cancellation, for a rep: no part of it goes to a customer by itself.

    A figure holds whatever the unknown facts turn out to be; otherwise it is None, and `unknown` names the facts it hangs on.
    Amounts are in `currency`, rounded half up to its minor unit. `new_date`: the cause is known as an exception, so another
    date without any loss is offered first, and the figures are for a customer who wants none. `section` is the part of the
    policy that says so, `next_section` the one that counts the next time. `lines` tell it step by step with the arithmetic.
    """

    currency: str
    new_date: bool
    section: str
    next_section: str | None
    unknown: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One way in which the facts that decide between rules may be. `cause` is "" for everything that excuses nothing."""

    notice: timedelta
    before: int
    cause: str
    package: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bill:
    """What rules ask for, before anything is let go: a cost in money (None: unknown for lack of `needs`), or sessions."""

    section: str
    cost: Decimal | None = _ZERO
    package: str = ""
    forfeited: int | None = 0
    needs: frozenset[str] = frozenset()
    lines: tuple[Line, ...] = ()

    @property
    def free(self) -> bool:
        """The rules ask for nothing, so nothing need be let go."""
        return self.cost == 0 and self.forfeited == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What comes of one case. `ending` are the lines after those of the bill, `needs` the facts that figures lack.

    `open` are the rules by which those facts would be turned into figures.
    """

    figures: Figures
    section: str
    bill: _Bill
    next_section: str | None = None
    needs: frozenset[str] = frozenset()
    open: tuple[Line, ...] = ()
    ending: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return (*self.bill.lines, *self.ending)


_Outcomes = Mapping[_Case, _Outcome]


def advise(policy: Policy, booking: Booking, cancellation: Cancellation) -> Advice:
    """What this cancellation costs by the policy, or which facts are missing to say so.

    Unknown facts that decide between rules (how late, why, how often before, which package) are tried in every way there is;
    a figure on which all of them agree is given.
    """
    outcomes = _outcomes(policy, booking, cancellation)
    base = next(iter(outcomes.values()))
    unknown = _unknown(booking, cancellation, outcomes)
    return Advice(
        **_agreed([outcome.figures for outcome in outcomes.values()], policy.currency),
        currency=policy.currency,
        new_date=policy.new_date and base.section == "exceptions",
        section=base.section,
        next_section=base.next_section,
        unknown=unknown,
        lines=tuple(_story(policy, booking, cancellation, outcomes, unknown)),
    )


def cause_of(verdict: Verdict, policy: Policy) -> str | None:
    """Why a customer cancels, as far as the policy must know; None when that is not known.

    An exception goes before any other reading: kindness does not depend on which of two causes was noticed first.
    """
    found = [str(cause) for cause in (verdict.sensitive, verdict.subreason) if cause]
    if found:
        return next((cause for cause in found if cause in policy.exceptions), found[0])
    return str(verdict.reason) if verdict.intent is Intent.CANCEL and verdict.reason in _FORESEEN else None


def is_late(policy: Policy, booking: Booking, cancellation: Cancellation) -> bool | None:
    """Whether a cancellation comes with less notice than is asked for and without an excuse; None: that can't be said.

    These are the ones that grace counts. A cause that is not known is no excuse yet.
    """
    if policy.notice is None or cancellation.cause == OURS or cancellation.cause in policy.exceptions:
        return False
    span = _span(booking, cancellation)
    if span is None:
        return None
    least, most = span
    return most < policy.notice if (least < policy.notice) == (most < policy.notice) else None


def version(policy: Policy) -> str:
    """Twelve hex digits that stand for these rules: the same rules give the same digits, however they are written down."""
    return digest("policy", *(f"{part.name}={_plain(getattr(policy, part.name))}" for part in fields(policy)))[:12]


def _plain(value: object) -> str:
    """A value in the one way of writing that equal values share."""
    if isinstance(value, Decimal):
        return format(value.normalize(_EXACT), "f")
    if isinstance(value, timedelta):
        return str(value // timedelta(seconds=1))
    if isinstance(value, Charge | Package):
        return ",".join(_plain(getattr(value, part.name)) for part in fields(value))
    if isinstance(value, Mapping):
        return ";".join(f"{name!r}:{_plain(value[name])}" for name in sorted(value))
    if isinstance(value, tuple | frozenset):
        return ";".join(sorted(_plain(item) for item in value))
    return str(value)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units of the currency (cents, mostly), half up."""
    return amount.quantize(Decimal(1).scaleb(-_DECIMALS.get(currency, 2)), context=_EXACT)


def _outcomes(policy: Policy, booking: Booking, cancellation: Cancellation) -> _Outcomes:
    """The outcome of every case that may be the one; the first of them is the plain rule, at the shortest notice."""
    cases = _cases(policy, booking, cancellation)
    trouble = _trouble(policy, booking)
    if trouble:
        unknown = Figures(**dict.fromkeys((part.name for part in fields(Figures)), None))
        return {
            cases[0]: _Outcome(figures=unknown, section="contact", bill=_Bill(section="contact"), needs=frozenset({trouble}))
        }
    booking = _in_minor_units(booking, policy.currency)
    return {case: _outcome(policy, booking, case) for case in cases}


def _trouble(policy: Policy, booking: Booking) -> str | None:
    """Which fact of the booking this policy has no rule for, or None."""
    if booking.currency is not None and booking.currency != policy.currency:
        return "currency"
    return "package_name" if booking.package and booking.package not in policy.packages else None


def _in_minor_units(booking: Booking, currency: str) -> Booking:
    def whole(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else rounded(amount, currency)

    return replace(booking, price=whole(booking.price), paid=whole(booking.paid), spent=whole(booking.spent))


def _cases(policy: Policy, booking: Booking, cancellation: Cancellation) -> list[_Case]:
    befores = [cancellation.late_before] if cancellation.late_before is not None else [policy.grace, 0]
    packages = [booking.package] if booking.package is not None else ["", *policy.packages]
    causes, notices = _causes(policy, cancellation.cause), _notices(policy, booking, cancellation)
    ways = itertools.product(packages, causes, befores, notices)
    return [_Case(package=package, cause=cause, before=before, notice=notice) for package, cause, before, notice in ways]


def _causes(policy: Policy, cause: str | None) -> list[str]:
    if cause is None:
        return ["", *sorted(policy.exceptions)[:1], OURS]  # one exception stands for all: they come to the same
    return [cause if cause == OURS or cause in policy.exceptions else ""]


def _notices(policy: Policy, booking: Booking, cancellation: Cancellation) -> list[timedelta]:
    """One length of notice for each set of rules that may apply, the shortest first."""
    least, most = _span(booking, cancellation) or (-_FAR, _FAR)
    limits = {row.within for row in (*policy.fees, *policy.refunds, policy.deposit) if row} | {policy.notice}
    return [least, *sorted(limit for limit in limits if limit is not None and least < limit <= most)]


def _span(booking: Booking, cancellation: Cancellation) -> tuple[timedelta, timedelta] | None:
    """The least and the most notice that was given, negative after the start; None when that is not known at all."""
    if booking.start is None or cancellation.at is None:
        return None
    return booking.start - cancellation.at, (booking.start_by or booking.start) - cancellation.at


def _outcome(policy: Policy, booking: Booking, case: _Case) -> _Outcome:
    """What the rules ask for, unless something lets it go. The kindest way that applies comes first."""
    bill = _session_bill(policy, booking, case) if case.package else _money_bill(policy, booking, case.notice)
    if bill.free:
        return _let_go(booking, bill, "packages" if bill.package else "notice", _line("costs_nothing"))
    if case.cause == OURS:
        return _let_go(booking, bill, "ours", _line("ours"))
    if case.before < policy.grace:
        next_time = (_line("next_time", cost=bill.cost),) if bill.cost else ()
        return replace(_let_go(booking, bill, "grace", _line("grace"), *next_time), next_section=bill.section)
    if case.cause:
        return _rest(policy, booking, bill)
    return _session_rule(policy, booking, bill) if bill.package else _money_rule(booking, bill)


def _let_go(booking: Booking, bill: _Bill, section: str, *lines: Line) -> _Outcome:
    """Nothing is charged, and what was paid goes back, or stays in the package."""
    if bill.package:
        stays = () if bill.free else (_line("session_stays"),)
        return _Outcome(figures=Figures(), section=section, bill=bill, ending=(*lines, *stays))
    back = (_line("give_back", paid=booking.paid),) if booking.paid else ()
    figures, needs = Figures(refund=booking.paid), _missing(paid=booking.paid)
    return _Outcome(figures=figures, section=section, bill=bill, needs=needs, ending=(*lines, *back))


def _rest(policy: Policy, booking: Booking, bill: _Bill) -> _Outcome:
    """What nobody could foresee: a new date, or part of what would have been kept as credit (playbook S4.2)."""
    paid = _ZERO if bill.package else booking.paid
    kept = None if bill.cost is None or paid is None else min(bill.cost, paid)
    if paid == 0:
        kept = _ZERO
    credit = _of(Charge(percent=policy.credit), kept, policy.currency)
    refund = None if kept is None or paid is None else paid - kept
    lines = [_line("exception")]
    if bill.package:
        lines.append(_line("session_stays"))
    if policy.new_date:
        lines.append(_line("new_date_paid", paid=paid) if paid else _line("new_date"))
    if kept and credit:
        lines.append(_line("credit", percent=policy.credit, kept=kept, credit=credit))
    if refund:
        lines.append(_line("give_back_rest", paid=paid, kept=kept, refund=refund))
    return _Outcome(
        figures=Figures(refund=refund, credit=credit),
        section="exceptions",
        bill=bill,
        needs=bill.needs | _missing(paid=paid) if kept is None else frozenset(),
        open=bill.lines if kept is None else (),
        ending=tuple(lines),
    )


def _money_rule(booking: Booking, bill: _Bill) -> _Outcome:
    cost, paid = bill.cost, booking.paid
    if cost is None or paid is None:
        figures, needs = Figures(charge=None, refund=_ZERO if paid == 0 else None), bill.needs | _missing(paid=paid)
        lines = () if cost is None else (_line("cost", cost=cost),)
        return _Outcome(figures=figures, section=bill.section, bill=bill, needs=needs, open=bill.lines, ending=lines)
    figures = Figures(charge=max(cost - paid, _ZERO), refund=max(paid - cost, _ZERO))
    key = "charge_all" if paid == 0 else "charge" if cost > paid else "refund" if paid > cost else "even"
    line = _line(key, cost=cost, paid=paid, left=abs(cost - paid))
    return _Outcome(figures=figures, section=bill.section, bill=bill, ending=(line,))


def _session_rule(policy: Policy, booking: Booking, bill: _Bill) -> _Outcome:
    """Sessions are used up; those that are left become longer, as goodwill (playbook S3.3)."""
    extra, left, forfeited = policy.packages[bill.package].extend, booking.sessions_left, bill.forfeited
    lines: tuple[Line, ...]
    if not extra:
        return _Outcome(figures=Figures(forfeited=forfeited), section=bill.section, bill=bill, needs=bill.needs)
    if left is None or forfeited is None:
        figures = Figures(forfeited=forfeited, extended=None, extra=None)
        needs, lines = bill.needs | {"sessions_left"}, (_line("extended_open", extra=extra),)
        return _Outcome(figures=figures, section=bill.section, bill=bill, needs=needs, ending=lines)
    rest = left - forfeited
    figures = Figures(forfeited=forfeited, extended=rest, extra=extra if rest else _NONE)
    lines = (_line("extended", left=left, forfeited=forfeited, rest=rest, extra=extra),) if rest else ()
    return _Outcome(figures=figures, section=bill.section, bill=bill, ending=lines)


def _session_bill(policy: Policy, booking: Booking, case: _Case) -> _Bill:
    """What a cancellation costs when the session belongs to a package: sessions, never money."""
    package, left = policy.packages[case.package], booking.sessions_left
    if policy.notice is None or case.notice >= policy.notice or not package.forfeit:
        return _Bill(section="packages", package=case.package, lines=(_line("package_kept", package=case.package),))
    known = left is not None or package.forfeit == 1
    return _Bill(
        section="packages",
        package=case.package,
        forfeited=min(package.forfeit, left or 1) if known else None,
        needs=frozenset() if known else frozenset({"sessions_left"}),
        lines=(_line("forfeited", package=case.package, forfeited=min(package.forfeit, left or package.forfeit)),),
    )


def _money_bill(policy: Policy, booking: Booking, notice: timedelta) -> _Bill:
    """The highest of what the rules ask for: they do not add up, except for costs that the policy adds to the fee."""
    fee, spent = _fee(policy, booking, notice), _spent(policy, booking)
    if fee and spent and policy.costs is Costs.ADDED:
        fee, spent = _sum(fee, spent), None
    parts = [part for part in (fee, _deposit(policy, booking, notice), _refund(policy, booking, notice), spent) if part]
    lines = [line for part in parts for line in part.lines]
    asked = [part for part in parts if part.cost != 0]
    if not asked:
        return _Bill(section="notice", lines=tuple(lines))
    needs = frozenset[str]().union(*(part.needs for part in asked))
    top = max(asked, key=lambda part: -1 if part.cost is None else part.cost)
    cost = None if needs else top.cost
    if len(asked) > 1 and cost is not None:
        lines.append(_line("highest", cost=cost))
    return _capped(policy, booking, _Bill(section=top.section, cost=cost, needs=needs, lines=tuple(lines)))


def _capped(policy: Policy, booking: Booking, bill: _Bill) -> _Bill:
    if policy.cap is None:
        return bill
    limit = _of(policy.cap, booking.price, policy.currency)
    if limit is None:
        lines = bill.lines if bill.cost is None else (*bill.lines, _open_line("cap", policy.cap))
        return replace(bill, cost=None, needs=bill.needs | {"price"}, lines=lines)
    if bill.cost is not None and bill.cost <= limit:
        return bill
    lines = (*bill.lines, _line("cap", limit=limit))
    return replace(bill, lines=lines) if bill.cost is None else replace(bill, cost=limit, section="cap", lines=lines)


def _fee(policy: Policy, booking: Booking, notice: timedelta) -> _Bill | None:
    """The highest fee that applies, and at least the minimum."""
    rows = [row for row in policy.fees if _applies(row, notice)]
    if not rows:
        return None
    asked = {row: _of(row, booking.price, policy.currency) for row in rows}
    if None in asked.values():
        return _Bill(section="fees", cost=None, needs=frozenset({"price"}), lines=_open_rows("fee", rows, highest=True))
    row = max(rows, key=lambda row: asked[row] or _ZERO)
    fee = asked[row] or _ZERO
    line = _line("fee", amount=fee)
    if row.percent is not None and booking.price is not None:
        line = _line("fee_percent", percent=row.percent, base=booking.price, amount=fee)
    least = _of(policy.minimum, booking.price, policy.currency) if policy.minimum and fee else _ZERO
    if policy.minimum and least is None:
        lines = (line, _open_line("minimum", policy.minimum))
        return _Bill(section="fees", cost=None, needs=frozenset({"price"}), lines=lines)
    if least and fee < least:
        return _Bill(section="fees", cost=least, lines=(line, _line("minimum", limit=least)))
    return _Bill(section="fees", cost=fee, lines=(line,))


def _deposit(policy: Policy, booking: Booking, notice: timedelta) -> _Bill | None:
    """The deposit, as far as it was paid."""
    if policy.deposit is None or not _applies(policy.deposit, notice):
        return None
    asked, paid = _of(policy.deposit, booking.price, policy.currency), booking.paid
    if asked == 0 or paid == 0:
        return None
    if asked is None or paid is None:
        needs = _missing(paid=paid) | (frozenset() if asked is not None else {"price"})
        return _Bill(section="deposit", cost=None, needs=needs, lines=(_open_line("deposit", policy.deposit),))
    return _Bill(section="deposit", cost=min(asked, paid), lines=(_line("deposit", amount=min(asked, paid)),))


def _refund(policy: Policy, booking: Booking, notice: timedelta) -> _Bill | None:
    """What stays of the money paid in advance when only part of it goes back."""
    rows, paid = [row for row in policy.refunds if _applies(row, notice)], booking.paid
    if not rows or paid == 0:
        return None
    if paid is None:
        return _Bill(section="refunds", cost=None, needs=frozenset({"paid"}), lines=_open_rows("refund", rows, highest=False))
    back = {row: min(paid, _of(row, paid, policy.currency) or _ZERO) for row in rows}
    row = min(rows, key=lambda row: back[row])
    kept = paid - back[row]
    line = _line("kept", paid=paid, back=back[row], kept=kept)
    if row.percent is not None:
        line = _line("kept_percent", paid=paid, percent=row.percent, back=back[row], kept=kept)
    return _Bill(section="refunds", cost=kept, lines=(line,))


def _spent(policy: Policy, booking: Booking) -> _Bill | None:
    if policy.costs is Costs.OURS or booking.spent == 0:
        return None
    if booking.spent is None:
        return _Bill(section="costs", cost=None, needs=frozenset({"spent"}), lines=(_line("spent_open"),))
    return _Bill(section="costs", cost=booking.spent, lines=(_line("spent", spent=booking.spent),))


def _sum(fee: _Bill, spent: _Bill) -> _Bill:
    lines = (*fee.lines, *spent.lines)
    if fee.cost is None or spent.cost is None:
        return _Bill(section="fees", cost=None, needs=fee.needs | spent.needs, lines=lines)
    total = fee.cost + spent.cost
    added = (_line("sum", fee=fee.cost, spent=spent.cost, total=total),) if fee.cost else ()
    return _Bill(section="fees" if fee.cost else "costs", cost=total, lines=(*lines, *added))


def _applies(row: Charge, notice: timedelta) -> bool:
    return row.within is None or notice < row.within


def _of(charge: Charge, base: Decimal | None, currency: str) -> Decimal | None:
    """What a charge comes to on this base, in minor units; None when the base is needed and not known."""
    if charge.amount is not None:
        return rounded(charge.amount, currency)
    if not charge.percent:
        return _ZERO
    return None if base is None else rounded(_EXACT.multiply(base, charge.percent.scaleb(-2, _EXACT)), currency)


def _missing(**facts: object) -> frozenset[str]:
    return frozenset(name for name, fact in facts.items() if fact is None)


def _agreed(figures: Iterable[Figures], currency: str) -> dict[str, Any]:
    """The figures on which all agree; None for the others."""
    each = list(figures)
    found = {part.name: {getattr(one, part.name) for one in each} for part in fields(Figures)}
    same = {name: values.pop() if len(values) == 1 else None for name, values in found.items()}
    return {name: rounded(value, currency) if isinstance(value, Decimal) else value for name, value in same.items()}


# In the order in which a rep would ask for them.
_FACTS = (
    *("currency", "package_name", "package", "start", "hour", "at"),
    *("price", "paid", "spent", "sessions_left", "late_before", "cause"),
)
# The facts that decide between rules, and the part of a case in which they stand.
_PARTS = {"package": "package", "late_before": "before", "cause": "cause"}


def _unknown(booking: Booking, cancellation: Cancellation, outcomes: _Outcomes) -> tuple[str, ...]:
    """The unknown facts on which a figure hangs."""
    found = frozenset[str]().union(*(outcome.needs for outcome in outcomes.values()))
    found |= {fact for fact, part in _PARTS.items() if _matters(part, outcomes)}
    if _matters("notice", outcomes):
        found |= _missing(start=booking.start, at=cancellation.at) or {"hour"}
    return tuple(fact for fact in _FACTS if fact in found)


def _matters(part: str, outcomes: _Outcomes) -> bool:
    """Whether two cases that differ in this part alone come out differently."""
    first: dict[tuple[object, ...], _Outcome] = {}
    for case, outcome in outcomes.items():
        other = first.setdefault(tuple(getattr(case, each.name) for each in fields(_Case) if each.name != part), outcome)
        if (outcome.figures, outcome.open) != (other.figures, other.open):
            return True
    return False


def _story(
    policy: Policy, booking: Booking, cancellation: Cancellation, outcomes: _Outcomes, unknown: tuple[str, ...]
) -> Iterator[Line]:
    """What is known, what follows from it, what is not known, and what would follow from that."""
    case, base = next(iter(outcomes.items()))
    yield from _known(policy, booking, cancellation, base)
    if {"start", "hour", "at"} & set(unknown):
        for notice, outcome in reversed(_differing("notice", case, outcomes)):
            yield _if_notice(notice, shortest=case.notice)
            yield from outcome.lines
    else:
        yield from base.lines
    for fact in unknown:
        yield _line(f"unknown_{fact}", package=booking.package)
        if fact in _PARTS:
            yield from _alternatives(policy, fact, case, outcomes)
    if unknown:
        yield _line("open")
    if cancellation.cause in _SENSITIVE:
        yield SENSITIVE
    elif cancellation.cause in _SERVICE:
        yield _line("service")


def _known(policy: Policy, booking: Booking, cancellation: Cancellation, base: _Outcome) -> Iterator[Line]:
    span, cause = _span(booking, cancellation), cancellation.cause
    if span:
        yield _notice_line(*span, policy.notice)
    if base.bill.free:
        return
    if policy.grace and cancellation.late_before is not None:
        yield _line("before", before=cancellation.late_before, grace=policy.grace)
    if cause == OURS:
        yield _line("cause_ours")
    elif cause in policy.exceptions:
        yield _line("cause", causes=(cause,))


def _notice_line(least: timedelta, most: timedelta, asked: timedelta | None) -> Line:
    if most < _NONE:
        return _line("notice_after")
    if least < most:
        return _line("notice_at_most", most=most) if least <= _NONE else _line("notice_between", least=least, most=most)
    return _line("notice_alone", given=least) if asked is None else _line("notice", given=least, asked=asked)


def _if_notice(notice: timedelta, *, shortest: timedelta) -> Line:
    if notice == shortest:
        return _line("if_later")
    return _line("if_notice", notice=notice) if notice else _line("if_before")


def _differing(part: str, base: _Case, outcomes: _Outcomes) -> list[tuple[Any, _Outcome]]:
    """The outcomes of the cases that are like this one but for one part, with what that part is in each."""
    alike = [case for case in outcomes if replace(case, **{part: getattr(base, part)}) == base]
    return [(getattr(case, part), outcomes[case]) for case in alike]


def _alternatives(policy: Policy, fact: str, base: _Case, outcomes: _Outcomes) -> Iterator[Line]:
    """What would follow if an unknown fact were other than the plain rule takes it to be."""
    for value, outcome in _differing(_PARTS[fact], base, outcomes)[1:]:
        if fact == "package":
            yield _line("if_package", package=value)
            yield from outcome.lines
            continue
        if fact == "late_before":
            yield _line("if_grace", grace=policy.grace)
        else:
            yield _line("if_ours") if value == OURS else _line("if_cause", causes=tuple(sorted(policy.exceptions)))
        yield from outcome.ending


def _line(key: str, **values: object) -> Line:
    return Line(key=key, values=values)


def _open_rows(key: str, rows: list[Charge], *, highest: bool) -> tuple[Line, ...]:
    """The lines of rules whose base is not known: of the shares and of the amounts, the one that can count."""
    shares = [row for row in rows if row.percent is not None]
    sums = [row for row in rows if row.percent is None]
    ranked = [sorted(same, key=lambda row: row.percent or row.amount or _ZERO) for same in (shares, sums) if same]
    return tuple(_open_line(key, same[-1 if highest else 0]) for same in ranked)


def _open_line(key: str, charge: Charge) -> Line:
    """The line of a rule whose base is not known."""
    if charge.percent is None:
        return _line(f"{key}_open", amount=charge.amount)
    return _line(f"{key}_open_percent", percent=charge.percent)
