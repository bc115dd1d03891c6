"""Show winback at work on sample mails: live on the terminal, or ninety days in a minute. Uses the real daemon and edges."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text as Words

from pipeline import app, jobs
from pipeline.config import Config, load
from pipeline.core.records import ContactState, whole_percent
from pipeline.daemon import Daemon, only_instance
from pipeline.edges import clock
from pipeline.errors import AnotherInstance, ConfigError, WinbackError
from pipeline.site import Site
from pipeline.store import Event, Line

SAMPLES = app.SHIPPED / "samples"
MARK = ".winback-demo"
FIRST_DAY = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
AS_IT_IS: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}  # paths and commands are to be copied


@dataclass(frozen=True)
class Fate:
    """What became of a mail: the words for one, the words for several, and a colour."""

    name: str
    many: str
    style: str


ANSWERED = Fate("answered", "answered", "green")
UNDER_WAY = Fate("under way", "under way", "dim")
WAITS = Fate("draft waits", "drafts wait", "cyan")
NOT_SENT = Fate("not sent", "not sent", "dim")
OVERTAKEN = Fate("overtaken by a later mail", "overtaken by a later mail", "dim")
HELD = Fate("held", "held", "yellow")
ALONE = Fate("left alone", "left alone", "dim")
FATES = (ANSWERED, UNDER_WAY, WAITS, NOT_SENT, OVERTAKEN, HELD, ALONE)

# The fate by the state of the mail, else of the send, else of the draft.
OF_MESSAGE = {"received": UNDER_WAY, "held": HELD, "ignored": ALONE}
OF_SEND = {"queued": UNDER_WAY, "sending": UNDER_WAY, "sent": ANSWERED, "cancelled": NOT_SENT, "held": HELD, "uncertain": HELD}
OF_DRAFT = {"waiting": WAITS, "approved": UNDER_WAY, "rejected": NOT_SENT, None: OVERTAKEN}


@dataclass(frozen=True)
class Column:
    """A column of the table: its width on 80 columns, its widest, and in which turn it gets room that is left (1: first)."""

    name: str
    narrow: int
    wide: int
    turn: int


READING = Column("read as", 16, 26, 2)
COLUMNS = (
    Column("from", 15, 24, 3),
    Column("subject", 11, 36, 4),
    READING,
    Column("what became of it", 21, 30, 1),
    Column("later", 9, 9, 5),
)
GAP = 2
HEADER_LINES = 1


@contextmanager
def fresh_site(folder: Path, console: Console) -> Iterator[Config]:
    """Yield the configuration of a new site made from what is shipped, under its lock. An older demo is taken away.

    Raises AnotherInstance when a winback works on the older demo, WinbackError when the folder holds something else.
    """
    lock_in_site = _lock_in_site(app.SHIPPED / "config.yaml")
    mark = folder / MARK
    if folder.exists() and not mark.exists() and not _is_empty(folder):
        raise WinbackError(f"{folder}: is there and no demo of winback; name another folder with --folder")
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    lock = folder / lock_in_site
    with _locked(lock, folder):
        if (folder / "config.yaml").exists():
            console.print(f"The old demo in {_short(folder)} is taken away; this one starts afresh.", **AS_IT_IS)
        _take_away(folder, keep={mark, lock})
        yield _site_made(folder)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system says of a folder into a sentence that tells what to do."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads the table any more
    except shutil.Error as error:
        raise _no_place(folder, str(error.args[0][0][2])) from error  # what the first file met that could not be copied
    except OSError as error:
        raise _no_place(folder, error.strerror or str(error)) from error


def _no_place(folder: Path, why: str) -> WinbackError:
    return WinbackError(
        f"{_short(folder)}: the demo can't be played here: {why}; "
        "name a folder where you may write, on a disk with room, with --folder"
    )


def _lock_in_site(shipped: Path) -> Path:
    """Where the lock lies in a site of this configuration.

    Raises WinbackError when the configuration leads out of the site: the demo must never read or send real mail.
    """
    config = load(shipped)
    places = {
        "inbox.url": config.inbox.url.path,
        "outbox.folder": config.outbox.folder,
        "delivery.url": config.delivery.url.path,
        "store.url": config.store.url.path,
    }
    for key, path in places.items():
        if path is None or not path.is_relative_to(shipped.parent):
            raise WinbackError(
                f"{shipped}: {key} leads out of its folder, and the demo works with mailboxes of its own alone: "
                "keep your site in a folder of its own (winback init DIR) and put this file back as it was"
            )
    return app.lock_path(config).relative_to(shipped.parent)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _locked(lock: Path, folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(only_instance(lock))
        except AnotherInstance as error:
            what_to_do = "end that one with Ctrl-C, or name another folder with --folder"
            raise AnotherInstance(f"{_short(folder)}: a winback works in this demo: {what_to_do}") from error
        yield


def _take_away(folder: Path, keep: Set[Path]) -> None:
    """Remove what lies in a folder but the files in `keep`. The lock is among them: its file must outlive the old site."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            _take_away(path, keep)
            if _is_empty(path):
                path.rmdir()
        elif path not in keep:
            path.unlink()


