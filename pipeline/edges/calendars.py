"""Read appointments and free times from iCalendar files (RFC 5545). Decides nothing, changes no calendar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar, vRecur

from pipeline.core.appointments import key_of
from pipeline.core.records import Appointment, AppointmentState
from pipeline.errors import BadFile

Read = TypeVar("Read")

LARGEST = 20_000_000  # bytes
PAST, AHEAD = timedelta(days=31), timedelta(days=366)  # how far a series is followed
_MOST = 2_000  # dates of one series
_LAST_MOMENT = timedelta(hours=23, minutes=59)
_NO_SHOW = frozenset({"no-show", "no show", "noshow", "no_show", "no asistió", "no asistio"})
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The appointments of a file, and how many of its entries name no customer."""

    appointments: tuple[Appointment, ...] = ()
    nameless: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """An event at one of its dates."""

    event: Any
    start: datetime
    start_by: datetime | None
    end: datetime | None
    name: str


def read(file: Path, own: frozenset[str], timezone: str, now: datetime) -> Found:
    """The appointments in an iCalendar file.

    The customer of an event is its X-WINBACK-EMAIL, else an attendee who is none of `own`, else the only foreign address in its
    words. STATUS:CANCELLED calls it off; a category `no-show` or X-WINBACK-STATUS:NO-SHOW says that nobody came.
    X-WINBACK-PRICE, -PAID, -SPENT, -CURRENCY, -PACKAGE and -SESSIONS-LEFT are what the policy wants to know. A series is
    followed for a year from `now`. Raises BadFile with a sentence for each mistake.
    """
    rows, nameless, problems = [], 0, []
    for entry in _entries(file, ZoneInfo(timezone), now):
        customer = _customer(entry.event, own)
        if not customer:
            nameless += 1
            continue
        try:
            rows.append(_appointment(entry, customer))
        except ValueError as error:
            problems.append(f"{file}: {_title(entry.event)}: {error}")
    if problems:
        raise BadFile(*problems[:20], f"{file}: nothing was taken over: mend these entries and import it again")
    return Found(appointments=tuple(rows), nameless=nameless)


def files(path: Path) -> Sequence[Path]:
    """The file itself, or the calendars and tables of a folder, by name. Raises BadFile when the folder holds none."""
    if not path.is_dir():
        return [path]
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in (".ics", ".csv")]
    if not found:
        raise BadFile(f"{path}: holds no file that ends in .ics or .csv")
    return found


def free(path: Path, timezone: str, now: datetime) -> tuple[datetime, ...]:
    """The free times that a calendar of availability holds: the beginning of each of its events that lies ahead.

    Raises BadFile.
    """
    zone = ZoneInfo(timezone)
    entries = [entry for file in files(path) for entry in _entries(file, zone, now)]
    open_ones = (entry for entry in entries if not _is_cancelled(entry.event) and entry.start_by is None)
    return tuple(sorted({entry.start for entry in open_ones if entry.start > now}))


def _entries(file: Path, zone: ZoneInfo, now: datetime) -> Iterator[_Entry]:
    events = [event for calendar in _calendars(file) for event in calendar.walk("VEVENT")]
    moved = {
        (str(event.get("UID")), _moment(event["RECURRENCE-ID"].dt, zone)[0]) for event in events if "RECURRENCE-ID" in event
    }
    for event in events:
        if "DTSTART" not in event:
            raise BadFile(f"{file}: {_title(event)}: has no DTSTART: expected the time when it begins")
        begin = event["DTSTART"].dt
        start, start_by = _moment(begin, zone)
        length = _length(event, start, zone)
        uid = str(event.get("UID", ""))
        if "RECURRENCE-ID" in event:
            original = _moment(event["RECURRENCE-ID"].dt, zone)[0]
            yield _entry(event, start, start_by, length, f"{uid} {original.isoformat()}" if uid else "")
        elif "RRULE" in event or "RDATE" in event:
            for at in _dates(event, start, now):
                if (uid, at) not in moved:
                    by = at + _LAST_MOMENT if start_by else None
                    yield _entry(event, at, by, length, f"{uid} {at.isoformat()}" if uid else "")
        else:
            yield _entry(event, start, start_by, length, uid)


def _entry(event: Any, start: datetime, start_by: datetime | None, length: timedelta | None, name: str) -> _Entry:
    return _Entry(event=event, start=start, start_by=start_by, end=start + length if length else None, name=name)


def _calendars(file: Path) -> Sequence[Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile(f"{file}: can't be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise BadFile(f"{file}: is {len(data) >> 20} MB: at most {LARGEST >> 20} MB are read")
    head = data.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].upper()
    if head != b"BEGIN:VCALENDAR":
        raise BadFile(f"{file}:1: is no iCalendar file: expected BEGIN:VCALENDAR in its first line")
    if not data.rstrip().upper().endswith(b"END:VCALENDAR"):
        raise BadFile(f"{file}: ends in the middle: expected END:VCALENDAR in its last line; export it again")
    try:
        return list(Calendar.from_ical(data.decode("utf-8-sig"), multiple=True))
    except Exception as error:
        raise BadFile(f"{file}: can't be read as iCalendar: {error}; export it again") from error


def _moment(value: date | datetime, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)), None
    first = datetime.combine(value, time(), zone)
    return first, first + _LAST_MOMENT


def _length(event: Any, start: datetime, zone: ZoneInfo) -> timedelta | None:
    if "DTEND" in event:
        return max(_moment(event["DTEND"].dt, zone)[0] - start, timedelta(0))
    length = event["DURATION"].dt if "DURATION" in event else None
    return length if isinstance(length, timedelta) else None


