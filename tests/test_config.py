"""config.yaml is read as it is meant, and every mistake in it is told at once."""

from __future__ import annotations

import builtins
import io
import os
import re
import socket
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import config
from pipeline.core import records
from pipeline.core.records import Address, AppointmentRules, Caps, Touch
from pipeline.errors import ConfigError

SHIPPED = Path(__file__).parents[1] / "config.yaml"

SMALLEST = """\
business:
  name: Bluedoor Studio
  sender: Dana Reyes <dana@bluedoor.example>
  timezone: Europe/Madrid
inbox:
  url: maildir:inbox
delivery:
  url: maildir:sent-mail
"""


@pytest.fixture
def read(tmp_path: Path):
    def load(text: str | bytes) -> config.Config:
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return config.load(path)

    return load


@pytest.fixture
def mistakes(read):
    def told(text: str | bytes) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            read(text)
        return caught.value.problems

    return told


def instead(key: str, value: str) -> str:
    """The smallest configuration with one `block.key` set to another value."""
    block, _, name = key.partition(".")
    lines = SMALLEST.splitlines()
    start = lines.index(f"{block}:") if f"{block}:" in lines else lines.append(f"{block}:") or len(lines) - 1
    old = next((n for n in range(start + 1, len(lines)) if lines[n].startswith(f"  {name}:")), None)
    if old is None:
        lines.insert(start + 1, f"  {name}: {value}")
    else:
        lines[old] = f"  {name}: {value}"
    return "\n".join(lines) + "\n"


def test_the_shipped_file_works_as_it_is():
    shipped = config.load(SHIPPED)
    assert shipped.inbox.url == config.Endpoint(kind="maildir", path=SHIPPED.parent / "inbox")
    assert shipped.delivery.url == config.Endpoint(kind="maildir", path=SHIPPED.parent / "sent-mail")
    assert shipped.store.url.path == SHIPPED.parent / "state" / "winback.db"
    assert (shipped.outbox.acknowledgments, shipped.outbox.follow_ups) == ("when_sure", "review")


def test_the_shipped_tracks_are_those_of_the_playbook():
    tracks = config.load(SHIPPED).rules().follow_ups.tracks
    plan = {name: [(step.after.days, step.template, step.own_date) for step in steps] for name, steps in tracks.items()}
    assert plan == {
        "price": [(5, "price_1", False), (30, "price_2", False), (90, "price_3", False)],
        "service": [(1, "service_1", False)],
        "timing": [(2, "timing_1", False), (14, "timing_2", True)],
        "not_ready": [(30, "not_ready_1", True), (75, "not_ready_2", False)],
        "unspecified": [(3, "unspecified_1", False)],
        "other": [],
        "competitor": [(60, "competitor_1", False)],
    }


def blocks(block: type[config.Block]) -> set[str]:
    inner = {name: config._block_in(info.annotation) for name, info in block.model_fields.items()}
    return set(block.model_fields) | {name for nested in inner.values() if nested for name in blocks(nested)}


def test_the_shipped_file_names_every_key_there_is():
    text = SHIPPED.read_text(encoding="utf-8")
    assert [name for name in sorted(blocks(config.Config)) if not re.search(rf"\b{name}:", text)] == []


def test_what_is_left_out_has_the_value_that_the_shipped_file_names(read):
    assert read(SMALLEST).outbox.sure_at == config.load(SHIPPED).outbox.sure_at == 0.95
    assert read(SMALLEST).privacy == config.load(SHIPPED).privacy
    assert read(SMALLEST).delivery.caps == config.load(SHIPPED).delivery.caps
    assert read(SMALLEST).caps() == Caps()