def _site_made(folder: Path) -> Config:
    shutil.copy(app.SHIPPED / "config.yaml", folder / "config.yaml")
    for part in ("templates", "content"):
        shutil.copytree(app.SHIPPED / part, folder / part)
    for part in ("cur", "new", "tmp"):
        (folder / "inbox" / part).mkdir(parents=True)
    return load(folder / "config.yaml")


@dataclass
class Postman:
    """Delivers sample mails into a Maildir, each with the date of its delivery."""

    inbox: Path
    left: list[Path]
    count: int = 0

    def deliver(self, now: datetime) -> bool:
        """Deliver the next mail. False when there is none left."""
        if not self.left:
            return False
        file = self.left.pop(0)
        data = re.sub(rb"(?m)^Date: .*?\r?$", b"Date: " + format_datetime(now).encode() + b"\r", file.read_bytes(), count=1)
        self.count += 1
        name = f"{int(now.timestamp())}.M{self.count}P{os.getpid()}.{socket.gethostname()}"
        written = self.inbox / "tmp" / name
        written.write_bytes(data)
        os.utime(written, (now.timestamp(), now.timestamp()))
        written.rename(self.inbox / "new" / name)
        return True


def samples() -> list[Path]:
    """The sample mails, in order."""
    return sorted(SAMPLES.glob("*.eml"))


def live(folder: Path, *, once: bool, console: Console | None = None) -> int:
    """Run the daemon on the samples. With a terminal it goes on until Ctrl-C; else it ends when all is done. Returns 0."""
    console = console or _console()
    with _explained(folder), fresh_site(folder, console) as config, app.build(config) as site:
        jobs.poll(site)  # the first look, at an empty mailbox: all that comes from now on is new
        postman = Postman(folder / "inbox", samples())
        if once or not console.is_terminal:
            _all_at_once(site, postman, console)
        else:
            _one_by_one(site, postman, console)
    console.print(_what_now(config), **AS_IT_IS)
    return 0