def _dates(event: Any, start: datetime, now: datetime) -> Iterator[datetime]:
    """The dates of a series between a month ago and a year from now (RFC 5545 section 3.8.5), in the zone of its start."""
    dates = rruleset()
    local = start.replace(tzinfo=None)
    for rule in _each(event.get("RRULE")):
        limits = {"UNTIL": [_naive(until, start, time.max) for until in rule["UNTIL"]]} if "UNTIL" in rule else {}
        text: bytes = vRecur({**rule, **limits}).to_ical()  # type: ignore[no-untyped-call]  # the library has no types here
        dates.rrule(rrulestr(text.decode(), dtstart=local))
    dates.rdate(local)
    for name, add in (("RDATE", dates.rdate), ("EXDATE", dates.exdate)):
        for listed in _each(event.get(name)):
            for one in listed.dts:
                add(_naive(one.dt, start, local.time()))
    window = ((now + by).astimezone(start.tzinfo).replace(tzinfo=None) for by in (-PAST, AHEAD))
    found = dates.between(*window, inc=True)
    return (at.replace(tzinfo=start.tzinfo) for at in found[:_MOST])


def _naive(value: date | datetime, start: datetime, hour: time) -> datetime:
    """A date of a series as the wall clock at its start shows it; a day alone is meant at this hour."""
    if not isinstance(value, datetime):
        return datetime.combine(value, hour.replace(microsecond=0))
    return value.astimezone(start.tzinfo).replace(tzinfo=None) if value.tzinfo else value


def _each(value: Any) -> Sequence[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _customer(event: Any, own: frozenset[str]) -> tuple[str, str] | None:
    """The address and the name of who comes."""
    given = _ADDRESS.search(str(event.get("X-WINBACK-EMAIL", "")))
    if given:
        return given[0].lower(), str(event.get("X-WINBACK-NAME", ""))
    for attendee in _each(event.get("ATTENDEE")):
        address = re.sub(r"^mailto:\s*", "", str(attendee), flags=re.I).lower()
        if _ADDRESS.fullmatch(address) and address not in own:
            return address, str(getattr(attendee, "params", {}).get("CN", ""))
    words = f"{event.get('SUMMARY', '')}\n{event.get('DESCRIPTION', '')}"
    named = {address.lower() for address in _ADDRESS.findall(words)} - own
    return (named.pop(), "") if len(named) == 1 else None


def _appointment(entry: _Entry, customer: tuple[str, str]) -> Appointment:
    event, (address, name) = entry.event, customer
    sessions = _extra(event, "SESSIONS-LEFT", int, "a whole number such as 4")
    state = AppointmentState.BOOKED
    if _is_no_show(event):
        state = AppointmentState.NO_SHOW
    elif _is_cancelled(event):
        state = AppointmentState.CANCELLED
    return Appointment(
        key=key_of(address, entry.start, entry.name),
        address=address,
        name="" if "@" in name else name,
        start=entry.start,
        start_by=entry.start_by,
        end=entry.end,
        service=" ".join(str(event.get("SUMMARY", "")).split())[:128],
        state=state,
        cause="" if state is AppointmentState.BOOKED else "calendar",
        price=_extra(event, "PRICE", _amount, "an amount such as 80.00"),
        paid=_extra(event, "PAID", _amount, "an amount such as 20.00"),
        spent=_extra(event, "SPENT", _amount, "an amount such as 20.00"),
        currency=_extra(event, "CURRENCY", str, "three letters"),
        package=_extra(event, "PACKAGE", str, "a name"),
        sessions_left=sessions,
        source="calendar",
    )


def _extra(event: Any, name: str, make: Callable[[str], Any], expected: str) -> Any:
    text = str(event.get(f"X-WINBACK-{name}", "")).strip()
    if not text:
        return None
    try:
        return make(text)
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"X-WINBACK-{name}: expected {expected}; got {text!r}") from error


def _amount(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise ValueError(text)
    return Decimal(text)


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _is_no_show(event: Any) -> bool:
    marks = [str(event.get("X-WINBACK-STATUS", ""))]
    for listed in _each(event.get("CATEGORIES")):
        marks += [str(category) for category in getattr(listed, "cats", [listed])]
    return any(mark.strip().lower() in _NO_SHOW for mark in marks)


def _title(event: Any) -> str:
    return f"the event {str(event.get('SUMMARY') or event.get('UID') or 'without a name')!r}"


class Watched(Generic[Read]):
    """What `read` makes of files, made anew when one of them has changed, and once a day because series go on."""

    def __init__(self, path: Path, read: Callable[[datetime], Read]) -> None:
        self._path, self._read = path, read
        self._seen: tuple[object, ...] = ()
        self._taken: tuple[object, ...] = ()
        self._last: list[Read] = []

    def __call__(self, now: datetime) -> Read:
        """What they hold. Raises BadFile."""
        seen = (now.date(), *_stamps(self._path))
        if seen != self._seen:
            self._last = [self._read(now)]
            self._seen = seen
        return self._last[0]

    def news(self, now: datetime) -> Read | None:
        """What they hold, or None when nothing has changed since that was `taken`. Raises BadFile."""
        held = self(now)
        return None if self._seen == self._taken else held

    def taken(self) -> None:
        """What `news` gave last is kept now, and no news any more. Not before: what fails to be kept must be given again."""
        self._taken = self._seen


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    for file in files(path):
        try:
            known = file.stat()
        except OSError as error:
            raise BadFile(f"{file}: can't be read: {error.strerror}") from error
        yield str(file), known.st_mtime_ns, known.st_size
