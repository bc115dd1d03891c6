"""Read config.yaml into one frozen Config, or say everything that is wrong with it. Opens nothing but that file."""

from __future__ import annotations

import difflib
import itertools
import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from pipeline.core import figures, law, policy_words, records
from pipeline.core.policy import rounded
from pipeline.edges.tls import is_loopback
from pipeline.errors import ConfigError

LANGUAGES = ("en", "es")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SUBREASONS = """
    competitor need_ended moved hardship illness bereavement emergency travel provider_side cheaper_elsewhere price_rise
    budget quality late unresponsive rude billing feature_gap hard_to_use still_comparing postponed work childcare weather
    transport schedule_conflict changed_mind not_using diy closing pregnancy wrong_person
"""
TRACKS = frozenset(records.Reason) | frozenset(_SUBREASONS.split())

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": timedelta(days=365.25 / 12),
}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DEEPEST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where mail comes from or goes to, or where the store lies.

    `kind` is maildir, imap, smtp or sqlite. Maildir and sqlite have a `path`; imap and smtp have `host`, `port`, `user` (may be
    empty for smtp) and `security`: `tls` from the first byte, `starttls` (insisted on), or `none` (loopback only). `folder` is
    the IMAP folder.
    """

    kind: str
    path: Path | None = None
    host: str = ""
    port: int = 0
    user: str = ""
    folder: str = ""
    security: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """Where a password is kept, never the password: `kind` is env, file or keyring; a relative file lies in `folder`."""

    kind: str
    name: str
    folder: Path


class _Mistake(ValueError):
    """A value is wrong, and the message says in what way."""


def duration(text: str) -> timedelta:
    """The time that `60s`, `5m`, `2h`, `5d`, `2w` or `18mo` stands for. A month is a twelfth of a year, in whole days.

    Raises ValueError for anything else.
    """
    match = re.fullmatch(r"(\d{1,5}) ?(s|m|h|d|w|mo)", text, re.ASCII)
    if match is None:
        raise ValueError(text)
    length = int(match[1]) * _UNITS[match[2]]
    return timedelta(days=round(length / _UNITS["d"])) if match[2] == "mo" else length


def _leaf(expected: str, read: Callable[[Any], object]) -> BeforeValidator:
    """A reader of one value: it turns text into what it means; whatever `read` stumbles over becomes "expected ..."."""

    def check(value: object) -> object:
        try:
            return read(value)
        except _Mistake:
            raise
        except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
            raise _Mistake(f"expected {expected}") from error

    return BeforeValidator(check)


def _line(value: str) -> str:
    """One line of text that is not empty; its spaces are evened out."""
    if not value.strip() or not value.strip().isprintable():
        raise ValueError(value)
    return " ".join(value.split())


def _optional(read: Callable[[str], str]) -> Callable[[str], str]:
    """A reader that lets empty text pass."""
    return lambda value: read(value) if value else ""


def _matching(pattern: str) -> Callable[[str], str]:
    """A reader of text that is of this form as a whole."""

    def read(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(value)
        return value

    return read


def _one_of(*words: str) -> BeforeValidator:
    return _leaf(f"{', '.join(words[:-1])} or {words[-1]}, such as {words[0]}", {word: word for word in words}.__getitem__)


def _whole(low: int, high: int, example: int) -> BeforeValidator:
    def read(value: str) -> int:
        number = int(_matching(r"\d{1,9}")(value))
        if not low <= number <= high:
            raise ValueError(value)
        return number

    return _leaf(f"a whole number from {low} to {high}, such as {example}", read)


def _decimal(low: str, high: str, example: str) -> BeforeValidator:
    def read(value: str) -> Decimal:
        number = Decimal(_matching(r"\d{1,9}(\.\d{1,6})?")(value))
        if not Decimal(low) <= number <= Decimal(high):
            raise ValueError(value)
        return number

    return _leaf(f"a number from {low} to {high}, such as {example}", read)


def _span(low: str, high: str, example: str) -> BeforeValidator:
    def read(value: str) -> timedelta:
        length = duration(value)
        if not duration(low) <= length <= duration(high):
            raise ValueError(value)
        return length

    return _leaf(f"a duration from {low} to {high} with its unit (s, m, h, d, w or mo), such as {example}", read)


def _address(value: str) -> records.Address:
    match = re.fullmatch(r'(?:"?([^"<>]*?)"?\s*<([^<>\s]+)>|([^<>\s]+))', _line(value))
    if match is None:
        raise ValueError(value)
    local, _, domain = (match[2] or match[3]).rpartition("@")
    _matching(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}")(local)
    _matching(r"[a-zA-Z0-9-]{1,63}(\.[a-zA-Z0-9-]{1,63})*")(domain)
    return records.Address(name=match[1] or "", address=f"{local}@{domain.lower()}")


def _person(value: str) -> records.Address:
    address = _address(value)
    _line(address.name)
    return address


def _time(value: str) -> time:
    return time.fromisoformat(_matching(r"\d\d:\d\d")(value))


def _hours(value: str) -> tuple[time, time]:
    begin, _, end = value.replace(" ", "").partition("-")
    if begin == end:
        raise ValueError(value)
    return _time(begin), _time(end)


def _days(value: str | list[str]) -> frozenset[int]:
    words = value.split(",") if isinstance(value, str) else value
    if not words:
        raise ValueError(value)
    return frozenset(day for word in words for day in _day_range(word.strip().lower()))


def _day_range(word: str) -> Iterator[int]:
    first, _, last = word.partition("-")
    begin, end = WEEKDAYS.index(first.strip()), WEEKDAYS.index((last or first).strip())
    return (day % 7 for day in range(begin, begin + (end - begin) % 7 + 1))


def _start(value: str) -> str | date:
    return value if value in ("new", "all") else date.fromisoformat(_matching(r"\d{4}-\d\d-\d\d")(value))


def _languages(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not set(value) <= set(LANGUAGES):
        raise ValueError(value)
    return tuple(dict.fromkeys(value))


def _timezone(value: str) -> str:
    return zoneinfo.ZoneInfo(value).key


def _web(value: str) -> str:
    parts = urlsplit(_matching(r"https?://[!-~]+")(value))
    if not parts.hostname:
        raise ValueError(value)
    return value


def _https(value: str) -> str:
    return _web(_matching("https://.*")(value))


def _secret(value: object, info: ValidationInfo) -> Secret | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= {"env", "file", "keyring"}:
        raise _Mistake(
            "a password never stands in this file: expected the place where it is kept, "
            "{env: NAME}, {file: PATH} or {keyring: NAME}, such as {env: WINBACK_PASSWORD}"
        )
    kind, name = next(iter(value.items()))
    if not isinstance(name, str) or not name.isprintable() or not name.strip():
        raise _Mistake(f"expected a name after {kind}, such as {{env: WINBACK_PASSWORD}}")
    if kind == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise _Mistake("expected the name of an environment variable, not its value, such as {env: WINBACK_PASSWORD}")
    return Secret(kind=kind, name=name, folder=_home(info))


@dataclass(frozen=True, kw_only=True)
class _Scheme:
    """What stands before the colon of a URL. `loopback`: what it means towards this very machine; "": the same."""

    kind: str
    security: str = ""
    port: int = 0
    loopback: str = ""


_INBOX = {
    "maildir": _Scheme(kind="maildir"),
    "imaps": _Scheme(kind="imap", security="tls", port=993),
    "imap+starttls": _Scheme(kind="imap", security="starttls", port=143),
    "imap": _Scheme(kind="imap", security="starttls", port=143, loopback="none"),
}
_DELIVERY = {
    "maildir": _Scheme(kind="maildir"),
    "smtps": _Scheme(kind="smtp", security="tls", port=465),
    "smtp+starttls": _Scheme(kind="smtp", security="starttls", port=587),
    "smtp": _Scheme(kind="smtp", port=25, loopback="none"),
}
_STORE = {"sqlite": _Scheme(kind="sqlite")}


def _url(schemes: Mapping[str, _Scheme], expected: str) -> BeforeValidator:
    def read(value: str) -> Endpoint:
        word, _, rest = _line(value).partition(":")
        scheme = schemes[word]
        if not scheme.port:
            return Endpoint(kind=scheme.kind, path=Path(re.sub("^/+", "/", _line(rest))))
        return _server(scheme, value)

    return _leaf(expected, read)


def _server(scheme: _Scheme, url: str) -> Endpoint:
    parts = urlsplit(url)
    host, user = parts.hostname or "", unquote(parts.username or "", errors="strict")
    folder = unquote(parts.path.removeprefix("/"), errors="strict")
    if parts.password is not None:
        raise _Mistake("holds a password: take it out and say under `password` where it is kept")
    if parts.query or parts.fragment:
        raise _Mistake("`?` and `#` have a meaning of their own in a URL: write %3F and %23")
    if not re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", host) or not (user + folder).isprintable():
        raise ValueError(url)
    if (scheme.kind == "imap" and not user) or (scheme.kind == "smtp" and folder):
        raise ValueError(url)
    security = scheme.loopback if scheme.loopback and is_loopback(host) else scheme.security
    if not security:
        raise _Mistake(f"sends without TLS, which is for this machine itself only: write smtps://USER@{host}")
    if parts.port == 0:
        raise ValueError(url)
    return Endpoint(
        kind=scheme.kind,
        host=host,
        port=parts.port or scheme.port,
        user=user,
        folder=(folder or "INBOX") if scheme.kind == "imap" else "",
        security=security,
    )


def _home(info: ValidationInfo) -> Path:
    """The folder of config.yaml."""
    return Path(info.context or ".")


def _beside(path: Path, info: ValidationInfo) -> Path:
    """The path as seen from the folder of config.yaml."""
    try:
        return _home(info) / path.expanduser()
    except RuntimeError as error:
        raise _Mistake("there is no home folder that `~` could mean: write the whole path") from error


def _endpoint_beside(endpoint: Endpoint, info: ValidationInfo) -> Endpoint:
    return endpoint if endpoint.path is None else replace(endpoint, path=_beside(endpoint.path, info))


def _track_name(value: str) -> str:
    if value not in TRACKS:
        raise _Mistake(_unknown("reason", value, TRACKS))
    return value


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"unknown {what}: " + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(sorted(known))}")


def _login_has_password(secret: Secret | None, info: ValidationInfo) -> Secret | None:
    url = info.data.get("url")
    if secret is None and url is not None and url.user:
        raise _Mistake(f"missing: say where the password of {url.user} is kept, such as password: {{env: WINBACK_PASSWORD}}")
    return secret


def _needed(example: str) -> Any:
    """A key that can't be left out."""
    return Field(examples=[example])