def test_relative_paths_start_from_the_folder_of_the_file(read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir("/")
    found = read(SMALLEST + "outbox: {folder: for/reps}\n")
    assert found.inbox.url.path == tmp_path / "inbox"
    assert found.outbox.folder == tmp_path / "for" / "reps"
    assert found.store.url.path == tmp_path / "state" / "winback.db"
    assert found.model.folder == tmp_path / "models" / "built"
    assert found.templates.folder == tmp_path / "templates"


def test_absolute_paths_and_the_home_folder_are_kept(read, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/dana")
    assert read(instead("inbox.url", "maildir:/var/mail/dana")).inbox.url.path == Path("/var/mail/dana")
    assert read(instead("inbox.url", "maildir:///var/mail/dana")).inbox.url.path == Path("/var/mail/dana")
    assert read(instead("inbox.url", "maildir:~/Maildir")).inbox.url.path == Path("/home/dana/Maildir")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("imaps://dana%40bluedoor.example@mail.example", ("mail.example", 993, "dana@bluedoor.example", "INBOX", "tls")),
        ("imaps://dana@bluedoor.example@mail.example:1993", ("mail.example", 1993, "dana@bluedoor.example", "INBOX", "tls")),
        ("imaps://dana@mail.example/Support%20mail", ("mail.example", 993, "dana", "Support mail", "tls")),
        ("imaps://dana@mail.example/INBOX/Cancelled", ("mail.example", 993, "dana", "INBOX/Cancelled", "tls")),
        ("imap://dana@mail.example/INBOX", ("mail.example", 143, "dana", "INBOX", "starttls")),
        ("imap+starttls://dana@localhost/INBOX", ("localhost", 143, "dana", "INBOX", "starttls")),
        ("imap://dana@localhost:1143/INBOX", ("localhost", 1143, "dana", "INBOX", "none")),
        ("imap://dana@127.0.0.1", ("127.0.0.1", 143, "dana", "INBOX", "none")),
        ("imap://dana@[::1]", ("::1", 143, "dana", "INBOX", "none")),
        ("imap://dana@localhost.example", ("localhost.example", 143, "dana", "INBOX", "starttls")),
    ],
)
def test_an_imap_url_says_host_login_folder_and_security(read, url: str, wanted: tuple[str, int, str, str, str]):
    host, port, user, folder, security = wanted
    found = read(instead("inbox.url", f"{url}\n  password: {{env: SECRET}}")).inbox.url
    assert found == config.Endpoint(kind="imap", host=host, port=port, user=user, folder=folder, security=security)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtps://dana%40bluedoor.example@mail.example", ("mail.example", 465, "dana@bluedoor.example", "tls")),
        ("smtp+starttls://dana@mail.example", ("mail.example", 587, "dana", "starttls")),
        ("smtp://localhost:2525", ("localhost", 2525, "", "none")),
        ("smtp://127.0.0.1", ("127.0.0.1", 25, "", "none")),
    ],
)
def test_an_smtp_url_says_host_login_and_security(read, url: str, wanted: tuple[str, int, str, str]):
    host, port, user, security = wanted
    found = read(instead("delivery.url", f"{url}\n  password: {{env: SECRET}}")).delivery.url
    assert found == config.Endpoint(kind="smtp", host=host, port=port, user=user, security=security)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("inbox.url", "pop3://dana@mail.example"),
        ("inbox.url", "imaps://mail.example/INBOX"),
        ("inbox.url", "imaps://dana@/INBOX"),
        ("inbox.url", "imaps://dana@mail.example:99999"),
        ("inbox.url", "imaps://dana@mail.example:0"),
        ("inbox.url", "imaps://dana@mail.example/INBOX?x=1"),
        ("inbox.url", "imaps://dana@mail.example/INBOX#1"),
        ("inbox.url", '"imaps://dana@mail.example/INBOX%0D%0AA1%20DELETE%20INBOX"'),
        ("inbox.url", '"imaps://dana@mail.exa\\nmple/INBOX"'),
        ("inbox.url", "imaps://dana@mail.example/%ff"),
        ("inbox.url", '"maildir:"'),
        ("inbox.url", "smtps://dana@mail.example"),
        ("delivery.url", "smtp://mail.example"),
        ("delivery.url", "smtp://10.0.0.1"),
        ("delivery.url", "smtp://localhost.example"),
        ("delivery.url", "smtps://dana@mail.example/INBOX"),
        ("delivery.url", "maildir:inbox"),
        ("store.url", "postgresql://localhost/winback"),
        ("store.url", "state/winback.db"),
    ],
)
def test_a_url_that_can_not_be_used_is_refused(mistakes, key: str, value: str):
    (mistake,) = mistakes(instead(key, value))
    assert re.match(rf"config\.yaml:\d+: {key.partition('.')[0]}", mistake)


def test_a_login_needs_to_know_where_its_password_is(mistakes):
    text = instead("inbox.url", "imaps://dana@mail.example").replace("maildir:sent-mail", "smtps://dana@mail.example")
    inbox, delivery = mistakes(text)
    assert "inbox.password: missing" in inbox
    assert "delivery.password: missing" in delivery


