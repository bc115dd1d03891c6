"""Show winback at work on sample mails: live on the terminal, or ninety days in a minute. Uses the real daemon and edges."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text as Words

from pipeline import app, jobs
from pipeline.config import Config, load
from pipeline.daemon import Daemon, only_instance
from pipeline.edges import clock
from pipeline.errors import WinbackError
from pipeline.jobs import Site
from pipeline.store import Line

SAMPLES = app.SHIPPED / "samples"
MARK = ".winback-demo"
FIRST_DAY = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)


def make_site(folder: Path) -> Config:
    """Make the demo's site from what is shipped: configuration, texts, empty mailboxes. An older demo is taken away."""
    if folder.exists() and not (folder / MARK).exists():
        raise WinbackError(f"{folder}: is there and no demo of winback; name another folder with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    shutil.copy(app.SHIPPED / "config.yaml", folder / "config.yaml")
    shutil.copytree(app.SHIPPED / "templates", folder / "templates")
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


def live(folder: Path, *, once: bool) -> int:
    """Run the daemon on the samples. With a terminal it goes on until Ctrl-C; else it ends when all is done. Returns 0."""
    config = make_site(folder)
    console = _console()
    with only_instance(app.lock_path(config)), app.build(config) as site:
        jobs.poll(site)  # the first look, at an empty mailbox: all that comes from now on is new
        postman = Postman(folder / "inbox", samples())
        if once or not console.is_terminal:
            _all_at_once(site, postman, console)
        else:
            _one_by_one(site, postman, console)
    console.print(_what_now(config))
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
    console.print(_table(site))


def _one_by_one(site: Site, postman: Postman, console: Console) -> None:
    with Live(_table(site), console=console, auto_refresh=False, vertical_overflow="visible") as screen:

        def show(now: Site) -> None:
            postman.deliver(clock.now())
            screen.update(Group(_table(now), _what_to_do(now, postman)), refresh=True)

        Daemon(site, poll_every=1, after_round=show).run()


def _what_to_do(site: Site, postman: Postman) -> Words:
    if postman.left:
        return Words(f"{len(postman.left)} more mails are on their way ...", style="dim")
    waiting = len(site.store.drafts.waiting())
    return Words(
        f"{waiting} drafts wait in {site.folder.parent / 'outbox' / 'review'}: open one, change it if you like,\n"
        "and move it to ../approved (it is sent), ../rejected, or to the folder of the right reason. Ctrl-C ends the demo.",
        style="bold",
    )


def _what_now(config: Config) -> str:
    outbox = config.outbox.folder
    return (
        f"\nDrafts wait in      {outbox / 'review'}\n"
        f"Approve by moving to {outbox / 'approved'}, correct the reason by moving to {outbox}/price, service, timing ...\n"
        f"Sent mail lies in   {config.delivery.url.path}\n"
        f"Go on with          winback --config {outbox.parent / 'config.yaml'} run"
    )


def _table(site: Site) -> Table:
    table = Table(title="winback: what came in and what became of it", expand=False, header_style="bold")
    for name in ("from", "subject", "read as", "what became of it", "later"):
        table.add_column(name, overflow="ellipsis", no_wrap=True, max_width=34)
    for line in site.store.overview.lines():
        table.add_row(*_row(line))
    return table


def _row(line: Line) -> tuple[Words | str, ...]:
    who = line.name or line.sender or "?"
    return (
        Words(who),
        Words(line.subject or ""),
        Words(_reading(line)),
        _fate(line),
        f"{line.steps} touches" if line.steps else "",
    )


def _reading(line: Line) -> str:
    if not line.intent or line.confidence is None or line.state == "ignored":
        return ""
    said = f"{line.intent}: {line.reason}" if line.reason else line.intent
    return f"{said} ({line.confidence:.0%})"


def _fate(line: Line) -> Words:
    if line.state == "received":
        return Words("...", style="dim")
    if line.state == "held":
        return Words(f"held for a person: {line.cause}", style="yellow")
    if line.state == "ignored":
        return Words(f"left alone: {line.cause}", style="dim")
    if line.send_state == "sent":
        return Words("answered", style="green")
    if line.send_state:
        return Words(f"answer is {line.send_state}", style="cyan")
    if line.draft_state == "waiting":
        return Words("draft waits for review", style="cyan")
    return Words(line.draft_state or line.state)


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
        """Run all jobs several times a day, for so many days."""
        daemon = Daemon(self.site)
        zone = ZoneInfo(self.site.rules.business.timezone)
        first = self.clock.at.astimezone(zone).date()
        for day in range(days + 1):
            self.postman.left += self.later.get(day, [])
            for hour in (9, 11, 14, 17):
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


def simulate(folder: Path, days: int) -> int:
    """Play so many days on the samples and print the time line of each customer. Returns 0."""
    config = make_site(folder)
    console = _console()
    simulated = SimulatedClock(FIRST_DAY)
    with only_instance(app.lock_path(config)), app.build(config, now=simulated) as site:
        jobs.poll(site)
        simulated.at += timedelta(minutes=30)
        later: dict[int, list[Path]] = {}
        for file in sorted((SAMPLES / "later").glob("+*d-*.eml")):
            later.setdefault(int(file.name[1:].split("d-")[0]), []).append(file)
        simulation = Simulation(site, simulated, Postman(folder / "inbox", samples()), later)
        with console.status(f"playing {days} days ..."):
            simulation.play(days)
        console.print(f"{days} days, beginning on {FIRST_DAY:%Y-%m-%d}; a rep approves every draft the next morning.\n")
        for lines in _time_lines(site):
            console.print(lines, highlight=False)
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


def _time_lines(site: Site) -> Iterator[str]:
    for person in site.store.people.all():
        yield f"{person.name or person.address} <{person.address}>: {person.state} ({person.cause})"
        for event in site.store.events.of_address(person.address):
            told = _TOLD.get(event.kind, event.kind)
            if told:
                yield f"    {event.at:%Y-%m-%d}  {told}{': ' + _touch(event.text) if event.text else ''}"
        yield ""


def _touch(text: str) -> str:
    return "acknowledged" if text == "acknowledgment 0" else text.replace("follow_up", "touch")
