"""The folders show which way the data flows: no import points back, and the core reaches for nothing outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pipeline"

# From the ground up. A module imports only from lines above its own; modules of one line do not import each other,
# except inside `store`, which is one room.
LAYERS = (
    ("pipeline.errors",),
    ("pipeline.core.records", "pipeline.core.folded", "pipeline.core.languages", "pipeline.core.phrases"),
    (
        "pipeline.core.figures",
        "pipeline.core.purposes",
        "pipeline.core.silence",
        "pipeline.core.stated",
        "pipeline.core.trouble",
    ),
    ("pipeline.core.cues",),
    ("pipeline.core.*",),
    ("pipeline.core.slots",),
    ("pipeline.core.around", "pipeline.core.report_words"),
    ("pipeline.core.flow",),
    ("pipeline.store.*",),
    ("pipeline.edges.children", "pipeline.edges.model", "pipeline.edges.tls"),
    ("pipeline.edges.*",),
    ("pipeline.progress",),
    ("pipeline.train_days", "pipeline.train_ridge", "pipeline.train_sentences", "pipeline.evaluate.labels"),
    ("pipeline.train",),
    ("pipeline.evaluate.measures", "pipeline.evaluate.alike"),
    ("pipeline.evaluate.judging", "pipeline.evaluate.tables", "pipeline.evaluate.plots", "pipeline.gate"),
    ("pipeline.evaluate.mails", "pipeline.evaluate.others"),
    ("pipeline.evaluate.files",),
    ("pipeline.evaluate.report", "pipeline.evaluate.run", "pipeline.evaluate.card"),
    ("pipeline.evaluate.page", "pipeline.evaluate.__main__"),
    ("pipeline.config",),
    ("pipeline.site",),
    ("pipeline.jobs",),
    ("pipeline.gestures", "pipeline.moments"),
    ("pipeline.app",),
    ("pipeline.daemon",),
    ("pipeline.policy_page", "pipeline.preview", "pipeline.report_page"),
    (
        "pipeline.explain",
        "pipeline.learn",
        "pipeline.review",
        "pipeline.consent",
        "pipeline.check",
        "pipeline.demo",
        "pipeline.people",
    ),
    ("pipeline.cli",),
)

# Where the outside world begins. The core may compute with dates, but asks nobody what time it is.
FORBIDDEN_IN_CORE = frozenset(
    "os sys io pathlib shutil tempfile socket ssl select subprocess threading multiprocessing asyncio random secrets uuid time"
    " logging sqlite3 sqlalchemy alembic imapclient smtplib imaplib urllib http requests schedule filelock glob".split()
)
FORBIDDEN_CALLS = frozenset(("now", "utcnow", "today", "open", "input", "getenv", "print", "eval", "exec"))


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
ROOMS = ("pipeline", "pipeline.core", "pipeline.edges", "pipeline.evaluate")
CORE = [name for name in MODULES if name.startswith("pipeline.core")]


def layer(module: str) -> int:
    for number, names in enumerate(LAYERS):
        if module in names:
            return number
    for number, names in enumerate(LAYERS):
        if any(name.endswith(".*") and (module + ".").startswith(name[:-1]) for name in names):
            return number
    raise AssertionError(f"{module} has no layer: say in LAYERS where it belongs")


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in MODULES)


def same_room(module: str, other: str) -> bool:
    return module.startswith("pipeline.store") and other.startswith("pipeline.store")


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ROOMS])
def test_imports_point_one_way(module: str):
    ours = [name for name in imports(module) if name in MODULES and name not in ROOMS]
    wrong = [name for name in ours if layer(name) >= layer(module) and name != module and not same_room(module, name)]
    assert wrong == []


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_nothing_that_acts(module: str):
    assert [name for name in imports(module) if name.split(".")[0] in FORBIDDEN_IN_CORE] == []


@pytest.mark.parametrize("module", CORE)
def test_the_core_calls_neither_clock_nor_file(module: str):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert called & FORBIDDEN_CALLS == set()


def test_only_parse_knows_mailparser():
    assert [name for name in MODULES if "mailparser" in {found.split(".")[0] for found in imports(name)}] == [
        "pipeline.core.parse"
    ]


def test_only_the_store_knows_sql():
    users = {name for name in MODULES if {"sqlalchemy", "alembic", "sqlite3"} & {f.split(".")[0] for f in imports(name)}}
    assert all(name.startswith("pipeline.store") for name in users)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_ever_unpickled(module: str):
    pickles = {"pickle", "joblib", "dill", "cloudpickle", "marshal"}
    refuses_all_but_records = {"pickle"} if module == "pipeline.edges.children" else set()
    assert pickles & {name.split(".")[0] for name in imports(module)} <= refuses_all_but_records


@pytest.mark.parametrize("module", MODULES)
def test_every_module_opens_with_what_it_is_for(module: str):
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))


def test_the_daemon_never_imports_the_trainer():
    daemon = ("pipeline.daemon", "pipeline.app", "pipeline.site", "pipeline.jobs", "pipeline.gestures", "pipeline.moments")
    trainers = ("pipeline.train", "pipeline.evaluate", "pipeline.learn", "pipeline.gate")
    assert [name for module in daemon for name in imports(module) if name.startswith(trainers)] == []