def _default(value: object) -> Any:
    """A key that can be left out: `value` is what it would say in the file."""
    return Field(default=value, validate_default=True)


_PIECE = r"[a-z0-9_]+"
Phone = Annotated[str, _leaf('text on one line, such as "+1 555 0100"', _optional(_line))]
Post = Annotated[str, _leaf('text on one line, such as "1 High Street, Springfield"', _optional(_line))]
Name = Annotated[str, _leaf('text on one line, such as "Bluedoor Studio"', _line)]
Mailbox = Annotated[records.Address, _leaf('an address such as "Dana Reyes <dana@bluedoor.example>"', _address)]
Person = Annotated[records.Address, _leaf('a name and an address such as "Dana Reyes <dana@bluedoor.example>"', _person)]
Template = Annotated[str, _leaf("the name of a text, without folder and .txt, such as price_1", _matching(r"[a-z0-9_]+"))]
Flag = Annotated[bool, _leaf("true or false, such as true", lambda value: _FLAGS[value.lower()])]
Folder = Annotated[Path, _leaf("a path such as outbox", lambda value: Path(_line(value))), AfterValidator(_beside)]
MaybeFolder = Annotated[
    Path | None, _leaf("a path such as appointments.ics", lambda value: Path(_line(value))), AfterValidator(_beside)
]
Password = Annotated[Secret | None, BeforeValidator(_secret), AfterValidator(_login_has_password)]
TrackName = Annotated[str, _leaf("a reason or sub-reason such as price", _track_name)]


