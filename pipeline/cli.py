"""The command line: verbs, printing, exit codes. Nothing is decided here."""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from pipeline.core.records import Basis, typed_address, whole_percent
from pipeline.errors import AnotherInstance, ConfigError, StoreBroken, WinbackError

log = logging.getLogger("winback")

DONE, FAILED, USAGE, BUSY = 0, 1, 2, 75
SEND_TEST_LOOKS, SEND_TEST_EVERY = 20, 3.0

cli = typer.Typer(
    help="Answers cancellations kindly and keeps the door open.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
review_verbs = typer.Typer(help="Look at drafts and decide on them, as moving their files does.", no_args_is_help=True)
contact_verbs = typer.Typer(help="Who the customers are, and what becomes of what is known of them.", no_args_is_help=True)
appointment_verbs = typer.Typer(help="What customers have booked, as far as winback knows.", no_args_is_help=True)
policy_verbs = typer.Typer(help="The rules on cancelling as a page for customers, and who received and accepted which version.")
cli.add_typer(review_verbs, name="review")
cli.add_typer(contact_verbs, name="contacts")
cli.add_typer(appointment_verbs, name="appointments")
cli.add_typer(policy_verbs, name="policy")


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class Language(StrEnum):
    """What a page can be written in."""

    EN = "en"
    ES = "es"


class Target(StrEnum):
    """What a mail can be corrected to."""

    PRICE = "price"
    SERVICE = "service"
    TIMING = "timing"
    NOT_READY = "not_ready"
    OTHER = "other"
    UNSPECIFIED = "unspecified"
    RESCHEDULE = "reschedule"
    NOT_A_CANCELLATION = "not_a_cancellation"


_settings: dict[str, Path] = {"config": Path("config.yaml")}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DraftId = Annotated[str, typer.Argument(help="The first characters of the draft's id, as `review list` shows them.")]
FilePath = Annotated[Path, typer.Argument(metavar="FILE", help="The file, or for appointments a folder.")]
Version = Annotated[str | None, typer.Option(help="The version at the end of the page; the present one if left out.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="When; today if left out.")]
InLanguage = Annotated[Language | None, typer.Option(help="In which language; your first one if left out.")]
AddressOf = Annotated[str, typer.Argument(metavar="ADDRESS", help="The customer's e-mail address.")]


class JsonLines(logging.Formatter):
    """One JSON object a log line: time, level, text, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "text": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"winback {version('winback')}")
        raise typer.Exit(DONE)


@cli.callback()
def _begin(
    config: Annotated[Path, typer.Option(help="The configuration file.", metavar="PATH")] = Path("config.yaml"),
    log_format: Annotated[LogFormat, typer.Option("--log", help="How log lines look.")] = LogFormat.TEXT,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    _settings["config"] = config
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
    handler.setFormatter(JsonLines() if log_format is LogFormat.JSON else plain)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log.setLevel(logging.DEBUG if verbose else logging.INFO)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 75 another instance runs."""
    # One thread a library: the batches are small, and other programs want the machine too.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _bear_any_terminal()
    try:
        cli()
    except ConfigError as error:
        _end(str(error), USAGE)
    except AnotherInstance as error:
        _end(str(error), BUSY)
    except WinbackError as error:
        _end(str(error), FAILED)


def _bear_any_terminal() -> None:
    """What a terminal has no letter for is shown as `?`, instead of ending the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _json(value: Any, indent: int | None = 2) -> str:
    """JSON in letters that get through to who reads it: with escapes where they are not in UTF-8, so that nothing is lost."""
    utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    return json.dumps(value, indent=indent, ensure_ascii=not utf8)


def _end(why: str, code: int) -> NoReturn:
    for line in why.splitlines():
        typer.echo(f"winback: {line}", err=True)
    raise SystemExit(code)


def _config() -> Any:
    from pipeline.config import load

    return load(_settings["config"])


def _config_or_shipped() -> Any:
    """The configuration, or the one that comes with winback where there is none: for verbs that touch nothing."""
    from pipeline import app
    from pipeline.config import load

    path = _settings["config"]
    return load(path if path.exists() or path != Path("config.yaml") else app.SHIPPED / "config.yaml")


def _by_clock() -> Callable[[datetime | str], str]:
    """What tells a moment by the clock of the business: for people; programs get UTC."""
    zone = ZoneInfo(_config().business.timezone)

    def told(moment: datetime | str) -> str:
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    return told


@contextmanager
def _site(*, readers: int = 0) -> Iterator[Any]:
    from pipeline import app

    with app.build(_config(), readers=readers) as site:
        yield site


@contextmanager
def _store() -> Iterator[Any]:
    from pipeline import app
    from pipeline.edges import clock

    store = app.open_site_store(_config(), clock.now())
    try:
        yield store
    finally:
        store.close()


@cli.command()
def run() -> None:
    """Run the daemon: read mail, answer, follow up, until SIGTERM. SIGHUP reads the configuration again."""
    from pipeline import app
    from pipeline.config import load
    from pipeline.daemon import Daemon, only_instance

    config = _config()
    with only_instance(app.lock_path(config)), app.build(config) as site:
        log.info("winback works on %s", site.inbox.folder)
        Daemon(site, reload=lambda old: app.rebuild(old, _tried(load(_settings["config"])))).run()


def _tried(config: Any) -> Any:
    """The configuration, when all its texts would go out, as `winback check` finds: else ConfigError names the faults."""
    from pipeline import app, preview

    bad = [f"{one.file}: {'; '.join(one.faults)}" for one in preview.faulty(config, app.build_templates(config))]
    if bad:
        raise ConfigError(*bad)
    return config


@cli.command()
def once(as_json: Json = False) -> None:
    """Run every job once and end: for cron and for tests."""
    from pipeline import app
    from pipeline.daemon import Daemon, only_instance

    config = _config()
    with only_instance(app.lock_path(config)), app.build(config) as site:
        done = Daemon(site).once()
        with suppress(StoreBroken):  # then the jobs have said so
            site.store.control.ran_once(site.owner, site.now())
    typer.echo(json.dumps(done) if as_json else ", ".join(f"{name} {count}" for name, count in done.items()))
    raise typer.Exit(FAILED if any(count < 0 for count in done.values()) else DONE)


@cli.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's site is made.")] = Path("demo"),
    only_once: Annotated[bool, typer.Option("--once", help="End when everything is done, without a live table.")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Play so many days in simulated time, print the time lines.")] = None,
) -> None:
    """Show winback at work on sample mails."""
    from pipeline import demo as show

    log.setLevel(logging.ERROR)  # the table tells the rest
    raise typer.Exit(show.simulate(folder.absolute(), days) if days else show.live(folder.absolute(), once=only_once))


@cli.command()
def explain(
    paths: Annotated[list[str], typer.Argument(help="Mails (.eml), folders of them, or - for standard input.")],
    as_json: Json = False,
    own: Annotated[list[str] | None, typer.Option(help="An own address, instead of the configured ones; or `unknown`.")] = None,
) -> None:
    """Tell what winback makes of mails, and why. Touches nothing."""
    from pipeline import app
    from pipeline import explain as telling
    from pipeline.core import flow
    from pipeline.edges import clock
    from pipeline.edges.reader import Reader

    config = _config_or_shipped()
    model, texts = app.load_model(config), app.build_templates(config)
    rules = telling.with_own(config.rules(), own or [])
    with Reader(flow.read, workers=app.READERS) as reader:
        for told in telling.explain(telling.sources(paths, clock.now()), reader, model, rules, texts):
            typer.echo(_json(told, indent=None) if as_json else _told(told))


def _told(told: dict[str, Any]) -> str:
    if told["error"]:
        return f"{told['path']}\n  {told['why'][0]}\n"
    read = told["intent"] + (f" ({told['reason']})" if told["reason"] else "")
    lines = [told["path"], f"  from      {told['from'] or '-'}", f"  subject   {told['subject']}"]
    lines.append(f"  read as   {read}, {whole_percent(told['confidence'])}% sure, {told['language']}")
    lines += [f"  date      {day['text']!r}: {day['date']} ({day['kind']})" for day in told["dates"]]
    lines += [f"  note      {name}" for name in ("opt_out", "firm") if told[name]]
    lines += [f"  sensitive {told['sensitive']}"] if told["sensitive"] else []
    for step in told["plan"]:
        lines.append(f"  plan      {step['due'][:10]} {step['template']}{' (review)' if step['review'] else ''}")
    lines += [f"  why       {sentence}" for sentence in told["why"]]
    return "\n".join(lines) + "\n"


@cli.command()
def status(as_json: Json = False) -> None:
    """Tell how things stand: alarms, the daemon's last sign of life, what waits."""
    with _store() as store:
        beat, due = store.control.heartbeat(), store.overview.next_due()
        broken, once_run = store.control.breaker(), store.control.last_once()
        told = {
            "alarms": [{"name": a.name, "text": a.text, "since": a.since.isoformat()} for a in store.control.alarms()],
            "heartbeat": beat and {"by": beat[0], "at": beat[1].isoformat()},
            "once": once_run and {"by": once_run[0], "at": once_run[1].isoformat()},
            "breaker": broken and {"why": broken[0], "at": broken[1].isoformat()},
            "stopped": _stopped(store),
            "next_due": due and due.isoformat(),
            "counts": store.overview.counts(),
            "causes": store.overview.causes(),
        }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    at = _by_clock()
    for alarm in told["alarms"]:
        typer.echo(f"ALARM since {at(alarm['since'])}: {alarm['text']}")
    typer.echo(f"daemon     {_sign_of_life(told['heartbeat'], told['once'], at)}")
    on = "only what reps release, until `winback resume`" if told["breaker"] else "on"
    typer.echo(f"sending    {'STOPPED by ' + told['stopped']['by'] if told['stopped'] else on}")
    typer.echo(f"next due   {at(told['next_due']) if told['next_due'] else 'nothing'}")
    for table, states in told["counts"].items():
        typer.echo(f"{table:10} {', '.join(f'{count} {state}' for state, count in states.items()) or 'none'}")


def _stopped(store: Any) -> dict[str, str | None] | None:
    """Who or what stops sending, and since when as far as that is known; None while it is on."""
    from pipeline import app
    from pipeline.edges import clock

    by, file = store.control.stopped(), app.stop_file(_config())
    if by:
        return {"by": by[0], "at": by[1].isoformat()}
    return {"by": f"the file {file}", "at": None} if clock.stop_file_there(file) else None


def _sign_of_life(beat: dict[str, str] | None, once_run: dict[str, str] | None, at: Callable[[str], str]) -> str:
    """When the daemon was last seen; or, where cron runs winback, when that was."""
    if once_run and (beat is None or beat["at"] < once_run["at"]):
        return f"none; last run of `winback once` at {at(once_run['at'])}"
    return f"last seen {at(beat['at'])}" if beat else "never seen; `winback run` starts it"


@cli.command()
def check(
    show: Annotated[bool, typer.Option("--texts", help="Print each text as a customer would read it.")] = False,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Also send one mail to yourself, to see how your provider treats it.")
    ] = False,
) -> None:
    """Look whether everything is in order: configuration, texts, law, store, model, logins, DNS records. Changes nothing."""
    from pipeline import check as looking

    marks = {True: "ok  ", False: "BAD ", None: "??  "}
    bad = set()
    findings = looking.check(_settings["config"])
    if send_test:
        findings = chain(findings, looking.send_test(_settings["config"], _patience(SEND_TEST_LOOKS, SEND_TEST_EVERY)))
    for finding in findings:
        typer.echo(f"{marks[finding.good]} {finding.what:14} {finding.text}")
        if finding.good is False:
            bad.add(finding.what)
    if show:
        preview()
    raise typer.Exit(USAGE if "configuration" in bad else FAILED if bad else DONE)


def _patience(times: int, seconds: float) -> Callable[[], bool]:
    left = iter(range(times))

    def wait() -> bool:
        if next(left, None) is None:
            return False
        time.sleep(seconds)
        return True

    return wait


@cli.command()
def preview(
    reason: Annotated[str | None, typer.Option(help="Only the texts of one reason, such as price or sensitive.")] = None,
    language: Annotated[Language | None, typer.Option(help="Only those in one language.")] = None,
    variant: Annotated[int | None, typer.Option(min=1, help="Only the first, the second ... variant of each.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write them as a page into this file.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open that page in the browser.")] = False,
) -> None:
    """Print the texts as a customer would read them, filled with sample data."""
    from pipeline import app, preview

    config = _config()
    spoken = language and str(language)
    texts = list(preview.previews(config, app.build_templates(config), reason=reason, language=spoken, variant=variant))
    if not texts:
        raise WinbackError("no text is like that: `winback preview` without options prints them all")
    if html is None:
        typer.echo("\n".join(preview.plain(text) for text in texts), nl=False)
        return
    with _explained(f"{html}: can't be written"):
        html.write_text(preview.html(texts, config.business.name), encoding="utf-8")
    typer.echo(f"{html} holds {len(texts)} texts")
    if show:
        typer.launch(str(html))


@policy_verbs.callback(invoke_without_command=True)
def policy(
    context: typer.Context,
    language: Annotated[Language | None, typer.Option(help="The language; your first one if left out.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page ready to print into this file.")] = None,
) -> None:
    """Print the rules on cancelling as a friendly page for customers, in Markdown; or write down who has them."""
    if context.invoked_subcommand:
        return
    from pipeline import policy_page

    config = _config()
    business = config.rules().business
    spoken = language or business.languages[0]
    if html is None:
        typer.echo(policy_page.markdown(config.cancelling(), business, spoken), nl=False)
        return
    try:
        html.write_text(policy_page.html(config.cancelling(), business, spoken), encoding="utf-8")
    except OSError as error:
        raise WinbackError(f"{html}: can't be written: {error.strerror}") from error
    typer.echo(f"{html} holds the page")


@policy_verbs.command("received")
def policy_received(address: AddressOf, version: Version = None, on: Day = None, language: InLanguage = None) -> None:
    """Write down that a customer received the policy (with the welcome packet, say)."""
    _policy_told(address, "received", version, on, language)


@policy_verbs.command("accepted")
def policy_accepted(address: AddressOf, version: Version = None, on: Day = None, language: InLanguage = None) -> None:
    """Write down that a customer accepted the policy."""
    _policy_told(address, "accepted", version, on, language)


def _policy_told(address: str, kind: str, version: str | None, on: datetime | None, language: Language | None) -> None:
    from pipeline import people
    from pipeline.edges import clock

    config, now = _config(), clock.now()
    day = on.date() if on else now.astimezone(ZoneInfo(config.business.timezone)).date()
    with _store() as store:
        typer.echo(people.policy_told(store, config, address, kind, version, language and str(language), day, now))


@policy_verbs.command("records")
def policy_records(address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]")] = None, as_json: Json = False) -> None:
    """List who received and who accepted which version."""
    with _store() as store:
        rows = [
            {**row, "day": row["day"].isoformat(), "at": row["at"].isoformat()}
            for row in store.bookings.policy_receipts(address)
        ]
    if as_json:
        typer.echo(_json(rows))
        return
    for row in rows:
        typer.echo(f"{row['day']}  {row['address']:36} {row['kind']:9} {row['version']} ({row['language']})")
    if not rows:
        typer.echo("nobody is known to have received the policy")


@policy_verbs.command("show")
def policy_show(version: Annotated[str, typer.Argument(help="The version, as `policy records` shows it.")]) -> None:
    """Print a version of the policy as it was when a customer received it."""
    with _store() as store:
        text = store.bookings.policy_text(version)
    if text is None:
        raise WinbackError(f"{version}: no such version was handed out; `winback policy records` lists those that were")
    typer.echo(text, nl=False)


@cli.command("no-show")
def no_show(
    address: AddressOf,
    appointment: Annotated[
        str | None, typer.Option(metavar="WHEN", help="15:00 (today), '2026-11-26 15:00', or a day; the last one if left out.")
    ] = None,
) -> None:
    """Say that a customer did not come: a kind note with a new link goes out, or waits for review."""
    from pipeline import people

    with _site(readers=0) as site:
        typer.echo(people.no_show(site, address, appointment))


@appointment_verbs.command("import")
def appointments_import(path: FilePath) -> None:
    """Take appointments over from a CSV file, an iCalendar file, or a folder of them. Twice is as good as once."""
    from pipeline import people
    from pipeline.edges import clock

    config = _config()
    with _store() as store:
        typer.echo(people.import_appointments(store, path, config, clock.now()))


@appointment_verbs.command("list")
def appointments_list(
    everything: Annotated[bool, typer.Option("--all", help="Past ones, too.")] = False, as_json: Json = False
) -> None:
    """List the appointments that are known, soonest first."""
    from pipeline import people
    from pipeline.edges import clock

    zone = _config().business.timezone
    with _store() as store:
        rows = [people.listed(one, zone) for one in store.bookings.all(None if everything else clock.now())]
    if as_json:
        typer.echo(_json(rows))
        return
    for row in rows:
        typer.echo(
            f"{row['start'][:16].replace('T', ' '):16}  {row['state']:9}  {row['address']:36} {row.get('service', '')}".rstrip()
        )
    if not rows:
        typer.echo("no appointment is known")


@contact_verbs.command("import")
def contacts_import(path: FilePath) -> None:
    """Take customers over from a CSV file with the columns email, name, language, package, sessions_left."""
    from pipeline import people
    from pipeline.edges import clock

    with _store() as store:
        typer.echo(people.import_customers(store, path, clock.now()))


@cli.command()
def report(
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day; today if left out.")
    ] = None,
    length: Annotated[str, typer.Option("--last", help="How far back, if no first day is named: 7d, 4w, 12mo.")] = "30d",
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with pictures into this file.")] = None,
    language: Annotated[Language | None, typer.Option(help="The language; your first one if left out.")] = None,
) -> None:
    """Tell what cancellations teach: why, in the customers' words, how fast you answer, and who comes back."""
    from pipeline import report_page
    from pipeline.core import report as made
    from pipeline.edges import clock

    config = _config()
    business = config.rules().business
    spoken = language or business.languages[0]
    days = report_page.period(first and first.date(), last and last.date(), length, business.timezone, clock.now())
    with _store() as store:
        figures = made.figures(store.report.facts(days), days, business.timezone, config.policy.currency)
    if html is not None:
        with _explained(f"{html}: can't be written"):
            html.write_text(report_page.html(figures, business, spoken), encoding="utf-8")
        typer.echo(f"{html} holds the report")
    elif as_json:
        typer.echo(_json(report_page.plain(figures)))
    else:
        typer.echo(report_page.text(figures, business, spoken), nl=False)


@cli.command()
def stop() -> None:
    """Stop sending at once, until `winback resume`. Reading and drafting go on."""
    from pipeline import app
    from pipeline.edges import clock

    file = app.stop_file(_config_to_stop())
    with _explained(f"sending is NOT stopped: {file} can't be made"):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
    # First the file, and word of it: it works even when the store does not.
    typer.echo(f"sending is stopped by {file}; `winback resume` starts it again")
    with _store() as store:
        store.control.stop("terminal", clock.now())


def _config_to_stop() -> Any:
    try:
        return _config()
    except ConfigError as error:
        file = _settings["config"].absolute().parent / "state" / "STOP"
        how = f"sending is NOT stopped. Make the file {file} by hand (STOP lies beside the store): it stops winback at once"
        raise ConfigError(*error.problems, how) from error


@contextmanager
def _explained(trouble: str) -> Iterator[None]:
    """Turn what the system says into a sentence that begins with the trouble."""
    try:
        yield
    except OSError as error:
        raise WinbackError(f"{trouble}: {error.strerror or error}") from error


@cli.command()
def resume() -> None:
    """Send again after `winback stop`, or after too much went out by itself."""
    from pipeline import app
    from pipeline.edges import clock

    with _store() as store:
        store.control.resume("terminal", clock.now())
    file = app.stop_file(_config())
    with _explained(f"sending is still stopped: {file} can't be taken away"):
        file.unlink(missing_ok=True)
    typer.echo("sending is on")


@cli.command("unsubscribe-server")
def unsubscribe_server(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:8025",
) -> None:
    """Serve the page that ends follow-ups with one click. Put a web server with HTTPS in front of it (docs/law.md)."""
    from pipeline import consent
    from pipeline.edges import clock

    with _store() as store:
        consent.serve(store, _config(), listen, clock.now, typer.echo)


@cli.command()
def retry(
    key: Annotated[str, typer.Argument(help="The key of a held mail or the id of a held answer; its beginning will do.")],
) -> None:
    """Try something that is held once more: read a mail again, or send an answer again that never went out."""
    from pipeline import review

    with _site() as site:
        typer.echo(review.retry(site, key))


@cli.command()
def train(
    shipped: Annotated[bool, typer.Option("--shipped", help="Build the model that comes with winback.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Bring back the model from before the last training.")] = False,
) -> None:
    """Build the model from the corpus that comes with winback and from your corrections. A worse one is not taken."""
    from pipeline import app
    from pipeline import learn as learning

    if shipped and rollback:
        raise typer.BadParameter("say --shipped or --rollback, not both")
    if rollback:
        typer.echo(learning.roll_back(_config().model.folder))
    elif shipped:
        typer.echo(learning.ship(app.SHIPPED_CORPUS, app.SHIPPED_MODEL))
    else:
        with _site(readers=app.READERS) as site:
            typer.echo(learning.learn(site, _config(), app.SHIPPED_CORPUS))


@cli.command()
def evaluate(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Labelled texts, one JSON object a line.")] = None,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page with plots into this file.")] = None,
) -> None:
    """Tell how well mails are understood: on held-out parts of the corpus (some minutes), or on the texts of a file."""
    from pipeline import app
    from pipeline.evaluate import page, report, run

    if file:
        title, judged = run.of_file(file, app.load_model(_config_or_shipped()))
    else:
        title, judged = run.of_corpus(app.SHIPPED_CORPUS)
    if html:
        with _explained(f"{html}: can't be written"):
            html.write_text(page.html(title, judged), encoding="utf-8")
    typer.echo(_json(report.plain(title, judged)) if as_json else report.text(title, judged))


