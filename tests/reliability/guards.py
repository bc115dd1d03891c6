"""Every guard of the product, how it is taken out, and the tests that must miss it. Changes a copy, never the product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fakes import ROOT

COPIED = ("pipeline", "tests", "templates", "samples", "presets", "config.yaml", "pyproject.toml")
LINKED = ("models", "docs", "README.md", "CHANGELOG.md")


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A guard: what stands in which file, what stands there without it, and who notices."""

    name: str
    file: str
    is_now: str
    without: str
    tests: tuple[str, ...]


def _guard(name: str, file: str, is_now: str, without: str, *tests: str) -> Guard:
    return Guard(name=name, file=f"pipeline/{file}", is_now=is_now, without=without, tests=tests)


SENDS, SCREEN, DECIDE = "store/sends.py", "core/screen.py", "core/decide.py"
STORE, SCREENED, DECIDED = "tests/store/test_sends.py", "tests/core/test_screen.py", "tests/core/test_decide.py"
INJECTED, STEERED = "tests/reliability/test_injection.py", "tests/reliability/test_steering.py"

# The rows of the screening table, without each of which something would be answered that must not be.
ROWS = (
    *("bounce", "loop", "own", "no_sender", "calendar", "feedback", "challenge", "receipt", "automatic", "list", "null_sender"),
    *("no_reply", "role", "no_recipient", "not_to_us", "spoofed", "spam", "deep_thread", "mailing", "suppressed"),
)