def test_a_password_is_kept_in_the_environment_a_file_or_the_keyring(read, tmp_path: Path):
    for kind, name in (("env", "MAIL_PASSWORD"), ("file", "secrets/mail"), ("keyring", "dana@bluedoor.example")):
        found = read(instead("inbox.password", f"{{{kind}: {name}}}")).inbox.password
        assert found == config.Secret(kind=kind, name=name, folder=tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        "hunter2",
        "{value: hunter2}",
        "{env: 'hunter2 is my password'}",
        "[hunter2]",
        "*hunter2",
        "!hunter2",
        "!hunter2 x",
        "{env: hunter2, file: hunter2}",
        '"hunter2',
    ],
)
def test_a_password_in_the_file_is_refused_and_never_repeated(read, wrong: str):
    with pytest.raises(ConfigError) as caught:
        read(instead("inbox.password", wrong))
    assert "config.yaml:6:" in str(caught.value) or "config.yaml:7:" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_in_a_url_is_refused_and_never_repeated(mistakes):
    for url in ("imaps://dana:hunter2@mail.example", "imaps://dana:hunter/2@mail.example", "smtps://dana:hunter2@mail.example"):
        (mistake,) = mistakes(instead("inbox.url", url))
        assert "inbox.url" in mistake
        assert "hunter" not in mistake
    assert "hunter" not in str(mistakes(SMALLEST.replace("inbox:\n", "inbox: [{url: x, password: hunter2}]\nstore:\n")))


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(mistakes):
    told = mistakes(
        """\
business:
  nam: Bluedoor
  sender: Dana
  phone: 5551234
  languages: en
inbox:
  url: imaps://dana@mail.example
  poll_every: 60
  pol_every: 1
delivery: {url: maildir:out, caps: {hour: 0, day: many}}
follow_ups:
  tracks:
    prise: []
    price: [{after: soon}, {after: 9d, template: x}]
policy:
  fees: [{within: 1d}]
nonsense: 1
"""
    )
    assert told == (
        "config.yaml:1: business.name: missing, such as name: Bluedoor Studio",
        "config.yaml:1: business.timezone: missing, such as timezone: Europe/Madrid",
        "config.yaml:2: business.nam: unknown key: did you mean name?",
        "config.yaml:3: business.sender: expected a name and an address such as"
        " \"Dana Reyes <dana@bluedoor.example>\"; got 'Dana'",
        "config.yaml:5: business.languages: expected a list of en and es, such as [en, es]; got 'en'",
        "config.yaml:6: inbox.password: missing: say where the password of dana is kept,"
        " such as password: {env: WINBACK_PASSWORD}",
        "config.yaml:8: inbox.poll_every: expected a duration from 5s to 1d with its unit (s, m, h, d, w or mo),"
        " such as 60s; got '60'",
        "config.yaml:9: inbox.pol_every: unknown key: did you mean poll_every?",
        "config.yaml:10: delivery.caps.day: expected a whole number from 1 to 100000, such as 400; got 'many'",
        "config.yaml:10: delivery.caps.hour: expected a whole number from 1 to 10000, such as 60; got '0'",
        "config.yaml:13: follow_ups.tracks.prise: unknown reason: did you mean price?; got 'prise'",
        "config.yaml:14: follow_ups.tracks.price.0.after: expected a duration from 0s to 60mo with its unit"
        " (s, m, h, d, w or mo), such as 5d; got 'soon'",
        "config.yaml:14: follow_ups.tracks.price.0.template: missing, such as template: price_1",
        "config.yaml:16: policy.fees.0.amount: expected either percent or amount, such as percent: 50",
        "config.yaml:17: nonsense: unknown key: expected one of appointments, business, delivery, follow_ups, inbox, model,"
        " outbox, policy, privacy, report, store, templates",
    )


