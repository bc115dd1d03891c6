"""Tables of customers and appointments, as spreadsheets write them; mistakes are named, none is guessed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.core.records import AppointmentState, Customer
from pipeline.edges import tables
from pipeline.errors import BadFile

MADRID = ZoneInfo("Europe/Madrid")


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return written


def appointments(path: Path) -> tables.Table:
    return tables.appointments(path, "Europe/Madrid")


def problems(path: Path, read=tables.customers) -> list[str]:
    with pytest.raises(BadFile) as raised:
        read(path)
    return [problem.replace(f"{path.parent}/", "") for problem in raised.value.problems]


def test_a_customer_is_what_the_columns_say(write):
    path = write("email,name,language,package,sessions_left\nMaria@Example.org,Maria Lopez,es,ten,4\ntom@example.org,,,,\n")
    assert tables.customers(path).rows == (
        Customer(address="maria@example.org", name="Maria Lopez", language="es", package="ten", sessions_left=4),
        Customer(address="tom@example.org"),
    )


def test_an_appointment_is_what_the_columns_say(write):
    path = write(
        "id,email,name,start,end,service,state,price,paid,spent,currency,package,sessions_left\n"
        "a1,maria@example.org,Maria,2026-11-26 15:00,2026-11-26 16:00,Colour,cancelled,80,20.50,0,eur,ten,4\n"
    )
    (one,) = appointments(path).rows
    assert (one.start, one.end) == (datetime(2026, 11, 26, 15, tzinfo=MADRID), datetime(2026, 11, 26, 16, tzinfo=MADRID))
    assert (one.price, one.paid, one.spent, one.currency) == (Decimal(80), Decimal("20.50"), Decimal(0), "EUR")
    assert (one.service, one.state, one.package, one.sessions_left) == ("Colour", AppointmentState.CANCELLED, "ten", 4)


def test_spreadsheets_in_spanish_are_read_too(write):
    path = write(
        "Correo;Nombre;Fecha;Hora;Servicio;Precio;Estado\r\nana@example.org;Ana;2026-11-26;15:00;Corte;80,50;no asistió\r\n"
    )
    (one,) = appointments(path).rows
    assert (one.name, one.service, one.price, one.state) == ("Ana", "Corte", Decimal("80.50"), AppointmentState.NO_SHOW)
    assert one.start == datetime(2026, 11, 26, 15, tzinfo=MADRID)


def test_a_day_without_its_hour_is_a_day(write):
    (one,) = appointments(write("email,start\nana@example.org,2026-11-26\n")).rows
    assert (one.timed, one.start) == (False, datetime(2026, 11, 26, tzinfo=MADRID))
    assert one.start_by == datetime(2026, 11, 26, 23, 59, tzinfo=MADRID)


def test_a_time_with_a_zone_is_kept(write):
    (one,) = appointments(write("email,start\nana@example.org,2026-11-26T15:00:00-05:00\n")).rows
    assert one.start.astimezone(MADRID).hour == 21


def test_the_id_of_a_row_follows_it_through_a_change_of_time(write):
    (before,) = appointments(write("id,email,start\n7,ana@example.org,2026-11-26 15:00\n")).rows
    (after,) = appointments(write("id,email,start\n7,ana@example.org,2026-11-27 15:00\n")).rows
    assert before.key == after.key


def test_every_mistake_is_told_with_its_line_and_what_was_expected(write):
    path = write(
        "email,start,price,language,state,sessions_left,end\n"
        "ana@example.org,tomorrow,,,,,\n"
        "ana,2026-11-26,,,,,\n"
        "ana@example.org,2026-11-26,eighty,,,,\n"
        "ana@example.org,2026-11-26,,fr,,,\n"
        "ana@example.org,2026-11-26,,,maybe,,\n"
        "ana@example.org,2026-11-26,,,,0,\n"
        "ana@example.org,2026-11-26 15:00,,,,,2026-11-26 14:00\n"
    )
    assert problems(path, appointments) == [
        "people.csv:2: start: expected a day, or a day and time, such as 2026-11-26 15:00; got 'tomorrow'",
        "people.csv:3: email: expected an address such as maria@example.org; got 'ana'",
        "people.csv:4: price: expected an amount such as 80.00; got 'eighty'",
        "people.csv:5: language: expected en or es; got 'fr'",
        "people.csv:6: state: expected booked, cancelled or no_show; got 'maybe'",
        "people.csv:7: sessions_left: expected a whole number from 1 on, such as 4; got '0'",
        "people.csv:8: end: expected a time after the start; got '2026-11-26 14:00'",
        "people.csv: nothing was taken over: mend these lines and import it again",
    ]


def test_many_mistakes_are_counted_not_listed(write):
    found = problems(write("email\n" + "nobody\n" * 50))
    assert len(found) == 22
    assert found[20] == "people.csv: and 30 more"


def test_a_line_break_inside_quotes_does_not_shift_the_lines(write):
    path = write('email,name\n"ana@example.org","Ana\nMaria"\nnobody,\n')
    assert problems(path)[0].startswith("people.csv:4: email")


def test_columns_that_nobody_reads_are_named(write):
    assert tables.customers(write("email,Hair colour,\nana@example.org,brown,\n")).unused == ("Hair colour",)


def test_a_file_without_the_column_that_is_needed_is_refused(write):
    assert problems(write("name\nAna\n")) == ["people.csv:1: expected a line with the names of the columns, among them email"]
    assert problems(write("")) == ["people.csv:1: expected a line with the names of the columns, among them email"]


def test_a_file_that_is_no_utf_8_is_refused_with_the_line(write):
    path = write("email,name\nana@example.org,José\n", "latin-1")
    assert problems(path) == ["people.csv:2: is not UTF-8 text: save the file as `CSV UTF-8`"]


def test_what_excel_writes_first_is_passed_over(write):
    assert tables.customers(write("\ufeffemail\nana@example.org\n")).rows == (Customer(address="ana@example.org"),)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadFile, match=r"none\.csv: can't be read: No such file"):
        tables.customers(tmp_path / "none.csv")