GUARDS = (
    # sending
    _guard("a lease that ran out", SENDS, "if row is None or row.lease_until <= now:", "if row is None:", STORE),
    _guard(
        "suppression before the dot",
        SENDS,
        "                self._cancel(connection, row, now)\n                return False\n",
        "                pass\n",
        STORE,
    ),
    _guard(
        "suppression at the claim",
        SENDS,
        "            self._cancel(connection, row, now)\n            return None\n",
        "            pass\n",
        STORE,
    ),
    _guard(
        "the stop switch before the dot",
        SENDS,
        "if _stopped(connection):\n                self._requeue",
        "if False:\n                self._requeue",
        STORE,
    ),
    _guard(
        "the stop switch at the claim",
        SENDS,
        "if _stopped(connection):\n                return []",
        "if False:\n                return []",
        STORE,
    ),
    _guard("a fence", SENDS, "send.c.key == mail.key, send.c.fence == mail.fence, send", "send.c.key == mail.key, send", STORE),
    _guard("the dot is never repeated", SENDS, 'if row.phase == "pre":', "if True:", STORE),
    _guard("the cap of an address", SENDS, "row.automatic and not letter", "False and not letter", STORE),
    _guard("the cap of a domain", SENDS, "caps.domain_hour, sa", "10**9, sa", STORE),
    _guard("the cap of an hour", SENDS, "caps.hour, others", "10**9, others", STORE),
    _guard("the cap of a day", SENDS, "caps.day, others", "10**9, others", STORE, "tests/reliability/test_clock.py"),
    _guard("the rest between touches", SENDS, "REST_BETWEEN_TOUCHES, 1, _", "timedelta(0), 1, _", STORE),
    _guard("the breaker", SENDS, "if row.automatic and not breaker", "if False and not breaker", "tests/store/test_breaker.py"),
    _guard("three times a usual hour", "store/breaker.py", "if lately < 3 * usual:", "if True:", "tests/store/test_breaker.py"),
    _guard(
        "dead addresses",
        "store/breaker.py",
        "if count > MOST_DEAD else None",
        "if False else None",
        "tests/store/test_breaker.py",
    ),
    _guard(
        "one mailbox under many tags",
        "core/records.py",
        "local.partition('+')[0] or local",
        "local",
        STORE,
        "tests/store/test_store.py",
        "tests/store/test_plans.py",
    ),
    _guard("a path of SMTP", "edges/smtp.py", "if not _PATH.fullmatch(address):", "if False:", "tests/edges/test_smtp.py"),
    # may we answer this?
    *(
        _guard(
            f"screening: {row}",
            SCREEN,
            f'    ("{row}", ',
            f'    ("{row}", lambda mail: False) if True else ("{row}", ',
            SCREENED,
        )
        for row in ROWS
    ),
    _guard(
        "whose word on the sender counts",
        SCREEN,
        'if "=" in server or server not in',
        'if "=" in server and server not in',
        SCREENED,
    ),
    _guard("comments in a server's word", SCREEN, 'if word == "(":', "if False:", SCREENED),
    _guard("Reply-To elsewhere", SCREEN, "all(_related(other.domain, sender.domain)", "all(True", SCREENED),
    _guard("an odd address", SCREEN, "not sender.address.isascii()", "False", SCREENED),
    _guard("doubt", DECIDE, '(screening.doubt is not None, screening.doubt or ""),', "", DECIDED),
    _guard("an unsure reading", DECIDE, "(verdict.confidence < rules.sure_at,", "(False,", DECIDED),
    _guard("once in a while", DECIDE, '(recent, f"this customer', '(False, f"this customer', DECIDED),
    _guard("once a conversation", DECIDE, '(history.answered_thread, "this', '(False, "this', DECIDED),
    _guard("trouble", DECIDE, "    (_is_sensitive, _answer_sensitive),  # playbook B7: fails closed\n", "", DECIDED),
    _guard("words said again and again", DECIDE, "(_repeats_itself(message),", "(False,", DECIDED),
    # hostile input
    _guard(
        "time to read",
        "edges/children.py",
        "ITIMER_REAL, setup.seconds)",
        "ITIMER_REAL, 0)",
        "tests/edges/test_reader.py::test_a_bomb_costs_itself_alone",
    ),
    _guard("hidden words", "core/parse.py", 'r"display:none|', 'r"', f"{STEERED}::test_hidden_words_start_no_answer"),
    _guard(
        "white on white",
        "core/parse.py",
        "self._colours and frame.faint",
        "False",
        f"{STEERED}::test_hidden_words_start_no_answer",
    ),
    _guard("two readings of From", "core/parse.py", "if second != {sender.key}:", "if False:", "tests/core/test_parse.py"),
    _guard(
        "what a server says is not decoded",
        "core/parse.py",
        "value if name in _UNDECODED else",
        "value if False else",
        "tests/core/test_parse.py",
    ),
    _guard("headers that are too long", "core/parse.py", "if total > MAX_HEADERS:", "if False:", "tests/core/test_parse.py"),
    _guard("names of nobody", "core/compose.py", " or first.lower() in _NOBODY", "", "tests/reliability/test_names.py"),
    _guard(
        "letters that look like others", "core/compose.py", "or not _one_script(first)", "", "tests/reliability/test_names.py"
    ),
    _guard("claims and offers", "core/tone.py", "        if found:\n", "        if False:\n", "tests/core/test_tone.py"),
    _guard(
        "values are no templates",
        "edges/templates.py",
        'return value.replace("{", _BRACE)',
        "return value",
        "tests/edges/test_templates.py",
    ),
    _guard(
        "a folder of IMAP",
        "edges/imap.py",
        "if _CONTROL.search(user + folder):",
        "if False:",
        INJECTED,
        "tests/edges/test_imap.py",
    ),
    _guard(
        "the reps' folder is read for plain files alone",
        "edges/outbox.py",
        "if not stat.S_ISREG(os.fstat(descriptor).st_mode)",
        "if False",
        "tests/edges/test_outbox.py",
    ),
    _guard(
        "files still being saved",
        "edges/outbox.py",
        "abs(now.timestamp() - status.st_mtime) < QUIET",
        "False",
        "tests/edges/test_outbox.py",
    ),
    _guard(
        "two versions of a draft", "edges/outbox.py", "if _CONFLICT.search(name):", "if False:", "tests/edges/test_outbox.py"
    ),
    _guard("more than one key", "edges/outbox.py", "if len(keys) != 1:", "if not keys:", "tests/edges/test_outbox.py"),
)

QUICK = ("suppression before the dot", "the cap of an address", "screening: automatic", "whose word on the sender counts")


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the product and its tests that may be changed."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        folder.mkdir()
        for each in COPIED:
            source = ROOT / each
            if source.is_dir():
                shutil.copytree(source, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / each)
        for each in LINKED:
            (folder / each).symlink_to(ROOT / each)
        yield folder


def missed(guard: Guard, folder: Path) -> str:
    """Take the guard out of the copy for a while and run its tests: "" if one of them fails, else what is wrong."""
    path = folder / guard.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(guard.is_now) != 1:
        return f"{guard.name}: stands {whole.count(guard.is_now)} times in {guard.file}"
    path.write_text(whole.replace(guard.is_now, guard.without), encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *guard.tests]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode == 1:
        return ""
    return f"{guard.name}: nobody misses it ({done.stdout[-300:]})"