def test_a_key_that_stands_twice_is_told_with_both_lines_and_beside_other_mistakes(mistakes):
    told = mistakes(SMALLEST + "outbox: {sure_at: 2}\nstore:\nstore:\n  url: sqlite:other.db\n")
    assert told == (
        "config.yaml:9: outbox.sure_at: expected a number from 0.5 to 1, such as 0.95; got '2'",
        "config.yaml:11: store: stands here twice, first in line 10: keep one of them",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("business: [1\ninbox: 2\n", 2),
        ("business:\n  name: a: b\n", 2),
        ("business:\n\tname: x\n", 2),
        ("business:\n  name: @x\n", 2),
        ("business:\n  name: a\x07b\n", 2),
        (b"business:\n  name: Caf\xe9\n", 2),
        ("business: *nobody\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
)
def test_a_file_that_is_no_yaml_is_told_with_the_line(mistakes, text: str | bytes, line: int):
    (mistake,) = mistakes(text)
    assert mistake.startswith(f"config.yaml:{line}: ")


def test_a_file_of_the_wrong_shape_is_refused(mistakes):
    assert "business" in mistakes("")[0]
    assert mistakes("- a list\n") == ("config.yaml:1: expected keys and values, each on an indented line below it; got a list",)
    assert "nested too deeply" in mistakes("a: " + "[" * 30 + "]" * 30)[0]
    assert "is not YAML" in mistakes("a: " + "[" * 20_000)[0]
    assert "nested too deeply" in mistakes("business: &again [*again]\n")[0]
    assert "before the colon" in mistakes(SMALLEST + "policy: {{ notice }}\n")[0]
    assert "outbox: expected keys" in mistakes(SMALLEST + "outbox: here\n")[0]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such file; `winback init DIR` makes one"):
        config.load(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        config.load(tmp_path)


def test_a_key_with_nothing_behind_it_counts_as_left_out(read):
    found = read(SMALLEST + "policy:\n  notice:\noutbox:\nfollow_ups: {tracks: {other: , price: [{after: 5d, template: x}]}}\n")
    assert found.policy.notice is None
    assert found.outbox.sure_at == 0.95
    assert found.rules().follow_ups.tracks["other"] == ()


def test_text_that_looks_like_a_number_or_a_flag_stays_text(read):
    found = read(instead("business.phone", "0034600100200\n  country: NO\n  address: 012"))
    assert (found.business.phone, found.business.country, found.business.address) == ("0034600100200", "NO", "012")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(read):
    assert read(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode()).business.name == "Bluedoor Studio"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("60s", timedelta(seconds=60)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("5 d", timedelta(days=5)),
        ("2w", timedelta(weeks=2)),
        ("1mo", timedelta(days=30)),
        ("18mo", timedelta(days=548)),
        ("24mo", timedelta(days=730)),
    ],
)
def test_a_duration_has_a_unit(text: str, length: timedelta):
    assert config.duration(text) == length


@pytest.mark.parametrize("text", ["5", "d", "5 days", "-5d", "5.5d", "5D", "1d2h", "٥d", "9999999d"])
def test_anything_else_is_no_duration(text: str):
    with pytest.raises(ValueError, match=re.escape(text)):
        config.duration(text)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("business.sender", '"Reyes, Dana" <Dana@Bluedoor.EXAMPLE>', None),
        (
            "business.sender",
            "'\"Reyes, Dana\" <Dana@Bluedoor.EXAMPLE>'",
            Address(name="Reyes, Dana", address="Dana@bluedoor.example"),
        ),
        ("business.sender", "José Peña <jose@bluedoor.example>", Address(name="José Peña", address="jose@bluedoor.example")),
        ("business.sender", "dana@bluedoor.example", None),
        ("business.sender", "Dana <dana@>", None),
        ("business.sender", "Dana <dana@blue..door>", None),
        ("business.sender", "Dana <dana@a.example>, Eva <eva@a.example>", None),
        ("business.sender", '"Dana\\r\\nBcc: <x@y.example>"', None),
        ("business.name", '"  Bluedoor   Studio "', "Bluedoor Studio"),
        ("business.name", '"a\\nb"', None),
        ("business.name", "[a]", None),
        ("business.timezone", "America/New_York", "America/New_York"),
        ("business.timezone", "Europe", None),
        ("business.timezone", "../../etc/passwd", None),
        ("business.timezone", "Springfield", None),
        ("business.country", "es", "ES"),
        ("business.country", "Spain", None),
        ("business.languages", "[es]", ("es",)),
        ("business.languages", "[es, es, en]", ("es", "en")),
        ("business.languages", "[]", None),
        ("business.languages", "[en, fr]", None),
        ("business.reschedule_url", '""', ""),
        ("business.reschedule_url", "https://a.example/book?x=1#y", "https://a.example/book?x=1#y"),
        ("business.reschedule_url", "a.example/book", None),
        ("business.reschedule_url", "javascript:alert(1)", None),
        ("business.reschedule_url", "https://", None),
        ("inbox.start", "all", "all"),
        ("inbox.start", "2026-11-01", date(2026, 11, 1)),
        ("inbox.start", "2026-02-30", None),
        ("inbox.start", "yesterday", None),
        ("inbox.idle", "no", False),
        ("inbox.idle", "True", True),
        ("inbox.idle", "maybe", None),
        ("inbox.poll_every", "1s", None),
        ("inbox.poll_every", "2d", None),
        ("inbox.own_addresses", "[a@b.example]", (Address(address="a@b.example"),)),
        ("inbox.own_addresses", "a@b.example", None),
        ("inbox.own_addresses", "[nobody]", None),
        ("inbox.trusted_authserv", "[mx.example.com]", ("mx.example.com",)),
        ("outbox.sure_at", "1", 1.0),
        ("outbox.sure_at", "0.49", None),
        ("outbox.sure_at", "nan", None),
        ("outbox.acknowledgments", "review", "review"),
        ("outbox.acknowledgments", "always", None),
        ("follow_ups.quiet_hours", '"20:30-08:15"', (time(20, 30), time(8, 15))),
        ("follow_ups.quiet_hours", "20:30 - 08:15", (time(20, 30), time(8, 15))),
        ("follow_ups.quiet_hours", "09:00-09:00", None),
        ("follow_ups.quiet_hours", "25:00-09:00", None),
        ("follow_ups.quiet_hours", "9-18", None),
        ("follow_ups.days", "mon-fri", frozenset({0, 1, 2, 3, 4})),
        ("follow_ups.days", "[mon, tue]", frozenset({0, 1})),
        ("follow_ups.days", "[mon-wed, sun]", frozenset({0, 1, 2, 6})),
        ("follow_ups.days", "Sat-Mon", frozenset({5, 6, 0})),
        ("follow_ups.days", "mon, wed", frozenset({0, 2})),
        ("follow_ups.days", "weekdays", None),
        ("follow_ups.days", '""', None),
        ("follow_ups.days", "[]", None),
        ("follow_ups.max_touches", "0", 0),
        ("follow_ups.max_touches", "-1", None),
        ("follow_ups.max_touches", "3.5", None),
        ("privacy.keep_raw", "0d", None),
    ],
)
def test_each_key_takes_what_it_means_and_nothing_else(tmp_path: Path, key: str, value: str, wanted: object):
    path = tmp_path / "config.yaml"
    path.write_text(instead(key, value), encoding="utf-8")
    block, _, name = key.partition(".")
    if wanted is None:
        with pytest.raises(ConfigError) as caught:
            config.load(path)
        assert len(caught.value.problems) == 1
        assert "config.yaml:" in str(caught.value)
    else:
        assert getattr(getattr(config.load(path), block), name) == wanted