def _console() -> Console:
    """A console that is wide enough for the table where nobody says how wide it is."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def _all_at_once(site: Site, postman: Postman, console: Console) -> None:
    daemon = Daemon(site)
    while postman.deliver(clock.now()):
        pass
    while any(count > 0 for count in daemon.once().values()):
        pass
    lines = site.store.overview.lines()
    console.print(_table(lines, console.width), _counts(lines), sep="\n")


def _one_by_one(site: Site, postman: Postman, console: Console) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as screen:
        shown: object = None

        def show(now: Site) -> None:
            nonlocal shown
            postman.deliver(clock.now())
            lines, waiting = now.store.overview.lines(), len(now.store.drafts.waiting())
            to_come = len(postman.left) + max(0, postman.count - len(lines))
            state = (lines, waiting, to_come, console.size)
            if state != shown:
                screen.update(_screenful(lines, _what_to_do(now, lines, waiting, to_come), console), refresh=True)
                shown = state

        Daemon(site, poll_every=1, after_round=show).run()


def _screenful(lines: Sequence[Line], below: Words, console: Console) -> Group:
    """The newest lines that fit on the terminal, what all of them came to, and what to do now."""
    counts = _counts(lines)
    taken = sum(len(console.render_lines(part)) for part in (counts, below)) + HEADER_LINES
    room = max(1, console.height - 1 - taken)  # the last line stays free for the cursor
    if len(lines) > room:
        counts.append(f"; the last {room}:")
        return Group(counts, _table(lines[-room:], console.width), below)
    return Group(_table(lines, console.width), counts, below)


def _what_to_do(site: Site, lines: Sequence[Line], waiting: int, to_come: int) -> Words:
    """What is left to do. Counts the drafts for mails as the table does, and those that answer no mail beside them."""
    if to_come:
        return Words(f"{_count(to_come, 'more mail is', 'more mails are')} on the way ...", style="dim")
    answers = sum(_fate(line) is WAITS for line in lines)
    beside = f", and {waiting - answers} more beside the answers," if waiting > answers else ""
    review = _short(site.folder.parent / "outbox" / "review")
    return Words(
        f"{_count(answers, 'draft waits', 'drafts wait')}{beside} in {review}: open one, "
        "change it if you like, and move it to ../approved (it is sent), ../rejected, or to the folder of the right reason. "
        "Ctrl-C ends the demo.",
        style="bold",
    )


def _what_now(config: Config) -> str:
    outbox = config.outbox.folder
    sent = config.delivery.url.path
    assert sent is not None, "the shipped configuration delivers into a folder"
    go_on = shlex.join([*command(), "--config", _short(outbox.parent / "config.yaml"), "run"])
    return (
        f"\nDrafts wait in       {_short(outbox / 'review')}\n"
        f"Approve by moving to {_short(outbox / 'approved')}\n"
        f"Correct the reason   by moving to {_short(outbox)}/price, service, timing ...\n"
        f"Sent mail lies in    {_short(sent)}\n"
        f"Go on with           {go_on}"
    )


def command() -> list[str]:
    """The words that start this very winback from where the user stands."""
    program = Path(sys.argv[0])
    found = shutil.which("winback")
    if found and program.name == "winback" and Path(found).resolve() == program.resolve():
        return ["winback"]
    if program.name == "winback" and os.access(program, os.X_OK):
        return [_short(program.absolute())]
    return [sys.executable, "-m", "pipeline.cli"]


def _short(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _table(lines: Sequence[Line], width: int) -> Table:
    """One row a mail, one line a row."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    narrow = False
    for column, most in widths(width).items():
        table.add_column(column.name, overflow="ellipsis", no_wrap=True, max_width=most)
        narrow |= column is READING and most < column.wide
    for line in lines:
        table.add_row(*_row(line, narrow=narrow))
    return table


def widths(width: int) -> dict[Column, int]:
    """How wide each column may become in a table of this width. Where room is short the subject gives way first."""
    found = {column: column.narrow for column in COLUMNS}
    left = width - sum(found.values()) - GAP * (len(COLUMNS) - 1)
    for column in sorted(COLUMNS, key=lambda column: column.turn):
        more = max(0, min(left, column.wide - column.narrow))
        found[column] += more
        left -= more
    return found


def _row(line: Line, *, narrow: bool) -> tuple[Words | str, ...]:
    fate = _fate(line)
    told = f"{fate.name}: {line.cause.replace('_', ' ')}" if line.cause and fate in (HELD, ALONE) else fate.name
    return (
        Words(line.name or line.sender or "?"),
        Words(line.subject or ""),
        Words(_reading(line).removeprefix("cancel: " if narrow else "")),
        Words(told, style=fate.style),
        _count(line.steps, "touch", "touches") if line.steps else "",
    )


def _reading(line: Line) -> str:
    if not line.intent or line.confidence is None or line.state == "ignored":
        return ""
    said = f"{line.intent}: {line.reason}" if line.reason else line.intent
    return f"{said} {whole_percent(line.confidence)}%"


def _fate(line: Line) -> Fate:
    if line.state in OF_MESSAGE:
        return OF_MESSAGE[line.state]
    if line.send_state:
        return OF_SEND[line.send_state]
    return OF_DRAFT[line.draft_state]


def _counts(lines: Sequence[Line]) -> Words:
    """What all mails came to, in one sentence: "30 mails: 8 answered, 9 drafts wait, 3 held, 10 left alone"."""
    fates = Counter(_fate(line) for line in lines)
    told = [f"{fates[fate]} {fate.name if fates[fate] == 1 else fate.many}" for fate in FATES if fates[fate]]
    return Words(_count(len(lines), "mail", "mails") + (f": {', '.join(told)}" if told else ""), style="bold")


