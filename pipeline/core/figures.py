"""The values of the report to the owner: facts as the store knows them, and the figures made of them. They act on nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from pipeline.core.records import Address, Intent, Reason

# The alarm looks this far back from the end, also where the period is shorter.
ALARM_WINDOW = timedelta(days=10)


class Change(StrEnum):
    """Whether the business could have done something about a reason (playbook S0.4)."""

    CAN = "can"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


class Weekly(StrEnum):
    """What becomes of the weekly letter: a draft for a rep, a mail at once, or nothing."""

    REVIEW = "review"
    SEND = "send"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterRules:
    """When the weekly letter is written, and to whom. `day` is a weekday, Monday is 0; None as `to` means the sender.

    `currency` is that of prices which name none.
    """

    weekly: Weekly = Weekly.NEVER
    day: int = 0
    at: time = time(7)
    to: Address | None = None
    currency: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From `start` on, up to `end` and without it."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What an appointment costs; a currency of "" is that of the business's own prices."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """One cancellation, or one wish for another date, that a mail brought.

    `who` names nobody but is the same for all mails of one customer. `words` are the customer's own, the reason's last; there
    are none of a mail that was delicate. `old`: the mail came before winback's first start. `tracks` are those that it was
    followed up on. `price` is that of the appointment called off, where it is known.
    """

    key: str
    who: str
    arrived: datetime
    intent: Intent
    reason: Reason | None
    subreason: str | None = None
    words: tuple[str, ...] = ()
    answered: datetime | None = None
    old: bool = False
    tracks: tuple[str, ...] = ()
    price: Price | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that a customer did."""

    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSent:
    """A text that reached a customer because of a matter. `template` names the variant."""

    template: str
    matter: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A draft that was settled in the period: `automatic` needed no rep, `edited` was changed by one."""

    template: str
    automatic: bool = False
    edited: bool = False
    rejected: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A reading that a rep corrected. Each is a reason, or an intent if it was no cancellation."""

    was: str
    became: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the store knows of a period. `matters` reach back as far as the alarm looks, if the period is shorter.

    `cancelled` and `came_back` are of all times: a return follows its cancellation late.
    `held` counts the cancellations of the period that wait for a person and are in no other figure.
    """

    matters: tuple[Matter, ...] = ()
    cancelled: tuple[Moment, ...] = ()
    came_back: tuple[Moment, ...] = ()
    texts: tuple[TextSent, ...] = ()
    settled: tuple[Settled, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    held: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """`count` of `of`, with the bounds between which the true share lies with 95 % (Wilson's interval).

    `enough`: there are enough of them to say anything.
    """

    count: int
    of: int
    low: float
    high: float
    enough: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A customer's own words, shortened, without addresses and numbers, and the reason that they were read as."""

    text: str
    reason: Reason
    subreason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonFigure:
    """How often a reason was given; `subreasons` and `quotes` begin with the most frequent and the newest."""

    reason: Reason
    count: int
    subreasons: tuple[tuple[str, int], ...] = ()
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Cancellations by reason, and by finer cause, from this day on, up to the next bucket."""

    day: date
    counts: Mapping[Reason, int]
    causes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeFigure:
    """How many cancellations the business could have prevented or not, and by what: (sub-reason or reason, count)."""

    change: Change
    count: int
    causes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerFigure:
    """How long customers waited for the first answer: half of them at most `median`, nine of ten at most `slow`."""

    answered: int = 0
    waiting: int = 0
    median: timedelta | None = None
    slow: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoneyFigure:
    """What called-off appointments were worth: `lost` for now, and `won_back` because the customer came back.

    `known` are the cancellations whose price is known, in this currency.
    """

    currency: str
    lost: Decimal
    won_back: Decimal
    known: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EditFigure:
    """What reps did with the drafts of one text."""

    template: str
    as_it_was: int
    edited: int
    rejected: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionFigure:
    """How often reps corrected one reading to another."""

    was: str
    became: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """Most of the customers who cancelled for a reason in the last `days` name the same cause, and enough of them do."""

    reason: Reason
    subreason: str
    count: int
    of: int
    days: int
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The whole report. `young` counts the cancellations so new that the customer may well still come back.

    `came_back` counts the customers who came back in the period, whenever they had cancelled; `returned` is the share of the
    period's cancellations whose customer came back so far; `loyal` the share of those who have not cancelled again since.
    """

    period: Period
    timezone: str
    cancellations: int
    customers: int
    other_date: Share
    held: int
    came_back: int
    returned: Share
    young: int
    loyal: Share
    reasons: tuple[ReasonFigure, ...]
    buckets: tuple[Bucket, ...]
    bucket_days: int
    changes: tuple[ChangeFigure, ...]
    answers: AnswerFigure
    by_reason: tuple[tuple[str, Share], ...]
    by_track: tuple[tuple[str, Share], ...]
    by_text: tuple[tuple[str, Share], ...]
    money: tuple[MoneyFigure, ...]
    automatic: int
    drafts: EditFigure
    edits: tuple[EditFigure, ...]
    corrections: tuple[CorrectionFigure, ...]
    alarms: tuple[Alarm, ...] = field(default=())
