"""The demo, as somebody sees it who has just typed `make run`. The model, the readers and the folders are the real ones."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from site_of import make_config

from pipeline import app, demo
from pipeline.cli import main
from pipeline.config import load
from pipeline.daemon import only_instance
from pipeline.errors import AnotherInstance, ConfigError, WinbackError
from pipeline.store import Event

BUILT = app.SHIPPED / "models" / "built" / "model.json"
pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="no model is built: `winback train --shipped` builds it")

FATES = ("answered", "draft waits", "held: ", "left alone: ")


def printed(play: Callable[[Console], int]) -> str:
    """What a play prints where there is no terminal. It has to end with 0."""
    page = io.StringIO()
    assert play(Console(file=page, width=140)) == 0
    return page.getvalue()


def sender(sample: str) -> str:
    """The name of who wrote a sample mail; `?` when nobody can tell."""
    mail = message_from_bytes(next(demo.SAMPLES.glob(f"{sample}*.eml")).read_bytes(), policy=default)
    return mail["From"].addresses[0].display_name if mail["From"] else "?"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `demo --once` ran; what it printed lies in `printed.txt`."""
    folder = tmp_path_factory.mktemp("once") / "demo"
    page = printed(lambda console: demo.live(folder, once=True, console=console))
    (folder / "printed.txt").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rows(played: Path) -> list[str]:
    """The rows of its table, in the order of the sample mails."""
    lines = (played / "printed.txt").read_text(encoding="utf-8").splitlines()
    below = next(number for number, line in enumerate(lines) if re.match(r"\d+ mails: ", line))
    return lines[1:below]


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `demo --days 30` tells, by customer."""
    folder = tmp_path_factory.mktemp("days") / "demo"
    page = printed(lambda console: demo.simulate(folder, 30, console))
    heading, *people = page.strip().split("\n\n")
    assert heading.startswith("30 days, beginning on ")
    return {about.partition(" <")[0]: about for about in people}


def row(rows: list[str], sample: str) -> str:
    """The row of a sample mail: the samples are numbered and delivered in this order."""
    return rows[int(sample) - 1]


def test_every_sample_has_its_row_and_a_fate(rows: list[str]):
    assert len(rows) == len(demo.samples())
    assert [line for line in rows if sum(fate in line for fate in FATES) != 1] == []


@pytest.mark.parametrize("sample", ["17", "18", "19"])
def test_machines_are_left_alone(rows: list[str], sample: str):
    assert row(rows, sample).startswith(sender(sample)[:20])
    assert "left alone: " in row(rows, sample)


def test_what_can_not_be_read_is_held_for_a_person(rows: list[str]):
    assert "held: unreadable" in row(rows, "23")


def test_bereavement_waits_for_a_person(rows: list[str], played: Path):
    assert sender("15") in row(rows, "15")
    assert re.search("draft waits|held: ", row(rows, "15"))
    sent = [file.read_text(encoding="utf-8") for file in (played / "sent-mail").rglob("*") if file.is_file()]
    assert sent, "nothing was sent at all"
    assert [mail for mail in sent if sender("15") in mail] == []


def test_the_table_ends_with_what_all_mails_came_to(rows: list[str], played: Path):
    counts = next(line for line in (played / "printed.txt").read_text().splitlines() if re.match(r"\d+ mails: ", line))
    total, *each = (int(number) for number in re.findall(r"\d+", counts))
    assert total == sum(each) == len(rows)


def test_the_readme_shows_what_the_demo_prints(played: Path):
    readme = (app.SHIPPED / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```\n(from +subject.*?)```", readme, re.S)
    assert shown
    printed = [line.split() for line in (played / "printed.txt").read_text(encoding="utf-8").splitlines()]
    assert [line for line in shown[1].splitlines() if line.split() not in printed] == []


def test_a_draft_waits_in_a_file_for_every_row_that_says_so(rows: list[str], played: Path):
    files = list((played / "outbox" / "review").glob("*.eml"))
    assert len(files) == sum("draft waits" in line for line in rows) > 0


def test_one_touch_is_told_in_the_singular(rows: list[str]):
    told = {line.rstrip().rpartition("  ")[2] for line in rows if "touch" in line}
    assert told
    assert all(re.fullmatch(r"1 touch|[2-9] touches", cell) for cell in told)


@pytest.mark.parametrize("sample", ["15", "16", "20", "21"])
def test_grief_illness_and_opt_out_are_never_followed_up(months: dict[str, str], sample: str):
    about = months.get(sender(sample), "")
    assert "touch" not in about
    assert "in follow-up" not in about


def test_days_bring_the_touches_that_were_promised(months: dict[str, str]):
    assert any(re.search(r"\d{4}-\d\d-\d\d  sent: touch 1", about) for about in months.values())
    assert all(re.search(r"\n    \d{4}-\d\d-\d\d  ", about) for about in months.values())


def test_a_mail_to_who_hibernates_is_told_as_a_greeting():
    at, kinds = datetime(2026, 11, 20, tzinfo=UTC), ("in_follow_up", "sent", "hibernating", "sent")
    told = demo._told(Event(at=at, kind=kind, text="follow_up 1" if kind == "sent" else "") for kind in kinds)
    assert [line.partition("sent: ")[2] for line in told if "sent" in line] == ["touch 1", "greeting 1"]


@pytest.mark.parametrize("days", [0, -3])
def test_no_day_at_all_can_not_be_played(days: int, tmp_path: Path):
    with pytest.raises(ConfigError, match=f"--days: must be 1 or more, got {days}"):
        demo.simulate(tmp_path / "demo", days)
    assert not (tmp_path / "demo").exists()


def test_days_before_today_are_a_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["winback", "demo", "--days", "-3", "--folder", str(tmp_path / "demo")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_a_new_demo_takes_the_place_of_the_old_one(tmp_path: Path):
    page = io.StringIO()
    for _ in range(2):
        with demo.fresh_site(tmp_path / "demo", Console(file=page, width=140)) as config:
            store = config.store.url.path
            assert store is not None
            assert not store.exists(), "the old store is still there"
            store.write_text("from an earlier run")
            (tmp_path / "demo" / "outbox" / "review").mkdir(parents=True)
    assert page.getvalue().count("is taken away") == 1


def test_a_demo_that_runs_is_never_taken_away(tmp_path: Path):
    page = io.StringIO()
    with demo.fresh_site(tmp_path / "demo", Console(file=page)) as config:
        draft = config.outbox.folder / "review" / "draft.eml"
        draft.parent.mkdir(parents=True)
        draft.touch()
        for _ in range(2):
            with pytest.raises(AnotherInstance, match="another folder"), demo.fresh_site(tmp_path / "demo", Console(file=page)):
                pass
        assert draft.exists()
    assert page.getvalue() == ""


def test_a_daemon_that_goes_on_with_a_demo_keeps_it(tmp_path: Path):
    with demo.fresh_site(tmp_path / "demo", Console(file=io.StringIO())) as config:
        lock = app.lock_path(config)
    with ExitStack() as stack:
        stack.enter_context(only_instance(lock))
        with pytest.raises(AnotherInstance), demo.fresh_site(tmp_path / "demo", Console(file=io.StringIO())):
            pass
    assert load(tmp_path / "demo" / "config.yaml")


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path):
    (tmp_path / "letters").write_text("mine")
    with pytest.raises(WinbackError, match="another folder"), demo.fresh_site(tmp_path, Console(file=io.StringIO())):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_the_demo_never_works_on_a_real_mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_config(tmp_path / "shipped", inbox="imaps://dana%40bluedoor.example@imap.bluedoor.example/INBOX", password="NAME")
    monkeypatch.setattr(app, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(WinbackError, match=r"inbox\.url leads out"), demo.fresh_site(tmp_path / "demo", Console()):
        pass
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("folder", ["/proc/winback-demo", "{}/" + 300 * "x"])
def test_where_no_demo_can_be_made_it_is_said_what_to_do(folder: str, tmp_path: Path):
    with pytest.raises(WinbackError, match=r"can't be played here: .*--folder"):
        demo.live(Path(folder.format(tmp_path)), once=True, console=Console(file=io.StringIO()))


def test_what_can_not_be_copied_is_told_with_its_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise shutil.Error([("price.txt", "demo/price.txt", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(WinbackError, match="No space left"):
        demo.simulate(tmp_path / "demo", 1, Console(file=io.StringIO()))


def on_terminal(encoding: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What a call of winback prints where letters are in this encoding, strictly."""
    page = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(page, encoding=encoding, errors="strict", write_through=True))
        patch.setattr(sys, "argv", ["winback", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        assert ended.value.code in (0, None)
        return page.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_with_few_letters_shows_the_table(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = on_terminal(encoding, monkeypatch, "demo", "--once", "--folder", str(tmp_path / "demo"))
    assert "our biggest sale?" in page
    assert "30 mails: " in page


def test_other_verbs_bear_such_a_terminal_too(played: Path, monkeypatch: pytest.MonkeyPatch):
    config = ("--config", str(played / "config.yaml"))
    assert "Luc?a Ortega" not in on_terminal("latin-1", monkeypatch, *config, "review", "list")
    assert "ortega@" in on_terminal("ascii", monkeypatch, *config, "contacts", "list")
    assert "daemon" in on_terminal("ascii", monkeypatch, *config, "status")
    people = json.loads(on_terminal("ascii", monkeypatch, *config, "contacts", "list", "--json"))
    assert "Lucía Ortega" in [one["name"] for one in people]


def test_what_is_left_to_do_counts_as_the_table_does(played: Path):
    config = load(played / "config.yaml")
    with app.build(config) as site:
        lines, waiting = site.store.overview.lines(), len(site.store.drafts.waiting())
        counted = next(part for part in str(demo._counts(lines)).split(", ") if "wait" in part)
        assert f"{counted} in " in str(demo._what_to_do(site, lines, waiting, 0))
        assert f"{counted}, and 1 more beside the answers, in " in str(demo._what_to_do(site, lines, waiting + 1, 0))


def test_appointments_of_the_samples_are_at_a_sensible_hour():
    zone = ZoneInfo(load(app.SHIPPED / "config.yaml").business.timezone)
    found = [time for file in demo.samples() for time in re.findall(r"(?m)^DTSTART:(\w+)Z", file.read_text(errors="replace"))]
    assert found
    for time in found:
        assert 8 <= datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone(zone).hour < 19, time


@pytest.mark.parametrize(("width", "subject"), [(80, 11), (100, 11), (110, 13), (133, 36), (200, 36)])
def test_room_goes_to_the_subject_last(width: int, subject: int):
    widths = {column.name: most for column, most in demo.widths(width).items()}
    assert widths["subject"] == subject
    assert sum(widths.values()) + demo.GAP * (len(widths) - 1) <= width


class Terminal(io.StringIO):
    """A terminal that presses Ctrl-C, once, as soon as it has shown some words."""

    def __init__(self, until: str) -> None:
        super().__init__()
        self._until = until

    def write(self, text: str) -> int:
        if self._until and self._until in text:
            self._until = ""
            os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)

    def screens(self) -> list[list[str]]:
        """What was shown, one after the other, as lines without colours."""
        shown = re.split(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*", self.getvalue())
        return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).strip("\n").split("\n") for screen in shown]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal of 80 x 24 on which a demo ran until the last mail was there."""
    shown = Terminal(until="Ctrl-C ends the demo")
    console = Console(force_terminal=True, width=80, height=24, file=shown)
    assert demo.live(tmp_path_factory.mktemp("live") / "demo", once=False, console=console) == 0
    return shown


def test_a_small_terminal_is_never_flooded(terminal: Terminal):
    screens = terminal.screens()[:-1]
    assert max(len(screen) for screen in screens) <= 24
    assert max(len(line) for screen in screens for line in screen) <= 80


def test_the_terminal_is_drawn_anew_only_for_news(terminal: Terminal):
    screens = terminal.screens()
    assert all(before != after for before, after in pairwise(screens))


def test_a_small_terminal_shows_the_newest_mails_and_counts_the_rest(terminal: Terminal):
    last = next(screen for screen in reversed(terminal.screens()) if screen[0].startswith(f"{len(demo.samples())} mails: "))
    assert re.search(r"\d+ answered, .*; the last \d+: ", re.sub(r"\s+", " ", " ".join(last)))
    assert len(last) >= 20
    assert any("held" in line for line in last)
    assert any(line.endswith("touches") for line in last)


def test_what_to_type_next_works(terminal: Terminal):
    told = re.search(r"Go on with +(.*) run", terminal.getvalue())
    assert told
    ended = subprocess.run(f"{told[1]} status", shell=True, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "daemon     last seen" in ended.stdout


def test_the_command_is_told_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "bin" / "winback"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/winback", "demo"])
    assert demo.command() == ["bin/winback"]
    monkeypatch.setenv("PATH", str(program.parent))
    assert demo.command() == ["winback"]
