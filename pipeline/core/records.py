"""The frozen records that flow through the pipeline. Times are aware UTC; keys are digests; nothing here acts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from pipeline.errors import WinbackError


def digest(*parts: object) -> str:
    """A key of 24 hex digits made from the parts: the same parts give the same key, on every machine, always."""
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogateescape")).hexdigest()[:24]


class Intent(StrEnum):
    """What the writer wants of the thing between them and the business."""

    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    NONE = "none"


class Reason(StrEnum):
    """Why the writer cancels. OTHER: a reason was given, none of the four; UNSPECIFIED: none was given."""

    PRICE = "price"
    SERVICE = "service"
    TIMING = "timing"
    NOT_READY = "not_ready"
    OTHER = "other"
    UNSPECIFIED = "unspecified"


class Sensitive(StrEnum):
    """Situations in which a person answers, never the program (playbook B7)."""

    BEREAVEMENT = "bereavement"
    ILLNESS = "illness"
    HARDSHIP = "hardship"
    LEGAL = "legal"
    MINOR = "minor"
    ABUSE = "abuse"
    ANGER = "anger"


class DateKind(StrEnum):
    """What a date in the customer's words is for."""

    RETURN = "return"
    NEW_SLOT = "new_slot"
    CANCELLED = "cancelled"
    PAST = "past"
    MENTIONED = "mentioned"


class Outcome(StrEnum):
    """What becomes of a message: a draft or an answer, a person's desk, or nothing."""

    ANSWER = "answer"
    HOLD = "hold"
    IGNORE = "ignore"


class Kind(StrEnum):
    """The kinds of outgoing mail. Only follow-ups may ever carry an offer (playbook B1, B5).

    A note is about the customer's own appointment (a no-show, the policy): it sells nothing and counts as no touch. A letter is
    for the owner.
    """

    ACKNOWLEDGMENT = "acknowledgment"
    FOLLOW_UP = "follow_up"
    NOTE = "note"
    LETTER = "letter"


class ContactState(StrEnum):
    """Where a customer stands with the business; every change has a cause and a time (playbook S2.1)."""

    ACTIVE = "active"
    IN_FOLLOW_UP = "in_follow_up"
    RESCHEDULED = "rescheduled"
    WON_BACK = "won_back"
    HIBERNATING = "hibernating"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"


class Basis(StrEnum):
    """What allows a business to write to somebody of its own accord (playbook D)."""

    CONTRACT = "contract"
    CONSENT = "consent"
    NONE = "none"


