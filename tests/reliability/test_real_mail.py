"""The whole corpus of real mail through `winback explain`, as an admin would call it; scored against what people labelled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes import MONDAY, ROOT

from pipeline import app
from pipeline import explain as telling
from pipeline.config import load
from pipeline.core import flow
from pipeline.edges.reader import Reader

CORPUS = Path(os.environ.get("MAIL_CORPUS", ROOT / ".." / "shared" / "corpus" / "mime"))

# Kinds of mail that are never answered, by the tags of the corpus; of all other mail that must not be, one in a hundred may.
NEVER = {
    "bounce": {"bounce"},
    "automatic reply": {"auto_reply", "out_of_office"},
    "feedback report": {"feedback_report"},
    "receipt": {"read_receipt"},
    "own mail": {"own_mail"},
    "calendar": {"calendar_cancel", "calendar_decline", "calendar_accept", "calendar_other"},
    "list": {"list"},
}
LIMITS = {f"answered: {kind}": 0.0 for kind in NEVER} | {
    "answered: other": 0.01,
    "silenced": 0.03,
    "bounce missed": 0.02,
    "bounce invented": 0.003,
    "bounced address missed": 0.10,
    "words lost": 0.0,
    "given up": 0.0,
}
# What the corpus's own readers could not decode: controls, U+FFFD, and UTF-8 read as Latin-1.
MANGLED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]+|Â")


def holds(text: str, wanted: str) -> bool:
    """Whether a text holds these words; letters that the corpus itself lost may be anything."""
    text = " ".join(text.split())
    if " ".join(wanted.split()) in text:
        return True
    pieces = [re.escape(" ".join(piece.split())) for piece in MANGLED.split(wanted)]
    return len(pieces) > 1 and re.search(r"\s?.{0,3}\s?".join(pieces), text) is not None


def explained(groups: Mapping[tuple[str, ...], list[str]]) -> Iterator[dict[str, Any]]:
    """What the program says of these mails, grouped by the own addresses of their mailboxes.

    The bulk is that of unknown mailboxes: it goes through a process of its own. The others are a handful each.
    """
    command = [sys.executable, "-m", "pipeline.cli", "explain", "--json", "--own", "unknown", *groups[()]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    yield from map(json.loads, done.stdout.splitlines())
    config = load(ROOT / "config.yaml")
    model, texts = app.load_model(config), app.build_templates(config)
    with Reader(flow.read, workers=2) as reader:
        for own, paths in groups.items():
            if own:
                rules = telling.with_own(config.rules(), own)
                yield from telling.explain(telling.sources(paths, MONDAY), reader, model, rules, texts)


def errors(expected: dict[str, Any], tags: set[str], told: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Which figures a mail counts for, and whether it counts against them."""
    yield "given up", told["error"] is not None and "is empty" not in told["error"]
    for words in expected.get("text_contains") or ():
        yield "words lost", not holds(f"{told['text']}\n{told['quoted']}", words)
    if expected["may_auto_reply"] is False:
        for kind in [kind for kind, marks in NEVER.items() if marks & tags] or ["other"]:
            yield f"answered: {kind}", told["may_reply"]
    if expected["may_auto_reply"] is True:
        yield "silenced", not told["may_reply"]
    if expected.get("is_bounce") is not None:
        yield ("bounce missed", not told["is_bounce"]) if expected["is_bounce"] else ("bounce invented", told["is_bounce"])
    if expected.get("bounce_recipient"):
        yield "bounced address missed", {each.lower() for each in expected["bounce_recipient"]}.isdisjoint(told["bounced"])


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the corpus of real mail is not there ({CORPUS})")
def test_the_program_reads_every_real_mail_and_judges_it_as_people_did():
    entries, groups = dict[str, dict[str, Any]](), defaultdict[tuple[str, ...], list[str]](list)
    for line in (CORPUS / "manifest.jsonl").read_text(encoding="utf-8").strip().split("\n"):
        entry = json.loads(line)
        path = str(CORPUS / entry["path"])
        entries[path] = entry
        groups[tuple(entry.get("context", {}).get("own_addresses") or ())].append(path)
    counted, wrong, names = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    seen = list[str]()
    for told in explained(groups):
        entry = entries[told["path"]]
        seen.append(told["path"])
        for figure, is_wrong in errors(entry["expected"], set(entry["tags"]), told):
            counted[figure] += 1
            wrong[figure] += is_wrong
            names[figure] += [entry["path"]] * is_wrong
    assert sorted(seen) == sorted(entries)
    table = [f"{wrong[figure]:4} of {counted[figure]:4} {figure} {names[figure][:9]}" for figure in LIMITS]
    print("\n".join(table))
    assert all(wrong[figure] <= limit * counted[figure] for figure, limit in LIMITS.items()), "\n" + "\n".join(table)