@dataclass
class SimulatedClock:
    """A clock that is set by hand."""

    at: datetime

    def __call__(self) -> datetime:
        """The present moment, aware UTC."""
        return self.at


@dataclass
class Simulation:
    """Plays days in simulated time: mails arrive, a rep approves every draft next morning, customers answer."""

    site: Site
    clock: SimulatedClock
    postman: Postman
    later: dict[int, list[Path]] = field(default_factory=dict)

    def play(self, days: int) -> None:
        """Run all jobs three times a day, for so many days."""
        daemon = Daemon(self.site)
        zone = ZoneInfo(self.site.rules.business.timezone)
        first = self.clock.at.astimezone(zone).date()
        for day in range(days + 1):
            self.postman.left += self.later.get(day, [])
            for hour in (9, 11, 15):
                local = datetime.combine(first + timedelta(days=day), time(hour, 5), zone)
                if local.astimezone(UTC) < self.clock.at:
                    continue
                self.clock.at = local.astimezone(UTC)
                self._round(daemon, rep=hour == 11)

    def _round(self, daemon: Daemon, *, rep: bool) -> None:
        while self.postman.deliver(self.clock.at):
            pass
        if rep:
            self._approve_everything()
        while any(count > 0 for count in daemon.once().values()):
            pass

    def _approve_everything(self) -> None:
        outbox = self.site.folder.parent / "outbox"
        for file in sorted((outbox / "review").glob("*.eml")):
            stamp = (self.clock.at - timedelta(minutes=1)).timestamp()
            os.utime(file, (stamp, stamp))
            file.rename(outbox / "approved" / file.name)


def simulate(folder: Path, days: int, console: Console | None = None) -> int:
    """Play so many days on the samples and print the time line of each customer. Returns 0.

    Raises ConfigError when there is no day to play.
    """
    if days < 1:
        raise ConfigError(f"--days: must be 1 or more, got {days}; for example --days 90")
    console = console or _console()
    simulated = SimulatedClock(FIRST_DAY)
    with _explained(folder), fresh_site(folder, console) as config, app.build(config, now=simulated) as site:
        jobs.poll(site)
        simulated.at += timedelta(minutes=30)
        later: dict[int, list[Path]] = {}
        for file in sorted((SAMPLES / "later").glob("+*d-*.eml")):
            later.setdefault(int(file.name[1:].split("d-")[0]), []).append(file)
        simulation = Simulation(site, simulated, Postman(folder / "inbox", samples()), later)
        with console.status(f"playing {_count(days, 'day', 'days')} ..."):
            simulation.play(days)
        begun = f"{_count(days, 'day', 'days')}, beginning on {FIRST_DAY:%Y-%m-%d}"
        console.print(f"{begun}; a rep approves every draft the next morning.\n", **AS_IT_IS)
        for line in _time_lines(site):
            console.print(line, **AS_IT_IS)
    return 0


_TOLD = {
    "decided": None,
    "drafted": None,
    "planned": None,
    "approved": None,
    "moved": None,
    "sent": "sent",
    "dropped": "stopped",
    "suppressed": "suppressed",
    "hibernating": "hibernating",
    "in_follow_up": "in follow-up",
    "rescheduled": "wants another date",
    "closed": "closed, no follow-up",
}


_STATES = {"in_follow_up": "in follow-up", "won_back": "won back"}


def _time_lines(site: Site) -> Iterator[str]:
    for person in site.store.people.all():
        yield f"{person.name or person.address} <{person.address}>: {_STATES.get(person.state, person.state)} ({person.cause})"
        yield from dict.fromkeys(_told(site.store.events.of_address(person.address)))  # what was said twice is told once
        yield ""


def _told(events: Iterable[Event]) -> Iterator[str]:
    asleep = False
    for event in events:
        if event.kind in frozenset(ContactState):
            asleep = event.kind == ContactState.HIBERNATING
        if told := _TOLD.get(event.kind, event.kind):
            said = _touch(event.text, asleep=asleep) if event.text != told else ""
            yield f"    {event.at:%Y-%m-%d}  {told}{': ' + said if said else ''}"


def _touch(text: str, *, asleep: bool) -> str:
    """What a mail is called: those to who hibernates are greetings."""
    if asleep and text.startswith("follow_up"):
        return text.replace("follow_up", "greeting")
    return "acknowledged" if text == "acknowledgment 0" else text.replace("follow_up", "touch")
