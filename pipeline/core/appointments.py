"""Say which appointment a mail is about, and what is known of it. Decides nothing about the mail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.records import (
    Appointment,
    AppointmentState,
    Booking,
    Calendar,
    DateKind,
    FoundDate,
    History,
    Intent,
    Message,
    Rules,
    Verdict,
    digest,
)

_GRACE = timedelta(days=1)  # "sorry I missed today" is about an appointment that has begun
_LAST_MOMENT = time(23, 59)
RESCHEDULED = "rescheduled"


def key_of(address: str, start: datetime, uid: str = "") -> str:
    """The identity of an appointment: what its calendar or file calls it, else who comes and when."""
    return digest("appointment", "uid", uid) if uid else digest("appointment", address.lower(), start.isoformat())


def whole_day(day: date, rules: Rules) -> tuple[datetime, datetime]:
    """The first and the last moment of a day where the business is."""
    zone = ZoneInfo(rules.business.timezone)
    return datetime.combine(day, time(), zone), datetime.combine(day, _LAST_MOMENT, zone)


def meant(message: Message, verdict: Verdict, known: Sequence[Appointment], rules: Rules) -> Appointment | None:
    """The appointment that a cancellation or a wish for another date is about, as it was known before; None when unclear.

    The called-off entry of a calendar comes first, then the day that the customer names; without either it is the only one
    that lies ahead. A day on which nothing is known to be booked makes an appointment of its own, in the customer's own words.
    """
    if verdict.intent is Intent.NONE or message.sender is None:
        return None
    calendar, at = message.calendar, message.sent or message.arrived
    if calendar and calendar.uid:
        same = [one for one in known if one.key == key_of(one.address, one.start, calendar.uid)]
        if same:
            return same[0]
    zone = ZoneInfo(rules.business.timezone)
    off = [found for found in verdict.dates if found.kind is DateKind.CANCELLED]
    called = [found for found in off if not found.rough]
    days = [found.day for found in called]
    recent = [one for one in known if (one.start_by or one.end or one.start) > at - _GRACE]
    named = [one for one in recent if one.start.astimezone(zone).date() in days]
    if named:
        return min(named, key=lambda one: one.start)
    if days:
        first = min(called, key=lambda found: found.day)
        hour = _hour(first, message)
        return _in_words(message.sender.key, first.day, hour, at, rules) if verdict.intent is Intent.CANCEL else None
    if off:
        return None  # a whole week or month is called off: which appointments that means a person sees
    ahead = [one for one in recent if one.state is AppointmentState.BOOKED]
    return ahead[0] if len(ahead) == 1 else None


def _in_words(address: str, day: date, hour: time | None, at: datetime, rules: Rules) -> Appointment | None:
    first, last = whole_day(day, rules)
    if last < at - _GRACE:
        return None
    key = key_of(address, first, f"words {address} {day}")
    if hour is None:
        return Appointment(key=key, address=address, start=first, start_by=last, source="words")
    return Appointment(key=key, address=address, start=datetime.combine(day, hour, first.tzinfo), source="words")


# A clock time that can be read in one way only: "3 pm", "15:30", "10:15", "17 h". "At 5" may be morning or afternoon.
_PLAIN_CLOCK = re.compile(
    r"(?<![\d:.$€£])(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d))? ?(?P<half>[ap])\.?m\b"
    r"|(?<![\d:.$€£])(?P<late>1[3-9]|2[0-3])(?::(?P<past>[0-5]\d)\b| ?(?:h|hs|hrs|horas)\b)"
    r"|(?<![\d:.$€£])(?P<early>0?[89]|1[0-2]):(?P<later>[0-5]\d)\b(?! ?[ap]\.?m)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-ZÁÉÍÓÚÑ¡¿])|\n")
_BESIDE = 24  # characters between a day and its hour: "my 3pm lesson on Thursday"


def _hour(day: FoundDate, message: Message) -> time | None:
    """The hour that is named with a day, if there is one alone and nobody could read it otherwise."""
    around = day.text
    if not _PLAIN_CLOCK.search(around) and day.end > 0:
        before = message.text[max(0, day.start - _BESIDE) : day.start]
        after = message.text[day.end : day.end + _BESIDE]
        around = f"{_SENTENCE_END.split(before)[-1]} {_SENTENCE_END.split(after)[0]}"
    found = {_time_of(match) for match in _PLAIN_CLOCK.finditer(around)}
    return found.pop() if len(found) == 1 else None


def _time_of(clock: re.Match[str]) -> time | None:
    if clock["half"]:
        hour, afternoon = int(clock["hour"]), clock["half"].lower() == "p"
        return time(hour % 12 + 12 * afternoon, int(clock["minute"] or 0)) if 1 <= hour <= 12 else None
    return time(int(clock["late"] or clock["early"]), int(clock["past"] or clock["later"] or 0))


def called_off(one: Appointment, verdict: Verdict, at: datetime) -> Appointment:
    """The appointment after a cancellation by its customer."""
    if one.state is not AppointmentState.BOOKED:
        return one
    cause = str(verdict.sensitive or verdict.subreason or verdict.reason or "")
    return replace(one, state=AppointmentState.CANCELLED, cause=cause, since=at)


def of_calendar(message: Message, rules: Rules) -> Appointment | None:
    """What an iTIP mail (RFC 5546) tells of an appointment; None when it names no time or nobody but us.

    The customer is whoever of attendee, organizer and sender is not one of our own addresses.
    """
    calendar = message.calendar
    if calendar is None or calendar.start is None:
        return None
    start, start_by = _begin(calendar.start, calendar.local, rules)
    state = _state_of(calendar)
    named = (calendar.attendee, calendar.organizer, message.sender.address if message.sender else "")
    customer = next((who.lower() for who in named if "@" in who and who.lower() not in rules.own), "")
    if state is None or not customer:
        return None
    sender = message.sender
    return Appointment(
        key=key_of(customer, start, calendar.uid),
        address=customer,
        name=sender.name if sender and sender.key == customer else "",
        start=start,
        start_by=start_by,
        service=calendar.summary,
        state=state,
        cause="" if state is AppointmentState.BOOKED else "calendar",
        since=message.sent or message.arrived,
        source="mail",
    )


def _begin(start: datetime, local: date | datetime | None, rules: Rules) -> tuple[datetime, datetime | None]:
    """When an entry begins, and its last moment if it is a whole day. What names no zone is by the clock of the business."""
    if isinstance(local, datetime):
        return local.replace(tzinfo=ZoneInfo(rules.business.timezone)), None
    return whole_day(local, rules) if local else (start, None)


def _state_of(calendar: Calendar) -> AppointmentState | None:
    if calendar.method == "CANCEL" or (calendar.method == "REPLY" and calendar.partstat == "DECLINED"):
        return AppointmentState.CANCELLED
    if calendar.method == "REQUEST" or (calendar.method == "REPLY" and calendar.partstat == "ACCEPTED"):
        return AppointmentState.BOOKED
    return None


def booking(one: Appointment | None, history: History) -> Booking:
    """What the policy may know of an appointment: what a file says of the customer fills what is not known of it.

    One with a price of its own belongs to no package, unless somebody says so.
    """
    if one is None:
        return Booking(package=history.package, sessions_left=history.sessions_left)
    known = (one.package, history.package, "" if one.price is not None else None)
    return Booking(
        price=one.price,
        paid=one.paid,
        spent=one.spent,
        currency=one.currency,
        start=one.start,
        start_by=one.start_by,
        package=next((package for package in known if package is not None), None),
        sessions_left=one.sessions_left or history.sessions_left,
    )


def late_before(history: History, but: str, grace: int) -> int | None:
    """How many cancellations before this one were late without an excuse; None when that is open and would matter."""
    earlier = [late for case, late in history.lateness if case != but]
    sure = sum(late is True for late in earlier)
    return None if sure < grace and any(late is None for late in earlier) else sure


def free_slots(slots: Sequence[datetime], taken: Sequence[Appointment], now: datetime, most: int = 3) -> tuple[datetime, ...]:
    """The next free slots, at most so many: ahead by an hour or more, and not booked by anybody."""
    booked = {one.start for one in taken if one.state is AppointmentState.BOOKED}
    ahead = sorted({slot for slot in slots if slot >= now + timedelta(hours=1)} - booked)
    return tuple(ahead[:most])


# --- notices of booking tools

_LABELS: Mapping[str, tuple[str, ...]] = {
    "address": (
        "invitee email",
        "client email",
        "customer email",
        "email address",
        "e-mail",
        "email",
        "correo electrónico",
        "correo",
    ),
    "name": ("invitee", "client", "customer", "guest", "name", "invitado", "cliente", "nombre"),
    "service": ("event type", "appointment type", "service", "event", "tipo de cita", "tipo de evento", "servicio"),
    "before": ("former time", "old time", "previous time", "original time", "hora anterior", "fecha anterior"),
    "when": (
        *("new time", "updated date/time", "new date", "nueva fecha", "nueva hora"),
        *("event date/time", "date/time", "date and time", "when", "time", "date", "fecha y hora", "cuándo", "fecha", "hora"),
    ),
}
_LABEL_OF = {label: name for name, labels in _LABELS.items() for label in labels}
_FIELD = re.compile(r"^[ \t>*•-]*([\w /-]{2,24}?)[ \t*]*:[ \t*]*(?:\n[ \t]*)?(\S[^\n]{0,200})", re.M)
_MOVED = re.compile(
    r"\bre-?schedul(?:ed|ing)\b|\bmoved to\b|\bnew time\b|\breprogramad[oa]s?\b|\breagendad[oa]s?\b|\bcambiad[oa]s? a\b"
    r"|\bnueva (?:fecha|hora)\b",
    re.I,
)
_OFF = re.compile(r"\bcancel?led\b|\bcancellation\b|\bcancelad[oa]s?\b|\bcancelación\b|\banulad[oa]s?\b", re.I)
_NEW = re.compile(r"\bnew (?:event|appointment|booking)\b|\b(?:booked|scheduled|confirmed)\b|\bnueva (?:cita|reserva)\b", re.I)
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.h](\d{2}))?\s*([ap])\.?m\b\.?|\b(\d{1,2})[:.h](\d{2})\b", re.I)


def is_notice(message: Message, authenticated: bool, tools: frozenset[str]) -> bool:
    """Whether a booking tool wrote, vouched for by a trusted server: only then its word about a customer counts."""
    domain = message.sender.domain if message.sender else ""
    return authenticated and any(domain == tool or domain.endswith(f".{tool}") for tool in tools)


def fields_of(message: Message) -> Mapping[str, str]:
    """What a notice says, label by label: `address`, `name`, `service`, `when`, and `before` if it was moved."""
    found: dict[str, str] = {}
    for label, value in _FIELD.findall(message.text[:20_000]):
        name = _LABEL_OF.get(" ".join(label.lower().split()))
        if name:
            found.setdefault(name, value.strip(" *"))
    return found


def of_notice(
    message: Message, said: Mapping[str, str], day: date | None, before: date | None, rules: Rules
) -> tuple[Appointment, ...]:
    """What a booking tool's notice tells of appointments; nothing when it names no customer or no day.

    `said` is what `fields_of` found, `day` and `before` the days that its `when` and `before` mean. A reschedule that is
    flagged as a cancellation is a reschedule: the appointment is booked at its new time, and the old one is not lost.
    """
    who = re.search(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", said.get("address", ""))
    words = f"{message.subject}\n{message.text[:20_000]}"
    moved, off = is_moved(message), bool(_OFF.search(words))
    if who is None or day is None or not (moved or off or _NEW.search(words)):
        return ()
    told = _told(message, said, who[0].lower(), (day, said.get("when", "")), rules)
    if not moved:
        return (replace(told, state=AppointmentState.CANCELLED, cause="booking tool") if off else told,)
    if before is None:
        return (replace(told, cause=RESCHEDULED),)
    old = _told(message, said, told.address, (before, said.get("before", "")), rules)
    return replace(told, cause=RESCHEDULED), replace(old, state=AppointmentState.CANCELLED, cause=RESCHEDULED)


def _told(message: Message, said: Mapping[str, str], address: str, when: tuple[date, str], rules: Rules) -> Appointment:
    (day, words), (first, last) = when, whole_day(when[0], rules)
    at = _at(words)
    start = datetime.combine(day, at, ZoneInfo(rules.business.timezone)) if at else first
    return Appointment(
        key=key_of(address, start),
        address=address,
        name=said.get("name", "")[:200],
        start=start,
        start_by=None if at else last,
        service=said.get("service", "")[:128],
        since=message.sent or message.arrived,
        source="notice",
    )


def is_moved(message: Message) -> bool:
    """Whether a notice tells that an appointment has another date, whatever else it calls itself."""
    return bool(_MOVED.search(f"{message.subject}\n{message.text[:20_000]}"))


def _at(text: str) -> time | None:
    match = _CLOCK.search(text)
    if match is None:
        return None
    hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
    if match[3]:
        hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None