class AppointmentState(StrEnum):
    """What became of an appointment. One that was moved is `booked` at its new time."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """One mailbox: `address` is `local@domain` with the domain in lower case, `name` may be empty. Both are one line."""

    name: str = ""
    address: str

    @property
    def key(self) -> str:
        """The form in which two spellings of one mailbox compare equal."""
        return self.address.lower()

    @property
    def domain(self) -> str:
        """The part after the last `@`, in lower case."""
        return self.address.rpartition("@")[2].lower()


def mailbox(address: str) -> str:
    """The address without its `+detail` (RFC 5233): under any number of names of that kind it is one mailbox."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def typed_address(address: str) -> str:
    """An address as somebody typed it. Raises WinbackError when it is none."""
    if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", address):
        raise WinbackError(f"{address}: is no e-mail address; expected one such as maria@example.org")
    return address


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """The basis on which a customer may be followed up, since when, and the words or papers that show it.

    `by_person`: a person recorded it, and only a person changes it.
    """

    basis: Basis
    evidence: str
    since: datetime
    by_person: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a mail lies. `epoch` is the UIDVALIDITY, `uid` the UID; in a Maildir `maildir` and the unique part of the name."""

    folder: str
    epoch: str
    uid: str

    @property
    def key(self) -> str:
        """The identity of the mail that lies here; the Message-ID is only a hint."""
        return digest("mail", self.folder, self.epoch, self.uid)


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """A mail as it lay in the mailbox.

    `key` is that of its place. `arrived` is the server's time (INTERNALDATE, or the file's), `old` says that it came before
    the first start. `whole` is False when it was too big to take over and `data` holds its headers alone.
    """

    key: str
    place: Place
    arrived: datetime
    data: bytes = field(repr=False)
    old: bool = False
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """How far a folder was read: all UIDs up to `last` of this epoch. Mail that arrived before `old_before` is old."""

    folder: str
    epoch: str
    last: int
    old_before: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What the first look at a folder found: where to start from, and the UIDs there already that are passed over."""

    cursor: Cursor
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Mails of one fetch, and the cursor that is true once they are stored. One commit takes over both."""

    mails: tuple[Raw, ...]
    cursor: Cursor


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """The iTIP part of a mail (RFC 5546), top level only. `attendee` and `partstat` are those of the first ATTENDEE.

    `local` is what names no zone, a whole day or a time by the clock of whoever reads it: the zone of the business says when
    that is. `start` is then a moment of that day almost wherever the business is, and tells the day alone.
    """

    method: str
    partstat: str = ""
    attendee: str = ""
    organizer: str = ""
    summary: str = ""
    uid: str = ""
    start: datetime | None = None
    local: date | datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One recipient block of a delivery report (RFC 3464). `status` is like `5.1.1`, or empty."""

    recipient: str
    action: str
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A mail as the core understands it.

    `text` is the customer's new words alone, `quoted` what was cut off (history, signature, disclaimer), `subject` one line.
    `headers` are (lower-case name, unfolded decoded value) in their order, topmost first. `sender` is None unless From holds
    exactly one valid mailbox. `thread` holds the Message-IDs of References and In-Reply-To, oldest first. `content_type` is
    that of the whole mail (`multipart/report`), `report_type` its parameter. `failures` come from delivery-status parts,
    `returned_id` is the Message-ID of the mail that a report returns. `defects` names what was lost or recovered.
    """

    key: str
    message_id: str | None = None
    sender: Address | None = None
    senders: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    recipients: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""
    quoted: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    thread: tuple[str, ...] = ()
    calendar: Calendar | None = None
    sent: datetime | None = None
    arrived: datetime
    content_type: str = "text/plain"
    report_type: str = ""
    failures: tuple[Failure, ...] = ()
    returned_id: str | None = None
    defects: tuple[str, ...] = ()
    old: bool = False

    def header(self, name: str) -> str | None:
        """The topmost value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, topmost first."""
        return tuple(value for key, value in self.headers if key == name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Screening:
    """What screening says of a mail. `check` is the name of the row that stopped it, or None.

    `may_reply`: nothing forbids an automatic answer. `authenticated`: a trusted server vouches for the sender.
    `bounced`: the addresses that a bounce names; `dead`: those of them that do not exist (suppress them).
    `doubt`: why an answer must be a draft although a reply is allowed, or None.
    """

    check: str | None = None
    may_reply: bool = True
    is_bounce: bool = False
    bounced: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    authenticated: bool = False
    doubt: str | None = None


# Asked with the words around a day (features by name and weight), it says how likely the day is for each purpose.
DayPurpose = Callable[[Mapping[str, float]], Mapping[DateKind, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What the model says of one text: probabilities, each mapping summing to 1; `familiar` is 0..1, low for strange text.

    `day_purpose` may be asked what the days in the text are for; None when the model has not learnt that.
    """

    intent: Mapping[Intent, float]
    reason: Mapping[Reason, float]
    subreason: Mapping[str, float] = field(default_factory=dict)
    sensitive: Mapping[str, float] = field(default_factory=dict)
    opt_out: float = 0.0
    firm: float = 0.0
    familiar: float = 1.0
    day_purpose: DayPurpose | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundDate:
    """A date in the customer's words: `day` is the first day meant, `start` and `end` the span in `Message.text`.

    `rough`: a week, a month or a season was named, and no day of an appointment.
    """

    text: str
    day: date
    kind: DateKind
    start: int
    end: int
    rough: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A piece of the customer's own words, with its place in `Message.text` (-1: it stands in the subject)."""

    text: str
    start: int


