"""Read customers and appointments from CSV files, as booking programs and spreadsheets write them. Decides nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from pipeline.core.appointments import key_of
from pipeline.core.records import Appointment, AppointmentState, Customer
from pipeline.errors import BadFile

LARGEST = 20_000_000  # bytes
_SHOWN = 20  # mistakes that are told; who mends those sees the rest
_LAST_MOMENT = timedelta(hours=23, minutes=59)

Row = TypeVar("Row")
Value = TypeVar("Value")

# What a column may be called, in English and in Spanish.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "e-mail", "mail", "address", "email address", "correo", "correo electrónico", "correo electronico"),
    "name": ("name", "customer", "client", "nombre", "cliente"),
    "language": ("language", "idioma"),
    "start": ("start", "starts", "begin", "when", "inicio", "fecha y hora"),
    "date": ("date", "day", "fecha", "día", "dia"),
    "time": ("time", "hour", "hora"),
    "end": ("end", "ends", "fin"),
    "service": ("service", "what", "summary", "servicio"),
    "state": ("state", "status", "estado"),
    "price": ("price", "total", "precio"),
    "paid": ("paid", "deposit", "pagado", "anticipo"),
    "spent": ("spent", "costs", "gastado", "gastos"),
    "currency": ("currency", "moneda"),
    "package": ("package", "bono", "paquete"),
    "sessions_left": ("sessions_left", "sessions left", "sesiones restantes"),
    "id": ("id", "uid", "key", "clave"),
}
_COLUMN_OF = {word: name for name, words in _COLUMNS.items() for word in words}

_STATES: Mapping[str, AppointmentState] = {
    **dict.fromkeys(("", "booked", "confirmed", "reservada", "confirmada", "reservado"), AppointmentState.BOOKED),
    **dict.fromkeys(("cancelled", "canceled", "cancelada", "cancelado", "anulada"), AppointmentState.CANCELLED),
    **dict.fromkeys(("no_show", "no-show", "no show", "noshow", "no asistió", "no asistio"), AppointmentState.NO_SHOW),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Generic[Row]):
    """What a file holds, and the columns of it that nobody here reads."""

    rows: tuple[Row, ...]
    unused: tuple[str, ...] = ()


class _Wrong(ValueError):
    """A value is not what its column should hold: what was expected."""


def customers(path: Path) -> Table[Customer]:
    """The customers in a CSV file with the columns email, and name, language, package, sessions_left as far as known.

    Raises BadFile with a sentence for each mistake: line, column, what was expected.
    """
    return _read(path, ("email",), _customer)


def appointments(path: Path, timezone: str) -> Table[Appointment]:
    """The appointments in a CSV file: email and start (or date and time), and whatever else is known of each.

    Times without a zone are meant in `timezone`. Raises BadFile with a sentence for each mistake.
    """
    zone = ZoneInfo(timezone)
    return _read(path, ("email",), lambda cells: _appointment(cells, zone))


def moment(text: str, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """A day with its hour, or the first and the last moment of a day alone. Raises ValueError."""
    text = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        first = datetime.combine(date.fromisoformat(text), time(), zone)
        return first, first + _LAST_MOMENT
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)), None


def _read(path: Path, needed: tuple[str, ...], make: Callable[[Mapping[str, str]], Row]) -> Table[Row]:
    lines = csv.reader(io.StringIO(_text(path)), delimiter=_delimiter(path))
    head = next(lines, [])
    names = [_COLUMN_OF.get(" ".join(cell.lower().replace("_", " ").split()), "") for cell in head]
    names = [name or _COLUMN_OF.get(cell.lower().strip(), "") for name, cell in zip(names, head, strict=True)]
    missing = [name for name in needed if name not in names]
    if missing:
        raise BadFile(f"{path}:1: expected a line with the names of the columns, among them {', '.join(missing)}")
    rows, problems = [], []
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            rows.append(make({name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}))
        except _Wrong as error:
            problems.append(f"{path}:{lines.line_num}: {error}")
    if problems:
        more = [f"{path}: and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise BadFile(*problems[:_SHOWN], *more, f"{path}: nothing was taken over: mend these lines and import it again")
    return Table(
        rows=tuple(rows), unused=tuple(cell for name, cell in zip(names, head, strict=True) if not name and cell.strip())
    )


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path}: can't be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise BadFile(f"{path}: is {len(data) >> 20} MB: at most {LARGEST >> 20} MB are read; divide it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(f"{path}:{line}: is not UTF-8 text: save the file as `CSV UTF-8`") from error


def _delimiter(path: Path) -> str:
    """What divides the columns: spreadsheets write a semicolon where the comma is the decimal sign."""
    first = _text(path).partition("\n")[0]
    return max(",;\t", key=first.count)


def _customer(cells: Mapping[str, str]) -> Customer:
    return Customer(
        address=_address(cells),
        name=cells.get("name", ""),
        language=_language(cells),
        package=cells.get("package") or None,
        sessions_left=_sessions(cells),
    )


def _appointment(cells: Mapping[str, str], zone: ZoneInfo) -> Appointment:
    address = _address(cells)
    start, start_by = _start(cells, zone)
    end = _value(cells, "end", "a day and time such as 2026-11-26 16:00", lambda text: moment(text, zone)[0])
    if end is not None and end < start:
        raise _Wrong(f"end: expected a time after the start; got {cells['end']!r}")
    state = _value(cells, "state", "booked, cancelled or no_show", lambda text: _STATES[text.lower()])
    named = cells.get("id", "")
    return Appointment(
        key=key_of(address, start, f"file {named}" if named else ""),
        address=address,
        name=cells.get("name", ""),
        language=_language(cells),
        start=start,
        start_by=start_by,
        end=end,
        service=cells.get("service", ""),
        state=state or AppointmentState.BOOKED,
        price=_money(cells, "price"),
        paid=_money(cells, "paid"),
        spent=_money(cells, "spent"),
        currency=_value(cells, "currency", "three letters such as EUR", _currency),
        package=cells.get("package") or None,
        sessions_left=_sessions(cells),
        source="file",
    )


def _address(cells: Mapping[str, str]) -> str:
    text = cells.get("email", "")
    if not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+", text):
        raise _Wrong(f"email: expected an address such as maria@example.org; got {text!r}")
    return text.lower()


def _language(cells: Mapping[str, str]) -> str:
    text = cells.get("language", "").lower()
    found = {"": "", "en": "en", "english": "en", "inglés": "en", "es": "es", "spanish": "es", "español": "es"}.get(text)
    if found is None:
        raise _Wrong(f"language: expected en or es; got {text!r}")
    return found


def _start(cells: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    text = cells.get("start") or " ".join(filter(None, (cells.get("date", ""), cells.get("time", ""))))
    try:
        return moment(text, zone)
    except ValueError as error:
        raise _Wrong(f"start: expected a day, or a day and time, such as 2026-11-26 15:00; got {text!r}") from error


def _money(cells: Mapping[str, str], name: str) -> Decimal | None:
    return _value(cells, name, "an amount such as 80.00", _decimal)


def _decimal(text: str) -> Decimal:
    if re.fullmatch(r"\d{1,9},\d{1,2}", text):
        text = text.replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise ValueError(text)
    return Decimal(text)


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", text):
        raise ValueError(text)
    return text.upper()


def _sessions(cells: Mapping[str, str]) -> int | None:
    def read(text: str) -> int:
        number = int(text)
        if not 1 <= number <= 1_000:
            raise ValueError(text)
        return number

    return _value(cells, "sessions_left", "a whole number from 1 on, such as 4", read)


def _value(cells: Mapping[str, str], name: str, expected: str, read: Callable[[str], Value]) -> Value | None:
    """A value that may be left out. Raises _Wrong when it is there and is not what was expected."""
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return read(text)
    except (ValueError, KeyError) as error:
        raise _Wrong(f"{name}: expected {expected}; got {text!r}") from error