def test_the_steps_of_a_track_come_one_after_the_other(mistakes):
    (mistake,) = mistakes(SMALLEST + "follow_ups: {tracks: {price: [{after: 5d, template: a}, {after: 2d, template: b}]}}\n")
    assert "follow_ups.tracks.price: expected each step later than the one before it" in mistake


def test_a_track_may_be_named_by_a_sub_reason(read):
    found = read(SMALLEST + "follow_ups: {tracks: {still_comparing: [{after: 2w, template: compare_1, own_date: yes}]}}\n")
    steps = found.rules().follow_ups.tracks["still_comparing"]
    assert steps == (Touch(after=timedelta(weeks=2), template="compare_1", own_date=True),)


@pytest.mark.parametrize("template", ["../secret", "Price 1", "price_1.txt", "en/price_1"])
def test_a_template_is_named_without_folder_and_ending(mistakes, template: str):
    (mistake,) = mistakes(SMALLEST + f"follow_ups: {{tracks: {{price: [{{after: 5d, template: '{template}'}}]}}}}\n")
    assert "the name of a text, without folder and .txt" in mistake


POLICY = """\
policy:
  currency: eur
  notice: 48h
  fees: [{within: 24h, percent: 50}, {within: 2h, amount: 25.50}]
  minimum: 10
  cap: 100%
  deposit: {percent: 20, within: 30d}
  refunds: [{within: 24h, percent: 50}]
  costs: covered
  grace: 1
  exceptions: [illness]
  relief: {new_date: no, credit: 40}
  packages: {ten: {sessions: 10, price: 400, extend: 10m}}
"""