@cli.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")]) -> None:
    """Make a new site: configuration and texts to start from."""
    from pipeline import app

    with _explained(f"{folder}: no site can be made here; name a new folder where you may write"):
        if folder.exists() and any(folder.iterdir()):
            raise WinbackError(f"{folder}: is not empty; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(app.SHIPPED / "config.yaml", folder / "config.yaml")
        shutil.copytree(app.SHIPPED / "templates", folder / "templates")
        shutil.copytree(app.SHIPPED / "content", folder / "content")
        shutil.copytree(app.SHIPPED / "presets", folder / "presets")
    config = folder / "config.yaml"
    typer.echo(f"{config}: say who you are and where your mail is, then run winback --config {config} check")


@cli.command()
def migrate() -> None:
    """Bring the store to the tables of this version. The daemon does it by itself at start."""
    from pipeline import app
    from pipeline import store as durable
    from pipeline.daemon import only_instance

    config = _config()
    with only_instance(app.lock_path(config)):
        before, after = durable.migrate(durable.Database(config.store.url.path))
    typer.echo(f"the store is at revision {after}" + ("" if before == after else f" (before: {before or 'none'})"))


@review_verbs.command("list")
def review_list(as_json: Json = False) -> None:
    """List the drafts that wait."""
    with _store() as store:
        waiting = store.drafts.waiting()
    rows = [
        {
            "id": stored.draft.key[:8],
            "to": stored.draft.recipient.address,
            "name": stored.draft.recipient.name,
            "reason": stored.draft.reason,
            "kind": str(stored.draft.kind),
            "subject": stored.draft.subject,
            "made": stored.made.isoformat(),
        }
        for stored in waiting
    ]
    if as_json:
        typer.echo(_json(rows))
        return
    at = _by_clock()
    for row in rows:
        typer.echo(f"{row['id']}  {at(row['made'])}  {row['reason']:12} {row['name'] or row['to']}: {row['subject']}")
    if not rows:
        typer.echo("no draft waits")


@review_verbs.command("show")
def review_show(draft: DraftId) -> None:
    """Show one draft as it would be sent, with what was understood."""
    from pipeline import review

    with _site() as site:
        stored = review.find(site, draft)
        subject, text, remark = review.words(site, stored)
        events = site.store.events.of_message(stored.draft.case)
    typer.echo(f"{stored.draft.key[:8]}  {stored.state}" + (f"  ({stored.by})" if stored.by else ""))
    typer.echo(f"To: {stored.draft.recipient.address}\nSubject: {subject}")
    for name, value in stored.draft.notes:
        typer.echo(f"{name}: {value}")
    if remark:
        typer.echo(f"File: {remark}")
    typer.echo(f"\n{text}\n")
    at = _by_clock()
    for event in events:
        typer.echo(f"{at(event.at)} {event.kind} {event.text}")


@review_verbs.command("approve")
def review_approve(draft: DraftId) -> None:
    """Send a draft with the words that its file holds now."""
    _review(lambda review, site: review.approve(site, draft))


@review_verbs.command("reject")
def review_reject(draft: DraftId) -> None:
    """Do not send a draft."""
    _review(lambda review, site: review.reject(site, draft))


@review_verbs.command("correct")
def review_correct(draft: DraftId, reason: Annotated[Target, typer.Argument(help="What the mail really is.")]) -> None:
    """Say what a mail really is: the right draft takes the place of this one, and the correction is kept."""
    _review(lambda review, site: review.correct(site, draft, reason))


def _review(act: Callable[[Any, Any], str]) -> None:
    from pipeline import review

    with _site() as site:
        typer.echo(act(review, site))


@contact_verbs.command("list")
def contacts_list(as_json: Json = False) -> None:
    """List the customers and where they stand."""
    with _store() as store:
        people = store.people.all()
    rows = [
        {"address": p.address, "name": p.name, "state": str(p.state), "cause": p.cause, "since": p.since.isoformat()}
        for p in people
    ]
    if as_json:
        typer.echo(_json(rows))
        return
    at = _by_clock()
    for row in rows:
        typer.echo(f"{row['address']:36} {row['state']:13} {at(row['since'])[:10]}  {row['cause']}")


@contact_verbs.command("show")
def contacts_show(address: AddressOf) -> None:
    """Tell what is known of a customer and what happened."""
    from pipeline import consent
    from pipeline.edges import clock

    country = _config().business.country
    with _store() as store:
        person, suppressed = store.people.get(address), store.people.suppressed(address)
        events = store.events.of_address(address)
        basis = consent.told(store, address, country, clock.now())
    if person is None and suppressed is None and not events:
        raise WinbackError(f"{address}: not known here")
    if person:
        typer.echo(f"{person.name} <{person.address}>: {person.state} since {_by_clock()(person.since)[:10]} ({person.cause})")
    if suppressed:
        typer.echo(f"suppressed: {suppressed}")
    if person:
        typer.echo(basis)
    at = _by_clock()
    for event in events:
        typer.echo(f"{at(event.at)} {event.kind} {event.text}")


@contact_verbs.command("export")
def contacts_export(address: AddressOf) -> None:
    """Print everything that is stored about a customer, as JSON."""
    with _store() as store:
        typer.echo(_json(store.people.export(address)))


@contact_verbs.command("erase")
def contacts_erase(address: AddressOf) -> None:
    """Forget a customer: rows, drafts, files and what was learnt of them go; that they must not be written to stays."""
    from pipeline import learn
    from pipeline.edges import clock

    config = _config()
    with _site() as site:
        keys = site.store.people.keys_of(address)
        files = site.outbox.erase(keys)
        rows = site.store.people.erase(address, clock.now())
    typer.echo(f"gone: {rows} rows of the store, {files} files of the outbox")
    if unlearnt := learn.forget(config.model.folder, keys):
        typer.echo(unlearnt)
    typer.echo("not touched, look there yourself: the mails in your mailbox, and copies (backups) of the store")
    if config.delivery.url.kind == "maildir":
        typer.echo(f"not touched either: the mails to them in {config.delivery.url.path}")


@contact_verbs.command("basis")
def contacts_basis(
    address: AddressOf,
    basis: Annotated[Basis | None, typer.Argument(help="What allows follow-ups; left out: tell what is known.")] = None,
    evidence: Annotated[str, typer.Option(help="What shows it: a date and the words, a form, an invoice.")] = "",
) -> None:
    """Record what allows a customer to be followed up (docs/law.md), or tell what is known of it."""
    from pipeline import consent
    from pipeline.edges import clock

    country = _config().business.country
    with _store() as store:
        if basis is None:
            typer.echo(consent.told(store, address, country, clock.now()))
        else:
            typer.echo(consent.record(store, address, basis, evidence, country, clock.now()))


@contact_verbs.command("suppress")
def contacts_suppress(address: AddressOf) -> None:
    """Never write to this address again."""
    from pipeline.edges import clock

    with _store() as store:
        store.people.suppress(typed_address(address), "by hand", clock.now())
    typer.echo(f"{address} is not written to again. If that was a mistake: winback contacts allow {address}")


@contact_verbs.command("allow")
def contacts_allow(address: AddressOf) -> None:
    """Write to this address again. Only if its owner asks for it, or never asked for silence."""
    from pipeline.edges import clock

    with _store() as store:
        allowed = store.people.allow(typed_address(address), clock.now())
    typer.echo(f"{address} may be written to again" if allowed else f"{address} was not suppressed")


if __name__ == "__main__":
    main()
