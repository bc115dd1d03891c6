"""Three months of a lively shop, as the store would tell of them: the same on every machine and every day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pipeline.core.figures import ALARM_WINDOW, Corrected, Facts, Matter, Moment, Period, Price, Settled, TextSent
from pipeline.core.records import Address, Business, Intent, Reason

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
END = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York
ZONE = "America/New_York"
QUARTER = Period(start=END - 84 * DAY, end=END)
WEEK = Period(start=END - 7 * DAY, end=END)
SHOP = Business(
    name="Bluedoor Studio",
    sender=Address(name="Dana Reyes", address="dana@bluedoor.example"),
    timezone=ZONE,
    languages=("en", "es"),
)

# Days before the end, reason, finer cause, the customer's words, days until they came back, price.
_CANCELLED: tuple[tuple[float, Reason, str | None, str, float | None, str | None], ...] = (
    (80, Reason.PRICE, "price_rise", "The new price is simply more than I can spend on this.", 20, "60"),
    (78, Reason.TIMING, "work", "My shifts changed and I can't make mornings any more.", 9, "60"),
    (75, Reason.UNSPECIFIED, None, "Please cancel my booking on Friday.", None, None),
    (71, Reason.OTHER, "moved", "We are moving to Portland at the end of the month.", None, "60"),
    (66, Reason.PRICE, "cheaper_elsewhere", "He encontrado otro sitio más barato cerca de casa.", None, "45"),
    (63, Reason.NOT_READY, "still_comparing", "We are still looking at other options.", 30, None),
    (59, Reason.TIMING, "travel", "I'm being sent to Chicago for work all week.", 12, "60"),
    (55, Reason.PRICE, "budget", "Se me va de presupuesto este mes.", None, "45"),
    (50, Reason.SERVICE, "quality", "The colour came out uneven and nobody offered to fix it.", None, "90"),
    (47, Reason.TIMING, "childcare", "No tengo con quién dejar a los niños por la tarde.", 6, "45"),
    (41, Reason.PRICE, "price_rise", "Forty a month was fine, fifty-five is not.", 15, "55"),
    (38, Reason.UNSPECIFIED, None, "Hola, quiero cancelar mi cita del viernes.", None, None),
    (33, Reason.OTHER, "illness", "", None, "60"),
    (29, Reason.NOT_READY, "postponed", "Perhaps in the spring, when the house is sold.", None, None),
    (24, Reason.TIMING, "schedule_conflict", "I double-booked myself, sorry about that.", 3, "60"),
    (20, Reason.PRICE, "cheaper_elsewhere", "Found a studio down the road for half of it.", None, "60"),
    (15, Reason.UNSPECIFIED, None, "Please cancel.", 5, None),
    (9, Reason.SERVICE, "late", "I waited forty minutes past my time, twice this month.", None, "60"),
    (8, Reason.SERVICE, "late", "La última vez empezamos media hora tarde y tuve que irme corriendo.", None, "45"),
    (6, Reason.SERVICE, "unresponsive", "Nobody picks up the phone, write to me at ann@post.example if you like.", None, "60"),
    (5, Reason.PRICE, "budget", "This is over what we can spend before Christmas.", None, "55"),
    (4, Reason.SERVICE, "late", "Half an hour late again on Tuesday.", None, "60"),
    (3, Reason.TIMING, "work", "Work got in the way again this week.", None, "60"),
    (2, Reason.SERVICE, "late", "My lunch break is over by the time you start.", None, "60"),
    (1, Reason.SERVICE, "rude", "I did not like how I was spoken to at the desk.", None, "90"),
)


def facts(period: Period = QUARTER) -> Facts:
    """What happened to the shop in a period that ends with the quarter."""
    all_matters = (*_cancellations(), *_wishes())
    matters = tuple(one for one in all_matters if period.holds(one.arrived) or one.arrived >= period.end - ALARM_WINDOW)
    keys = {one.key for one in matters}
    return Facts(
        matters=matters,
        cancelled=tuple(Moment(who=one.who, at=one.arrived) for one in all_matters if one.intent is Intent.CANCEL),
        came_back=tuple(_returns()),
        texts=tuple(text for text in _texts() if text.matter in keys),
        settled=tuple(_settled()),
        corrected=(
            *(Corrected(was="price", became="service"),) * 2,
            Corrected(was="unspecified", became="none"),
            Corrected(was="timing", became="timing"),
        ),
        held=2,
    )


def _cancellations() -> Iterator[Matter]:
    for place, (before, reason, finer, words, _, price) in enumerate(_CANCELLED):
        arrived = END - before * DAY + (place % 9) * HOUR
        yield Matter(
            key=f"m{place}",
            who=f"c{place}",
            arrived=arrived,
            intent=Intent.CANCEL,
            reason=reason,
            subreason=finer,
            words=("Please cancel.", words) if words else (),
            answered=None if place == 19 else arrived + timedelta(minutes=4 + (place * place * 7) % 300),
            tracks=() if reason is Reason.OTHER else (reason.value,),
            price=Price(amount=Decimal(price), currency="USD") if price else None,
        )


def _wishes() -> Iterator[Matter]:
    for place, before in enumerate((70, 52, 36, 27, 18, 11, 5, 2)):
        arrived = END - before * DAY
        answered = arrived + timedelta(minutes=3 + place)
        yield Matter(
            key=f"r{place}", who=f"w{place}", arrived=arrived, intent=Intent.RESCHEDULE, reason=None, answered=answered
        )


def _returns() -> Iterator[Moment]:
    for place, (before, *_, back, _price) in enumerate(_CANCELLED):
        if back is not None:
            yield Moment(who=f"c{place}", at=END - (before - back) * DAY)


def _texts() -> Iterator[TextSent]:
    for one in _cancellations():
        if one.answered:
            number = int(one.key[1:])
            name = one.reason or Reason.UNSPECIFIED
            yield TextSent(template=f"{name}.2" if number % 2 else name.value, matter=one.key, at=one.answered)


def _settled() -> Iterator[Settled]:
    yield from [Settled(template="price", automatic=True)] * 12
    yield from [Settled(template="service")] * 3
    yield from [Settled(template="service", edited=True)] * 4
    yield from [Settled(template="price_2", edited=True), Settled(template="price_2", rejected=True)]