def test_a_policy_says_what_is_charged_and_given_back(read):
    policy = read(SMALLEST + POLICY).cancelling()
    assert policy == records.Policy(
        currency="EUR",
        notice=timedelta(days=2),
        fees=(
            records.Charge(percent=Decimal(50), within=timedelta(days=1)),
            records.Charge(amount=Decimal("25.50"), within=timedelta(hours=2)),
        ),
        minimum=records.Charge(amount=Decimal("10.00")),
        cap=records.Charge(percent=Decimal(100)),
        deposit=records.Charge(percent=Decimal(20), within=timedelta(days=30)),
        refunds=(records.Charge(percent=Decimal(50), within=timedelta(days=1)),),
        costs=records.Costs.COVERED,
        grace=1,
        exceptions=frozenset({"illness"}),
        new_date=False,
        credit=Decimal(40),
        packages={"ten": records.Package(sessions=10, price=Decimal("400.00"), extend=timedelta(minutes=10))},
    )


def test_without_a_policy_nothing_costs_anything(read):
    assert read(SMALLEST).cancelling() == records.Policy()


def test_amounts_have_the_decimals_of_their_currency(read):
    minimum = read(SMALLEST + "policy: {currency: JPY, minimum: 99.5}\n").cancelling().minimum
    assert str(minimum.amount) == "100"


def test_without_a_notice_the_earliest_fee_says_what_is_late(read):
    fees = "[{within: 2h, percent: 100}, {within: 3d, percent: 50}]"
    assert read(SMALLEST + f"policy: {{currency: USD, fees: {fees}}}\n").cancelling().notice == timedelta(days=3)


def test_the_shipped_policy_costs_nothing_and_says_so():
    shipped = config.load(SHIPPED).cancelling()
    assert (shipped.fees, shipped.refunds, shipped.deposit, shipped.grace) == ((), (), None, 1)
    assert (shipped.new_date, shipped.credit) == (True, Decimal(50))


@pytest.mark.parametrize(
    ("rules", "mistake"),
    [
        ("refunds: [{within: 1d, percent: 50, amount: 10}]", "refunds.0.amount: expected either percent or amount"),
        (
            "fees: [{within: 1d, percent: 50}]",
            "currency: missing: say in which currency your prices are, such as currency: EUR",
        ),
        ("packages: {ten: {sessions: 10, price: 9}}, notice: 1d", "currency: missing"),
        ("costs: added", "currency: missing"),
        ("currency: euro", "currency: expected a currency as three letters, such as EUR; got 'euro'"),
        ("notice: soon", "notice: expected a duration from 0s to 24mo"),
        ("minimum: some", "minimum: expected an amount such as 25.00, or a share of the price such as 100%; got 'some'"),
        ("cap: 101%", "cap: expected an amount such as 25.00, or a share of the price such as 100%; got '101%'"),
        ("cap: -5", "cap: expected an amount"),
        (
            "cap: {percent: 50}",
            "cap: expected an amount such as 25.00, or a share of the price such as 100%; got a block of keys",
        ),
        ("currency: EUR, minimum: 20, cap: 15", "cap: expected a cap that is not below the minimum; got '15'"),
        ("costs: mine", "costs: expected ours, covered or added, such as ours; got 'mine'"),
        ("deposit: {within: 3d}", "deposit.amount: expected either percent or amount, such as percent: 50"),
        ("exceptions: [ilness]", "exceptions.0: unknown exception: did you mean illness?; got 'ilness'"),
        ("relief: {credit: 150}", "relief.credit: expected a number from 0 to 100, such as 50; got '150'"),
        ("relief: {refund: 50}", "relief.refund: unknown key: expected one of credit, new_date"),
        ("packages: {ten: {price: 9}}", "packages.ten.sessions: missing, such as sessions: 10"),
        (
            "packages: {ten: {sessions: 2, forfeit: 3}}",
            "packages.ten.forfeit: expected no more than the 2 sessions of the package",
        ),
        ("packages: {ten: {sessions: 2}}", "packages: nothing says when a session is called off too late: add a notice"),
        (
            "currency: EUR, notice: 24h, fees: [{within: 3d, percent: 50}]",
            "fees: who keeps to the notice loses nothing: expected `within` up to the notice of 24 hours, or a longer notice",
        ),
        (
            "currency: EUR, fees: [{within: 3d, percent: 50}, {within: 1d, percent: 20}]",
            "fees: expected a row nearer to the appointment to have more than the one before it",
        ),
        (
            "currency: EUR, refunds: [{within: 3d, amount: 5}, {within: 1d, amount: 6}]",
            "refunds: expected a row nearer to the appointment to have less than the one before it",
        ),
        (
            "currency: EUR, fees: [{within: 24h, percent: 50}, {within: 1d, amount: 9}]",
            "fees: expected each `within` once: two rows have the same",
        ),
        (
            "currency: EUR, notice: 3d, deposit: {percent: 20, within: 1d}",
            "deposit: would be given back when a cancellation is late already: expected `within` of 3 days or more",
        ),
    ],
)
def test_every_mistake_in_the_policy_is_told_in_one_sentence(mistakes, rules: str, mistake: str):
    (told,) = mistakes(SMALLEST + f"policy: {{{rules}}}\n")
    assert told.startswith(f"config.yaml:9: policy.{mistake}")