def whole_percent(sure: float) -> int:
    """How sure, in whole percent; never more than it is, so that 94.9% is not told from 95%."""
    return int(100 * sure + 1e-6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How a mail was understood. `confidence` is of intent and reason together; `runner_up` the second-best reading.

    `asked` is the question of ours that the mail answers, or None. `grave`: it tells of trouble in words that mean nothing
    else; `delicate` is a word that may tell of trouble in a mail that is not taken for sensitive, or None.
    """

    intent: Intent
    reason: Reason | None = None
    subreason: str | None = None
    confidence: float = 0.0
    intent_confidence: float = 0.0
    runner_up: str | None = None
    language: str = "en"
    dates: tuple[FoundDate, ...] = ()
    sensitive: Sensitive | None = None
    grave: bool = False
    delicate: str | None = None
    opt_out: bool = False
    firm: bool = False
    question: bool = False
    unsure: bool = False
    asked: str | None = None
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Business:
    """Who writes: as configured under `business`. `address_form` is how Spanish texts address people: usted or tu."""

    name: str
    sender: Address
    address: str = ""
    phone: str = ""
    timezone: str = "UTC"
    country: str = ""
    languages: tuple[str, ...] = ("en", "es")
    reschedule_url: str = ""
    address_form: str = "usted"
    domain: str = "localhost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """How much may go out: one automatic mail an address in `address_days`, and so many an hour and a day (C6).

    `burst` automatic mails within an hour, where so many are unusual, open the breaker.
    """

    address_days: int = 7
    domain_hour: int = 20
    hour: int = 60
    day: int = 400
    burst: int = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """One step of a track: a template, so long after the acknowledgment (or on the customer's own date)."""

    after: timedelta
    template: str
    own_date: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpRules:
    """When follow-ups may go out. Quiet hours are local to the business; `days` are weekdays, Monday is 0.

    `thanks` goes before the touches to a customer who is firm (playbook S4.7). `greetings` are so long after the last touch:
    the rhythm of hibernation (S2.2), empty where nobody is greeted. `unsubscribe_url`: the page that ends follow-ups with one
    click, "" when there is none.
    """

    quiet_from: time = time(18)
    quiet_to: time = time(9)
    days: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    max_touches: int = 3
    tracks: Mapping[str, tuple[Touch, ...]] = field(default_factory=dict)
    unsubscribe_url: str = ""
    thanks: Touch | None = None
    greetings: tuple[Touch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AppointmentRules:
    """What happens around appointments.

    `no_show`: the note to who did not come is a draft (`review`) or goes out (`send`) if it can within `no_show_within` of the
    start. `prepare_before`: so long before a new date something useful is sent (playbook S1.1); None: never. `content` names
    that piece by service, in lower case; "" stands for any other. `offer_slots`: a freed slot is offered, by a draft. `tools`
    are the domains of booking tools whose notices are believed.
    """

    no_show: str = "review"
    no_show_within: timedelta = timedelta(minutes=60)
    prepare_before: timedelta | None = None
    content: Mapping[str, str] = field(default_factory=dict)
    offer_slots: bool = True
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRules:
    """What may leave without a rep: `when_sure` or `review`, and from which confidence on a verdict is sure.

    `rest`: for so long after an automatic answer the next one to the same address waits for a rep.
    """

    acknowledgments: str = "when_sure"
    follow_ups: str = "review"
    sure_at: float = 0.95
    rest: timedelta = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """A share or a sum of money: either `percent` or `amount` is set.

    It counts for a cancellation that comes less than `within` before the start (zero: only after it); None: for any.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None
    within: timedelta | None = None


class Costs(StrEnum):
    """Who bears what was already spent for a customer who cancels (playbook S4.1)."""

    OURS = "ours"  # we do
    COVERED = "covered"  # a cancellation costs at least that much
    ADDED = "added"  # it is asked for beside the fee


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """Sessions sold together: a late cancellation uses up `forfeit` of them, and each that remains becomes `extend` longer."""

    sessions: int
    price: Decimal | None = None
    forfeit: int = 1
    extend: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The business's rules on cancelling (playbook S3, S4.1, S4.2). Amounts are in `currency` (ISO 4217).

    `notice`: how early a customer should cancel. `fees` are shares of the price, `refunds` shares of what was paid in advance;
    of several that apply the one that is worst for the customer counts. `deposit` is asked for in advance and kept when its
    `within` applies. `minimum` holds for a fee, `cap` for everything that one cancellation costs. `grace`: so many late
    cancellations are let go. `exceptions`: the sub-reasons and sensitive situations in which the rules rest; then a new date is
    offered (`new_date`), or `credit` percent of what would have been kept stays the customer's.
    """

    currency: str = ""
    notice: timedelta | None = None
    fees: tuple[Charge, ...] = ()
    minimum: Charge | None = None
    cap: Charge | None = None
    deposit: Charge | None = None
    refunds: tuple[Charge, ...] = ()
    costs: Costs = Costs.OURS
    grace: int = 0
    exceptions: frozenset[str] = frozenset()
    new_date: bool = True
    credit: Decimal = Decimal(50)
    packages: Mapping[str, Package] = field(default_factory=dict)

    @property
    def takes_money(self) -> bool:
        """Whether a cancellation can cost money at all."""
        return bool(self.fees or self.deposit or self.refunds) or self.costs is not Costs.OURS

    @property
    def asks(self) -> bool:
        """Whether a cancellation can cost anything: money, or a session of a package."""
        return self.takes_money or any(package.forfeit for package in self.packages.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """What a customer had booked, as far as it is known; None is always "not known". Raises ValueError for nonsense.

    `price` is the total, `paid` what was paid in advance, `spent` what we already spent for this customer and can't get back.
    `start` is when it begins; if only the day is known, `start` and `start_by` are the earliest and the latest moment.
    `package` names the package that the session belongs to, "" says that it belongs to none; `sessions_left` counts this
    session too. `currency` is that of the amounts; None: that of the policy.
    """

    price: Decimal | None = None
    paid: Decimal | None = None
    spent: Decimal | None = None
    currency: str | None = None
    start: datetime | None = None
    start_by: datetime | None = None
    package: str | None = None
    sessions_left: int | None = None

    def __post_init__(self) -> None:
        for name, amount in (("price", self.price), ("paid", self.paid), ("spent", self.spent)):
            if amount is not None and not (amount.is_finite() and 0 <= amount < 10**12):
                raise ValueError(f"booking.{name}: expected an amount of 0 or more, got {amount}")
        if self.sessions_left is not None and self.sessions_left < 1:
            raise ValueError(f"booking.sessions_left: expected 1 or more (this session counts too), got {self.sessions_left}")
        if self.start_by is not None and (self.start is None or self.start_by < self.start):
            raise ValueError("booking.start_by: expected a moment after booking.start")


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """What a customer has, or had, booked. None and "" are always "not known", except that a package of "" says "none".

    `address` is the customer's key. If only the day is known, `start` and `start_by` are its first and last moment. `since` is
    when it got this state and time. `source` says who told us: `file`, `calendar`, `mail` (iTIP), `notice` (of a booking tool),
    `words` (the customer's own) or `terminal`.
    """

    key: str
    address: str
    start: datetime
    start_by: datetime | None = None
    end: datetime | None = None
    name: str = ""
    language: str = ""
    service: str = ""
    state: AppointmentState = AppointmentState.BOOKED
    cause: str = ""
    since: datetime | None = None
    price: Decimal | None = None
    paid: Decimal | None = None
    spent: Decimal | None = None
    currency: str | None = None
    package: str | None = None
    sessions_left: int | None = None
    source: str = "file"

    @property
    def timed(self) -> bool:
        """Whether its hour is known."""
        return self.start_by is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """A contact as a file tells of one. `package` and `sessions_left` are as in a Booking."""

    address: str
    name: str = ""
    language: str = ""
    package: str | None = None
    sessions_left: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A sentence before it is put into a language: `key` says which one, `values` what stands in it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Everything the core may know of the configuration."""

    business: Business
    answers: AnswerRules = AnswerRules()
    follow_ups: FollowUpRules = FollowUpRules()
    own_addresses: frozenset[str] | None = frozenset()  # keys; None: not known, so no mail is checked against them
    trusted_authserv: frozenset[str] = frozenset()
    policy: Policy = Policy()
    appointments: AppointmentRules = AppointmentRules()

    @property
    def own(self) -> frozenset[str]:
        """The keys of all addresses that are known to be ours."""
        return (self.own_addresses or frozenset()) | {self.business.sender.key}


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """All that the core may know of the past, as a snapshot of one contact made by the store.

    `address` is the contact's key. `suppressed` is the cause, or None. `last_automatic` is when an automatic mail last went
    (or was queued) to this address. `answered_thread`: this thread had an automatic answer before. `replies_to`: the key of
    the send that this mail answers or returns, if it is one of ours, and `counterpart` the address that send went to.
    `said` are our own words in it, as they were sent, without the customer's below them.
    `case` is the message key of the open cancellation, with its `reason`, `acknowledged` time and the number of `touches`
    sent for it; `texts` are the templates this contact has read, with their variants, in the order of reading. `ground` is what
    allows follow-ups, as far as it is known.
    `appointments` are those of the contact, soonest first. `lateness` tells of each case whether it was a late cancellation
    without an excuse, or None. `package` and `sessions_left` are what a file says of the contact. `waiting` are others who
    cancelled over the time and could take a slot that becomes free.
    """

    address: str = ""
    known: bool = False
    state: ContactState | None = None
    suppressed: str | None = None
    language: str | None = None
    last_automatic: datetime | None = None
    answered_thread: bool = False
    replies_to: str | None = None
    counterpart: str | None = None
    said: str | None = None
    case: str | None = None
    reason: Reason | None = None
    acknowledged: datetime | None = None
    touches: int = 0
    last_touch: datetime | None = None
    texts: tuple[str, ...] = ()
    ground: Ground | None = None
    appointments: tuple[Appointment, ...] = ()
    lateness: tuple[tuple[str, bool | None], ...] = ()
    package: str | None = None
    sessions_left: int | None = None
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A cancellation that is followed up: what a due step needs to know of the mail that began it.

    `opened` is when it was decided. `wished` is the day from which the customer wants to hear from us again, if a touch is
    planned for it.
    """

    message: str
    recipient: Address
    message_id: str | None
    thread: tuple[str, ...]
    subject: str
    text: str
    sent: datetime
    language: str
    reason: Reason | None
    opened: datetime | None = None
    subreason: str | None = None
    wished: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Somebody who cancelled over the time: the case, and what was sent for it."""

    case: Case
    acknowledged: datetime | None = None
    touches: int = 0
    last_touch: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUp:
    """A planned touch of a case. `number` counts from 1; `key` is a digest of case, track and number.

    `revision` counts the drafts that the case had before for touches of this number.
    """

    key: str
    case: str
    address: str
    track: str
    number: int
    template: str
    due: datetime
    revision: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An outgoing mail before it is bytes. `text` is ours and may be edited, `quote` is the customer's words below it.

    `headers` are those that thread and mark the mail; `notes` are for the rep and never leave. `review`: a rep decides;
    otherwise it is queued at once. `automatic`: it goes out without a person, and is marked so. `until`: its words are true
    until then; a rep who is later finds it gone.
    """

    key: str
    kind: Kind
    case: str
    number: int
    recipient: Address
    subject: str
    text: str
    quote: str
    language: str
    template: str
    headers: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    review: bool = True
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What should happen with a message, and why, in sentences a rep could read."""

    outcome: Outcome
    cause: str | None = None
    template: str | None = None
    review: bool = True
    steps: tuple[FollowUp, ...] = ()
    money: str | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The core's whole answer to one message, written by the store in one commit.

    `outgoing` are the frozen bytes of a draft that goes out without a rep. `stop` is the cause for which the planned steps of
    `stopped` addresses are dropped (`reply`, `opt_out`, `bounce` ...), or None. `suppress` maps addresses to the cause for
    which they are never written to again. `contact` is the sender's new state, or None. `beside` is a second draft, always for
    a rep. `appointments` are those that the mail tells of, in their new state, the one that it is about first. `late`: it
    cancels late and without an excuse; None: that is not known. `ground` is what this mail shows of a basis for follow-ups.
    """

    message: Message
    screening: Screening
    verdict: Verdict | None
    decision: Decision
    draft: Draft | None = None
    outgoing: Send | None = None
    stop: str | None = None
    suppress: Mapping[str, str] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()
    contact: ContactState | None = None
    wished: date | None = None
    ground: Ground | None = None
    beside: Draft | None = None
    appointments: tuple[Appointment, ...] = ()
    late: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A mail that no mail of the customer began: its case, its draft, and the frozen bytes if no rep is needed."""

    case: Case
    draft: Draft
    outgoing: Send | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPlan:
    """The core's answer to a due step: exactly one of `draft`, `moved_to`, `dropped` and `trouble` is set."""

    step: FollowUp
    draft: Draft | None = None
    outgoing: Send | None = None
    moved_to: datetime | None = None
    dropped: str | None = None
    trouble: str | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What a rep said a mail really is. `message` is its key, `sender` its writer's mailbox, `by` where the rep said it.

    `was_intent` and `was_reason` are what the model had said, None when it had not been asked; `confidence` how sure it was.
    """

    message: str
    sender: str
    at: datetime
    by: str
    intent: Intent
    reason: Reason | None = None
    was_intent: Intent | None = None
    was_reason: Reason | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A rendered text: a one-line subject and a body with `\\n` line ends. `name` is that of the text or variant it is."""

    subject: str
    body: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """A mail on its way: frozen bytes for one recipient. `fence` is that of the claim; a stale fence may not send."""

    key: str
    draft: str
    message_id: str
    recipient: str
    data: bytes = field(repr=False)
    automatic: bool = False
    fence: int = 0
    attempts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The other side's word on one send: `code` is the SMTP reply (250, 451 ...) or 250 for a Maildir."""

    code: int
    reply: str