class Block(BaseModel):
    """One block of config.yaml. A key with nothing behind it counts as left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


class Business(Block):
    """Who writes."""

    name: Name = _needed("name: Bluedoor Studio")
    sender: Person = _needed("sender: Dana Reyes <dana@bluedoor.example>")
    address: Post = _default("")
    phone: Phone = _default("")
    timezone: Annotated[str, _leaf("a time zone such as Europe/Madrid or America/New_York", _timezone)] = _needed(
        "timezone: Europe/Madrid"
    )
    country: Annotated[
        str, _leaf("a country as two letters, such as US", _optional(lambda value: _matching("[A-Z]{2}")(value.upper())))
    ] = _default("")
    languages: Annotated[tuple[str, ...], _leaf("a list of en and es, such as [en, es]", _languages)] = _default(["en", "es"])
    reschedule_url: Annotated[str, _leaf("a web address such as https://bluedoor.example/book", _optional(_web))] = _default("")
    address_form: Annotated[Literal["usted", "tu"], _one_of("usted", "tu")] = _default("usted")


class Inbox(Block):
    """Where mail comes from. `start` is `new`, `all` or the first day of mail that counts."""

    url: Annotated[
        Endpoint,
        _url(
            _INBOX,
            "maildir:PATH or imaps://USER@HOST/FOLDER, such as imaps://dana%40bluedoor.example@imap.bluedoor.example/INBOX",
        ),
        AfterValidator(_endpoint_beside),
    ] = _needed("url: maildir:inbox")
    password: Password = _default(None)
    own_addresses: tuple[Mailbox, ...] = _default([])
    trusted_authserv: tuple[
        Annotated[str, _leaf("the name of a mail server, such as mx.bluedoor.example", _matching(r"[\w.-]+"))], ...
    ] = _default([])
    start: Annotated[str | date, _leaf("new, all or a day such as 2026-11-01", _start)] = _default("new")
    poll_every: Annotated[timedelta, _span("5s", "1d", "60s")] = _default("60s")
    idle: Flag = _default("true")


class Outbox(Block):
    """Where reps find drafts, and what needs no rep."""

    folder: Folder = _default("outbox")
    acknowledgments: Annotated[Literal["when_sure", "review"], _one_of("when_sure", "review")] = _default("when_sure")
    follow_ups: Annotated[Literal["review", "when_sure"], _one_of("review", "when_sure")] = _default("review")
    sure_at: Annotated[float, _decimal("0.5", "1", "0.95")] = _default("0.95")


class Caps(Block):
    """How much may go out."""

    address_days: Annotated[int, _whole(1, 365, 7)] = _default("7")
    domain_hour: Annotated[int, _whole(1, 10_000, 20)] = _default("20")
    hour: Annotated[int, _whole(1, 10_000, 60)] = _default("60")
    day: Annotated[int, _whole(1, 100_000, 400)] = _default("400")
    burst: Annotated[int, _whole(1, 100_000, 20)] = _default("20")


class Delivery(Block):
    """How mail leaves."""

    url: Annotated[
        Endpoint,
        _url(_DELIVERY, "maildir:PATH or smtps://USER@HOST, such as smtps://dana%40bluedoor.example@smtp.bluedoor.example"),
        AfterValidator(_endpoint_beside),
    ] = _needed("url: maildir:sent-mail")
    password: Password = _default(None)
    caps: Caps = _default({})


class Store(Block):
    """Where winback keeps what it knows."""

    url: Annotated[Endpoint, _url(_STORE, "sqlite:PATH, such as sqlite:state/winback.db"), AfterValidator(_endpoint_beside)] = (
        _default("sqlite:state/winback.db")
    )


class Touch(Block):
    """One step of a track."""

    after: Annotated[timedelta, _span("0s", "60mo", "5d")] = _needed("after: 5d")
    template: Template = _needed("template: price_1")
    own_date: Flag = _default("false")


def _in_order(steps: tuple[Touch, ...]) -> tuple[Touch, ...]:
    if any(later.after <= earlier.after for earlier, later in itertools.pairwise(steps)):
        raise _Mistake("expected each step later than the one before it, such as after: 5d, then after: 30d")
    return steps


Track = Annotated[tuple[Touch, ...], BeforeValidator(lambda steps: [] if steps is None else steps), AfterValidator(_in_order)]


class Hibernation(Block):
    """How often who is left in peace hears from us: so long after the last touch, each once."""

    greetings: Annotated[Literal["where_allowed", "always", "never"], _one_of("where_allowed", "always", "never")] = _default(
        "where_allowed"
    )
    rhythm: tuple[Annotated[timedelta, _span("14d", "120mo", "12mo")], ...] = _default([])
    template: Template = _default("greeting")

    @field_validator("rhythm")
    @classmethod
    def _in_order(cls, rhythm: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if any(later <= earlier for earlier, later in itertools.pairwise(rhythm)):
            raise _Mistake("expected each time longer than the one before it, such as [3mo, 12mo]")
        return rhythm


class FollowUps(Block):
    """When customers hear from us again. `quiet_hours` is (begin, end), local to the business; Monday is day 0."""

    quiet_hours: Annotated[tuple[time, time], _leaf('hours such as "18:00-09:00"', _hours)] = _default("18:00-09:00")
    days: Annotated[frozenset[int], _leaf("weekdays such as mon-fri or [mon, tue]", _days)] = _default("mon-fri")
    max_touches: Annotated[int, _whole(0, 10, 3)] = _default("3")
    tracks: dict[TrackName, Track] = _default({})
    unsubscribe_url: Annotated[
        str, _leaf("a web address that begins with https://, such as https://bluedoor.example/unsubscribe", _optional(_https))
    ] = _default("")
    thanks: Touch | None = None
    hibernation: Hibernation = _default({})


class Content(Block):
    """What is sent before a new date, by service: names of files in `folder`; `any` is for every other service."""

    folder: Folder = _default("content")
    any: Annotated[
        str, _leaf("the name of a piece, without folder and .txt, such as first_visit", _optional(_matching(_PIECE)))
    ] = _default("")
    services: dict[Name, Annotated[str, _leaf("the name of a piece, such as first_visit", _matching(_PIECE))]] = _default({})


class Appointments(Block):
    """What winback knows of appointments, and what it does around them."""

    calendar: MaybeFolder = None
    availability: MaybeFolder = None
    no_show: Annotated[Literal["review", "send"], _one_of("review", "send")] = _default("review")
    no_show_within: Annotated[timedelta, _span("1m", "1d", "60m")] = _default("60m")
    prepare_before: Annotated[timedelta | None, _span("4h", "6mo", "2d")] = None
    content: Content = _default({})
    offer_slots: Flag = _default("true")
    tools: tuple[Annotated[str, _leaf("a domain such as calendly.com", _matching(r"[\w.-]+\.[\w-]+"))], ...] = _default([])


class Sum(Block):
    """A share or an amount of money."""

    percent: Annotated[Decimal | None, _decimal("0", "100", "50")] = None
    amount: Annotated[Decimal | None, _decimal("0", "999999999", "25.00")] = _default(None)

    @field_validator("amount", mode="wrap")
    @classmethod
    def _percent_or_amount(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Decimal | None:
        amount: Decimal | None = None if value is None else read(value)
        if "percent" in info.data and (amount is None) == (info.data["percent"] is None):
            raise _Mistake("expected either percent or amount, such as percent: 50")
        return amount


class Charge(Sum):
    """What is charged or given back for a cancellation `within` this time before the appointment."""

    within: Annotated[timedelta, _span("0s", "24mo", "24h")] = _needed("within: 24h")


class Deposit(Sum):
    """What is asked for in advance, and `within` which time before the appointment it is kept; None: always."""

    within: Annotated[timedelta | None, _span("0s", "24mo", "30d")] = None


class Relief(Block):
    """What an exception brings: a new date, or else `credit` percent of what would have been kept."""

    new_date: Flag = _default("true")
    credit: Annotated[Decimal, _decimal("0", "100", "50")] = _default("50")


class Package(Block):
    """Sessions sold together. A late cancellation uses up `forfeit` of them; those that are left become `extend` longer."""

    sessions: Annotated[int, _whole(1, 1_000, 10)] = _needed("sessions: 10")
    price: Annotated[Decimal | None, _decimal("0", "999999999", "400")] = None
    forfeit: Annotated[int, _whole(0, 1_000, 1)] = _default("1")
    extend: Annotated[timedelta, _span("0s", "1d", "10m")] = _default("0s")

    @field_validator("forfeit")
    @classmethod
    def _not_more_than_sold(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("sessions", value):
            raise _Mistake(f"expected no more than the {info.data['sessions']} sessions of the package, such as 1")
        return value


def _tiers(rows: tuple[Charge, ...], notice: timedelta | None, *, more: bool) -> tuple[Charge, ...]:
    """The rows, if none reaches beyond the notice, and the nearer to the date, the `more` each has, or else the less."""
    if notice is not None and any(row.within > notice for row in rows):
        limit = policy_words.duration(notice, "en")
        raise _Mistake(
            f"who keeps to the notice loses nothing: expected `within` up to the notice of {limit}, or a longer notice"
        )
    for far, near in itertools.pairwise(sorted(rows, key=lambda row: row.within, reverse=True)):
        if far.within == near.within:
            raise _Mistake("expected each `within` once: two rows have the same")
        if any(a is not None and b is not None and a != b and (a > b) != more for a, b in _both(near, far)):
            raise _Mistake(
                f"expected a row nearer to the appointment to have {'more' if more else 'less'} than the one before it"
            )
    return rows


def _both(one: Sum | records.Charge, other: Sum | records.Charge) -> tuple[tuple[Decimal | None, Decimal | None], ...]:
    """The shares and the amounts of both, side by side."""
    return (one.percent, other.percent), (one.amount, other.amount)


def _limit(value: str) -> records.Charge:
    number = Decimal(_matching(r"\d{1,9}(\.\d{1,6})? ?%?")(value).rstrip("% "))
    if not value.endswith("%"):
        return records.Charge(amount=number)
    if number > 100:
        raise ValueError(value)
    return records.Charge(percent=number)


def _exception(value: str) -> str:
    if value not in policy_words.EXCEPTIONS:
        raise _Mistake(_unknown("exception", value, policy_words.EXCEPTIONS))
    return value


Limit = Annotated[records.Charge | None, _leaf("an amount such as 25.00, or a share of the price such as 100%", _limit)]
Exceptions = tuple[Annotated[str, _leaf("a word such as illness", _exception)], ...]
PackageName = Annotated[str, _leaf("a name on one line, such as ten", _line)]


class Policy(Block):
    """The business's rules on cancelling. `grace` is how many times one is let go, `exceptions` what suspends the rules."""

    notice: Annotated[timedelta | None, _span("0s", "24mo", "24h")] = None
    fees: tuple[Charge, ...] = _default([])
    minimum: Limit = None
    cap: Limit = None
    deposit: Deposit | None = None
    refunds: tuple[Charge, ...] = _default([])
    costs: Annotated[records.Costs, _one_of(*records.Costs)] = _default("ours")
    grace: Annotated[int, _whole(0, 100, 1)] = _default("0")
    exceptions: Exceptions = _default([])
    relief: Relief = _default({})
    packages: dict[PackageName, Package] = _default({})
    # The last one: whether it may be left out hangs on the others.
    currency: Annotated[
        str, _leaf("a currency as three letters, such as EUR", _optional(lambda value: _matching("[A-Z]{3}")(value.upper())))
    ] = _default(None)

    @field_validator("fees")
    @classmethod
    def _nearer_costs_more(cls, rows: tuple[Charge, ...], info: ValidationInfo) -> tuple[Charge, ...]:
        return _tiers(rows, info.data.get("notice"), more=True)

    @field_validator("refunds")
    @classmethod
    def _nearer_returns_less(cls, rows: tuple[Charge, ...], info: ValidationInfo) -> tuple[Charge, ...]:
        return _tiers(rows, info.data.get("notice"), more=False)

    @field_validator("cap")
    @classmethod
    def _cap_above_minimum(cls, cap: records.Charge | None, info: ValidationInfo) -> records.Charge | None:
        minimum = info.data.get("minimum")
        if cap and minimum and any(a is not None and b is not None and a < b for a, b in _both(cap, minimum)):
            raise _Mistake("expected a cap that is not below the minimum")
        return cap

    @field_validator("deposit")
    @classmethod
    def _deposit_before_fees(cls, deposit: Deposit | None, info: ValidationInfo) -> Deposit | None:
        late = _late(info.data)
        if deposit and deposit.within is not None and late is not None and deposit.within < late:
            limit = policy_words.duration(late, "en")
            raise _Mistake(f"would be given back when a cancellation is late already: expected `within` of {limit} or more")
        return deposit

    @field_validator("packages")
    @classmethod
    def _late_is_defined(cls, packages: dict[str, Package], info: ValidationInfo) -> dict[str, Package]:
        if packages and "fees" in info.data and "notice" in info.data and _late(info.data) is None:
            raise _Mistake("nothing says when a session is called off too late: add a notice, such as notice: 24h")
        return packages

    @field_validator("currency")
    @classmethod
    def _needed_for_money(cls, currency: str, info: ValidationInfo) -> str:
        priced = [package.price for package in info.data.get("packages", {}).values() if package.price is not None]
        rules = [info.data.get(key) for key in ("fees", "minimum", "cap", "deposit", "refunds")]
        if not currency and (priced or any(rules) or info.data.get("costs", records.Costs.OURS) is not records.Costs.OURS):
            raise _Mistake("missing: say in which currency your prices are, such as currency: EUR")
        return currency