@pytest.mark.parametrize("preset", sorted((SHIPPED.parent / "presets").glob("*.yaml")), ids=lambda preset: preset.stem)
def test_a_preset_is_a_policy_block_that_can_be_used_as_it_is(read, preset: Path):
    text = preset.read_text(encoding="utf-8")
    policy = read(SMALLEST + text).cancelling()
    assert policy.exceptions >= {"illness", "bereavement", "emergency"}
    assert re.findall(r"^(\w+):", text, re.M) == ["policy"]
    assert "https://" in text or "http://" in text, "name a source, or say that there is none"


def test_the_rules_of_the_core_say_who_we_are(read):
    rules = read(
        instead("business.sender", "Dana Reyes <Dana@Bluedoor.example>")
        .replace("maildir:inbox", "imaps://Office%40bluedoor.example@mail.example\n  password: {env: X}")
        .replace("delivery:", "  own_addresses: [Info@Bluedoor.example]\n  trusted_authserv: [MX.example]\ndelivery:")
    ).rules()
    assert rules.own_addresses == {"dana@bluedoor.example", "office@bluedoor.example", "info@bluedoor.example"}
    assert rules.trusted_authserv == {"mx.example"}
    assert rules.business.domain == "bluedoor.example"
    assert rules.business.timezone == "Europe/Madrid"


def test_a_login_that_is_no_address_is_none_of_ours(read):
    text = instead("inbox.url", "imaps://dana@mail.example\n  password: {env: X}")
    assert read(text).rules().own_addresses == {"dana@bluedoor.example"}


def test_the_rules_of_the_core_say_when_follow_ups_may_go(read):
    rules = read(SMALLEST + "follow_ups: {quiet_hours: 20:00-08:30, days: [sat], max_touches: 1}\n").rules().follow_ups
    assert (rules.quiet_from, rules.quiet_to, rules.days, rules.max_touches) == (time(20), time(8, 30), {5}, 1)


def test_each_referred_template_is_told_with_the_line_and_the_key_that_name_it(read):
    text = (
        SMALLEST
        + "follow_ups: {tracks: {price: [{after: 5d, template: a},\n  {after: 9d, template: b}],"
        + " other: [{after: 5d, template: a}]}}\n"
    )
    first = SMALLEST.count("\n") + 1
    assert read(text).referred_templates() == {
        "a": f"config.yaml:{first}: follow_ups.tracks.price.0.template",
        "b": f"config.yaml:{first + 1}: follow_ups.tracks.price.1.template",
    }


def test_a_template_that_nobody_wrote_down_has_no_line(read):
    assert all(key.startswith("follow_ups.") for key in read(SMALLEST).referred_templates().values())


def test_the_configuration_can_not_be_changed(read):
    with pytest.raises(ValueError, match="frozen"):
        read(SMALLEST).business.name = "Someone else"


def test_sub_reasons_are_those_of_the_training_corpus():
    rules = (SHIPPED.parent / "models" / "corpus" / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"^Sub-reasons: `([^`]+)`", rules, re.M)
    assert listed
    reasons = {"price", "service", "timing", "not_ready", "other", "unspecified"}
    assert set(listed[1].split()) | reasons == config.TRACKS


