"""What is told of customers and appointments from the terminal, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from site_of import make_config
from typer.testing import CliRunner, Result

from pipeline.cli import cli
from pipeline.errors import BadFile, WinbackError

AHEAD = Path(__file__).parent / "edges" / "calendars" / "far_ahead.ics"


class Desk:
    """A site, and somebody who types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = make_config(folder, acknowledgments="review", country="ES", timezone="Europe/Madrid")
        for part in ("cur", "new", "tmp"):
            (folder / "inbox" / part).mkdir(parents=True)

    def types(self, *words: object) -> Result:
        return CliRunner().invoke(cli, ["--config", str(self.config), *map(str, words)])

    def says(self, *words: object) -> str:
        result = self.types(*words)
        assert result.exit_code == 0, result.output
        return result.output.strip()

    def told(self, *words: object) -> list[dict[str, object]]:
        return json.loads(self.types(*words, "--json").stdout)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_customers_come_from_a_table(desk: Desk):
    path = desk.file("people.csv", "email,name,hair\nmaria@example.org,Maria Lopez,brown\n")
    assert desk.says("contacts", "import", path) == (
        "customers: 1 new, 0 changed, 0 known before; columns that nobody reads: hair"
    )
    assert desk.says("contacts", "import", path).startswith("customers: 0 new, 0 changed, 1 known before")
    assert [row["address"] for row in desk.told("contacts", "list")] == ["maria@example.org"]


def test_a_table_with_mistakes_changes_nothing_and_ends_with_the_lines(desk: Desk):
    path = desk.file("people.csv", "email\nmaria@example.org\nnobody\n")
    result = desk.types("contacts", "import", path)
    assert isinstance(result.exception, BadFile)
    assert "people.csv:3: email: expected an address" in str(result.exception)
    assert desk.told("contacts", "list") == []


def test_appointments_come_from_calendars_and_tables_and_twice_equals_once(desk: Desk):
    told = desk.says("appointments", "import", AHEAD)
    assert told == "appointments: 3 new, 0 changed, 0 known before; passed over, for they name no customer: 1"
    assert desk.says("appointments", "import", AHEAD).startswith("appointments: 0 new, 0 changed, 3 known before")


def test_a_folder_holds_both(desk: Desk):
    kept = desk.folder / "kept"
    kept.mkdir()
    (kept / "ahead.ics").write_bytes(AHEAD.read_bytes())
    (kept / "more.csv").write_text("email,start\nlea@example.org,2099-01-05 10:00\n")
    assert desk.says("appointments", "import", kept).startswith("appointments: 4 new")


def test_appointments_are_listed_by_the_clock_of_the_business(desk: Desk):
    path = desk.file(
        "a.csv", "email,start,service,price\nlea@example.org,2099-01-05T09:00Z,Colour,80\nann@example.org,2099-01-06,,\n"
    )
    desk.says("appointments", "import", path)
    assert desk.told("appointments", "list") == [
        {
            "start": "2099-01-05T10:00+01:00",
            "state": "booked",
            "address": "lea@example.org",
            "service": "Colour",
            "price": "80",
            "source": "file",
        },
        {"start": "2099-01-06", "state": "booked", "address": "ann@example.org", "source": "file"},
    ]
    assert "2099-01-05 10:00  booked     lea@example.org" in desk.says("appointments", "list")


def test_past_appointments_are_listed_when_asked_for(desk: Desk):
    desk.says("appointments", "import", desk.file("a.csv", "email,start\nlea@example.org,2020-01-05\n"))
    assert desk.says("appointments", "list") == "no appointment is known"
    assert "2020-01-05" in desk.says("appointments", "list", "--all")


def test_the_calendar_of_the_configuration_is_read_by_the_daemon(desk: Desk):
    kept = desk.file("kept.csv", "email,start\nlea@example.org,2099-01-05 10:00\n")
    desk.config.write_text(desk.config.read_text().replace("  calendar:\n", f"  calendar: {kept}\n"))
    assert json.loads(desk.types("once", "--json").stdout)["appointments"] == 1
    assert [row["address"] for row in desk.told("appointments", "list")] == ["lea@example.org"]


def test_a_broken_calendar_raises_an_alarm_and_stops_nothing_else(desk: Desk):
    kept = desk.file("kept.csv", "email,start\nlea@example.org,sometime\n")
    desk.config.write_text(desk.config.read_text().replace("  calendar:\n", f"  calendar: {kept}\n"))
    done = json.loads(desk.types("once", "--json").stdout)
    assert {name for name, count in done.items() if count < 0} == {"appointments"}
    assert "kept.csv:2: start: expected a day" in desk.says("status")


def test_check_reads_the_calendars(desk: Desk):
    text = desk.config.read_text().replace("  calendar:\n", f"  calendar: {AHEAD}\n")
    desk.config.write_text(text.replace("  availability: ", "  availability: none.ics "))
    said = desk.types("check").output
    assert "ok   appointments   3 appointments can be read; 1 entries name no customer" in said
    assert "BAD  free times" in said


def test_check_finds_a_piece_that_is_missing(desk: Desk):
    desk.config.write_text(desk.config.read_text().replace("    any: first_visit", "    any: nothing_there"))
    assert "appointments.content.any" in desk.types("check").output


def test_a_no_show_is_told_and_told_again(desk: Desk):
    assert desk.says("no-show", "ann@example.org", "--appointment", "2026-01-02").endswith("a draft waits in review/")
    assert desk.says("no-show", "ann@example.org", "--appointment", "2026-01-02").endswith("that was noted before")
    assert len(list((desk.folder / "outbox" / "review").glob("*.eml"))) == 1


def test_who_has_the_policy_is_recorded_listed_and_shown(desk: Desk):
    assert "accepted version" in desk.says("policy", "accepted", "maria@example.org", "--on", "2026-01-02", "--language", "es")
    (row,) = desk.told("policy", "records", "maria@example.org")
    assert (row["kind"], row["day"], row["language"]) == ("accepted", "2026-01-02", "es")
    assert str(row["version"]) in desk.says("policy", "records")
    assert desk.says("policy", "show", row["version"]) == desk.says("policy", "--language", "es")
    assert isinstance(desk.types("policy", "show", "nothing").exception, WinbackError)
    assert isinstance(desk.types("policy", "received", "nobody").exception, WinbackError)


def test_nobody_is_known_to_have_the_policy_at_first(desk: Desk):
    assert desk.says("policy", "records") == "nobody is known to have received the policy"


def test_explain_tells_the_policy_and_the_date_called_off(desk: Desk):
    mail = desk.file(
        "mail.eml",
        "From: Maria <maria@example.org>\nTo: dana@bluedoor.example\nSubject: Cancel\nMessage-ID: <1@example.org>\n"
        "Date: Mon, 23 Nov 2026 10:30:00 +0100\n\nI have to cancel my appointment on 24 November, I must work.\n",
    )
    text = desk.config.read_text().replace("  fees: []", "  fees:\n    - {within: 48h, percent: 50}")
    desk.config.write_text(text.replace("  notice: 24h ", "  notice: 48h "))
    (told,) = [json.loads(line) for line in desk.types("explain", "--json", mail).stdout.splitlines()]
    assert "Called off: Tuesday 24 November; the hour is not known." in told["why"]
    assert "Fee: 50% of the price." in told["why"]