def _late(policy: Mapping[str, Any]) -> timedelta | None:
    """How near to the appointment a cancellation is late: by the notice, or by the earliest fee; None: it never is."""
    notice: timedelta | None = policy.get("notice")
    return max((row.within for row in policy.get("fees", ())), default=None) if notice is None else notice


class Privacy(Block):
    """How long things are kept."""

    keep_raw: Annotated[timedelta, _span("1d", "120mo", "180d")] = _default("180d")
    keep_history: Annotated[timedelta, _span("1d", "120mo", "24mo")] = _default("24mo")


class Report(Block):
    """The weekly letter to the owner. Its address counts as an own one: what comes from it is never answered."""

    weekly: Annotated[figures.Weekly, _leaf("review, send or never, such as review", figures.Weekly)] = _default("never")
    day: Annotated[int, _leaf("a weekday such as mon", lambda value: WEEKDAYS.index(value.lower()))] = _default("mon")
    to: Mailbox | None = _default(None)


class Model(Block):
    """Where the built model lies."""

    folder: Folder = _default("models/built")


class Templates(Block):
    """Where the texts lie."""

    folder: Folder = _default("templates")


class Config(Block):
    """All of config.yaml, checked; every path is absolute."""

    business: Business = _needed("business:, then name:, sender: and timezone: below it")
    inbox: Inbox = _needed("inbox:, then url: maildir:inbox below it")
    outbox: Outbox = _default({})
    delivery: Delivery = _needed("delivery:, then url: maildir:sent-mail below it")
    store: Store = _default({})
    follow_ups: FollowUps = _default({})
    appointments: Appointments = _default({})
    policy: Policy = _default({})
    privacy: Privacy = _default({})
    report: Report = _default({})
    templates: Templates = _default({})
    model: Model = _default({})

    _lines: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("delivery")
    @classmethod
    def _not_into_inbox(cls, value: Delivery, info: ValidationInfo) -> Delivery:
        inbox = info.data.get("inbox")
        if inbox is not None and value.url.path is not None and value.url.path == inbox.url.path:
            raise _Mistake("delivers into the inbox itself: expected a Maildir of its own, such as maildir:sent-mail")
        return value

    def rules(self) -> records.Rules:
        """Everything the core may know of the configuration."""
        inbox, outbox, follow_ups = self.inbox, self.outbox, self.follow_ups
        own = {self.business.sender.key, *(address.key for address in inbox.own_addresses)}
        if "@" in inbox.url.user:
            own.add(inbox.url.user.lower())
        if self.report.to and self.report.weekly is not figures.Weekly.NEVER:
            own.add(self.report.to.key)
        return records.Rules(
            business=records.Business(**dict(self.business), domain=self.business.sender.domain),
            answers=records.AnswerRules(
                acknowledgments=outbox.acknowledgments,
                follow_ups=outbox.follow_ups,
                sure_at=outbox.sure_at,
                rest=timedelta(days=self.delivery.caps.address_days),
            ),
            follow_ups=records.FollowUpRules(
                quiet_from=follow_ups.quiet_hours[0],
                quiet_to=follow_ups.quiet_hours[1],
                days=follow_ups.days,
                max_touches=follow_ups.max_touches,
                unsubscribe_url=follow_ups.unsubscribe_url,
                tracks={
                    name: tuple(records.Touch(**dict(step)) for step in steps) for name, steps in follow_ups.tracks.items()
                },
                thanks=records.Touch(**dict(follow_ups.thanks)) if follow_ups.thanks else None,
                greetings=self._greetings(),
            ),
            own_addresses=frozenset(own),
            trusted_authserv=frozenset(name.lower() for name in inbox.trusted_authserv),
            policy=self.cancelling(),
            appointments=self._around(),
        )

    def _greetings(self) -> tuple[records.Touch, ...]:
        """The rhythm of hibernation; with where_allowed only where the law asks for no basis, as `core.law` has it."""
        sleep = self.follow_ups.hibernation
        free = not law.profile(self.business.country).asks
        allowed = sleep.greetings == "always" or (sleep.greetings == "where_allowed" and free)
        return tuple(records.Touch(after=after, template=sleep.template) for after in sleep.rhythm) if allowed else ()

    def _around(self) -> records.AppointmentRules:
        """What happens around appointments."""
        around = self.appointments
        return records.AppointmentRules(
            no_show=around.no_show,
            no_show_within=around.no_show_within,
            prepare_before=around.prepare_before,
            content={"": around.content.any, **{name.lower(): piece for name, piece in around.content.services.items()}},
            offer_slots=around.offer_slots,
            tools=frozenset(tool.lower() for tool in around.tools),
        )

    def letters(self) -> figures.LetterRules:
        """When the owner gets a letter, and where."""
        return figures.LetterRules(**dict(self.report), currency=self.policy.currency)

    def caps(self) -> records.Caps:
        """How much may go out, as the store counts it."""
        return records.Caps(**dict(self.delivery.caps))

    def cancelling(self) -> records.Policy:
        """The rules on cancelling as the core knows them, with amounts in whole minor units and the notice that fees imply."""
        policy = self.policy

        def money(amount: Decimal | None) -> Decimal | None:
            return None if amount is None else rounded(amount, policy.currency)

        def charge(row: Charge | Deposit | records.Charge) -> records.Charge:
            return records.Charge(percent=row.percent, amount=money(row.amount), within=row.within)

        return records.Policy(
            currency=policy.currency,
            notice=_late(dict(policy)),
            fees=tuple(charge(row) for row in policy.fees),
            minimum=charge(policy.minimum) if policy.minimum else None,
            cap=charge(policy.cap) if policy.cap else None,
            deposit=charge(policy.deposit) if policy.deposit else None,
            refunds=tuple(charge(row) for row in policy.refunds),
            costs=policy.costs,
            grace=policy.grace,
            exceptions=frozenset(policy.exceptions),
            new_date=policy.relief.new_date,
            credit=policy.relief.credit,
            packages={
                name: records.Package(**{**dict(package), "price": money(package.price)})
                for name, package in policy.packages.items()
            },
        )

    def referred_templates(self) -> dict[str, str]:
        """The texts of follow-ups that are named here, each with the line and the key that name it first."""
        found: dict[str, str] = {}
        for track, steps in self.follow_ups.tracks.items():
            for number, step in enumerate(steps):
                found.setdefault(step.template, self._stands(f"follow_ups.tracks.{track}.{number}.template"))
        if self.follow_ups.thanks:
            found.setdefault(self.follow_ups.thanks.template, self._stands("follow_ups.thanks.template"))
        if self.follow_ups.hibernation.rhythm:
            found.setdefault(self.follow_ups.hibernation.template, self._stands("follow_ups.hibernation.template"))
        return found

    def _stands(self, key: str) -> str:
        """A key with the line of the file that it stands in; without one if nobody wrote it there."""
        return f"{self._lines[key]}: {key}" if key in self._lines else key