def test_reading_opens_that_file_and_nothing_else(read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    read(SMALLEST)  # the time zone data is read once, and is no part of the site
    opened: list[str] = []
    really = io.open

    def noted(file, *args, **kwargs):
        opened.append(str(file))
        return really(file, *args, **kwargs)

    def refused(*args, **kwargs):
        raise AssertionError("the network is not for reading a file")

    monkeypatch.setattr(io, "open", noted)
    monkeypatch.setattr(builtins, "open", noted)
    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(os, "mkdir", refused)
    read(instead("inbox.url", "imaps://dana@mail.example\n  password: {file: secret}"))
    assert set(opened) <= {str(tmp_path / "config.yaml")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


@settings(deadline=None)
@given(st.text(alphabet="ab01:-{}[]!&*#'\"\n\t @%/\\.,?|>~<é\x00\u2028", max_size=60))
def test_whatever_stands_in_the_file_is_read_or_told_in_sentences(tmp_path_factory: pytest.TempPathFactory, noise: str):
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    for text in (noise, instead("inbox.url", noise), instead("inbox.password", noise), instead("follow_ups.days", noise)):
        path.write_text(text, encoding="utf-8")
        try:
            config.load(path)
        except ConfigError as error:
            assert error.problems
            assert all(re.match(r"config\.yaml:\d+: ", problem) for problem in error.problems)


AROUND = SMALLEST + "appointments:\n"


def test_what_happens_around_appointments_is_configured(read, tmp_path: Path):
    found = read(
        AROUND + "  calendar: kept.ics\n  no_show: send\n  no_show_within: 30m\n  prepare_before: 3d\n  tools: [Cal.com]\n"
        "  content:\n    any: first\n    services: {Deep Massage: massage}\n"
    )
    assert found.appointments.calendar == tmp_path / "kept.ics"
    assert found.rules().appointments == AppointmentRules(
        no_show="send",
        no_show_within=timedelta(minutes=30),
        prepare_before=timedelta(days=3),
        content={"": "first", "deep massage": "massage"},
        tools=frozenset({"cal.com"}),
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no_show: perhaps", "appointments.no_show: expected review or send, such as review; got 'perhaps'"),
        ("prepare_before: 1h", "appointments.prepare_before: expected a duration from 4h to 6mo"),
        ("tools: [calendly]", "appointments.tools.0: expected a domain such as calendly.com; got 'calendly'"),
        ("content: {any: ../secret}", "appointments.content.any: expected the name of a piece"),
        ("calender: a.ics", "appointments.calender: unknown key: did you mean calendar?"),
    ],
)
def test_a_mistake_around_appointments_is_named(read, line: str, problem: str):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read(f"{AROUND}  {line}\n")


def sleeping(country: str, **keys: str) -> str:
    words = ", ".join(f"{key}: {value}" for key, value in {"rhythm": "[3mo, 12mo]", **keys}.items())
    return instead("business.country", country) + f"follow_ups:\n  hibernation: {{{words}}}\n"


def test_greetings_come_where_no_consent_is_needed_or_the_business_says_so(read):
    def after(text: str) -> list[int]:
        return [touch.after.days for touch in read(text).rules().follow_ups.greetings]

    assert after(sleeping("US")) == [91, 365]
    assert after(sleeping("ES")) == []
    assert after(sleeping("ES", greetings="always")) == [91, 365]
    assert after(sleeping("US", greetings="never")) == []


def test_a_rhythm_that_runs_backwards_is_refused(read):
    with pytest.raises(ConfigError, match=r"hibernation\.rhythm: expected each time longer than the one before it"):
        read(sleeping("US", rhythm="[12mo, 3mo]"))


def test_the_policy_is_among_the_rules(read):
    assert config.load(SHIPPED).rules().policy == config.load(SHIPPED).cancelling()


def test_letters_to_the_owner_are_off_unless_they_are_asked_for(read):
    assert read(SMALLEST).letters().weekly == "never"
    assert config.load(SHIPPED).letters().weekly == "never"


def test_the_owners_address_is_an_own_one_once_letters_go_there(read):
    told = read(SMALLEST + "report: {weekly: send, day: Fri, to: Boss@Home.example}\n")
    letters = told.letters()
    assert (letters.weekly, letters.day, letters.to) == ("send", 4, Address(name="", address="Boss@home.example"))
    assert "boss@home.example" in (told.rules().own_addresses or ())
    assert "boss@home.example" not in (read(SMALLEST + "report: {to: boss@home.example}\n").rules().own_addresses or ())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("weekly: often", "report.weekly: expected review, send or never, such as review; got 'often'"),
        ("day: someday", "report.day: expected a weekday such as mon; got 'someday'"),
        ("to: nobody", "report.to: expected an address such as"),
    ],
)
def test_a_mistake_about_letters_is_told(mistakes, line: str, told: str):
    (problem,) = mistakes(f"{SMALLEST}report: {{{line}}}\n")
    assert told in problem