def load(path: Path) -> Config:
    """The configuration in this file. Raises ConfigError with one sentence for each mistake, in the order of the lines."""
    reading = _Reading(file=path.name)
    data = reading.value(_compose(path))
    try:
        config = Config.model_validate({} if data is None else data, context=path.absolute().parent)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            reading.complain(*_explain(details))
    if reading.problems:
        # Not chained: pydantic's own text would repeat what stands in the file, a password perhaps.
        raise ConfigError(*(sentence for _, sentence in sorted(reading.problems))) from None
    config._lines = {".".join(key): f"{reading.file}:{line}" for key, line in reading.lines.items()}
    return config


@dataclass(kw_only=True)
class _Reading:
    """Values as they are written, the lines they stand in, and what was wrong on the way.

    Scalars stay text, so a telephone number keeps its zeros and NO stays a country; what a value means is its reader's part.
    """

    file: str
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def value(self, node: Node | None, path: tuple[str, ...] = ()) -> Any:
        """What a node of the file says: text, None, a list or a dict."""
        if node is None:
            return None
        line = self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > _DEEPEST:
            raise ConfigError(f"{self.file}:{line}: the blocks are nested too deeply: at most {_DEEPEST} levels")
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
            self.complain(path, "a word that begins with ! has no meaning here: put the text in quotes")
        if isinstance(node, MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, str(number))) for number, item in enumerate(node.value)]
        return None if node.tag == "tag:yaml.org,2002:null" else node.value

    def _items(self, node: MappingNode, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.complain(path, "expected a word before the colon; text that begins with { or [ needs quotes", line)
                continue
            here = (*path, str(key.value))
            if here in self.lines:
                self.complain(here, f"stands here twice, first in line {self.lines[here]}: keep one of them", line)
                continue
            self.lines[here] = line
            yield here[-1], self.value(value, here)

    def complain(self, path: tuple[str, ...], problem: str, line: int | None = None) -> None:
        """Note one mistake, at the line of the nearest key that is there."""
        known = (self.lines[path[:length]] for length in range(len(path), -1, -1) if path[:length] in self.lines)
        line = line or next(known, 1)
        key = ".".join(path)
        self.problems.append((line, f"{self.file}:{line}: {key}: {problem}" if key else f"{self.file}:{line}: {problem}"))


def _compose(path: Path) -> Node | None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; `winback init DIR` makes one, --config PATH names yours") from error
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path.name}:{line}: is not UTF-8 text: save the file as UTF-8") from error
    except MarkedYAMLError as error:
        unclosed = "end of stream" in (error.problem or "")  # a quote or bracket: the beginning tells more than the end
        mark = (error.context_mark if unclosed else error.problem_mark) or error.problem_mark
        # Not chained, like all below: YAML's own text would repeat the line, with a password perhaps.
        raise ConfigError(f"{path.name}:{mark.line + 1 if mark else 1}: {_syntax(error)}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path.name}:{line}: holds a control character: delete it") from None
    except (YAMLError, RecursionError):
        raise ConfigError(f"{path.name}:1: is not YAML that can be read: compare it with a file of `winback init`") from None
    return node


def _syntax(error: MarkedYAMLError) -> str:
    problem = re.sub(r"alias '.*'", "alias", f"{error.context or ''} {error.problem}").strip()
    hint = "indent with spaces, put a space after each colon, and put text with : # { [ * & ! @ in quotes"
    return f"is not YAML: {problem}; {hint}"


def _explain(details: ErrorDetails) -> tuple[tuple[str, ...], str]:
    """The path of a mistake that pydantic found, and our sentence about it."""
    path = tuple(str(part) for part in details["loc"] if part != "[key]")
    block, info = _declared(path)
    if details["type"] == "missing":
        return path, f"missing, such as {info.examples[0] if info and info.examples else '...'}"
    if details["type"] == "extra_forbidden":
        return path, _unknown("key", path[-1], block.model_fields)
    if details["type"] == "value_error":
        return path, str(details["ctx"]["error"]) + _got(path, details["input"])
    return path, _SHAPES.get(details["type"], details["msg"]) + _got(path, details["input"])


_SHAPES = {
    "model_type": "expected keys and values, each on an indented line below it",
    "dict_type": "expected keys and values, each on an indented line below it",
    "tuple_type": "expected a list, such as [first, second]",
}


def _declared(path: tuple[str, ...]) -> tuple[type[Block], FieldInfo | None]:
    """The block that a path ends in, and the declaration of its last part, if it is a key of that block."""
    block: type[Block] = Config
    for part in path[:-1]:
        declared = block.model_fields.get(part)
        block = (declared and _block_in(declared.annotation)) or block
    return block, block.model_fields.get(path[-1]) if path else None


def _block_in(annotation: Any) -> type[Block] | None:
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := _block_in(part))), None)


def _got(path: tuple[str, ...], value: object) -> str:
    """What stood there instead, shortened, and without what could be a password."""
    if value is None or "password" in path:
        return ""
    if not isinstance(value, str):
        return "; got a list" if isinstance(value, list) else "; got a block of keys"
    text = repr(re.sub(r"://.*@", "://***@", value))
    return f"; got {text if len(text) <= 80 else text[:77] + '...'}"
