"""A store that an earlier version wrote comes along with everything in it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from pipeline.store import Database, migrate, open_store
from pipeline.store.schema import REVISION

MIGRATIONS = Path(__file__).parents[2] / "pipeline" / "store" / "migrations"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def written_at(path: Path, revision: str, *statements: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    database = Database(path)
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in statements:
            connection.execute(sa.text(statement))
    database.close()


def test_mails_stay_readable_when_they_move_into_a_table_of_their_own(tmp_path: Path):
    columns = "key, folder, epoch, uid, arrived, taken, raw, old, whole, state"
    times = "'2026-11-20T10:00:00.000000+00:00', '2026-11-20T10:00:00.000000+00:00'"
    written_at(
        tmp_path / "old.db",
        "0001",
        f"INSERT INTO message ({columns}) VALUES ('a', 'f', '1', '7', {times}, x'41', 0, 1, 'received')",
        f"INSERT INTO message ({columns}) VALUES ('b', 'f', '1', '8', {times}, NULL, 0, 1, 'decided')",
    )
    store = open_store(tmp_path / "old.db", NOW)
    (mail,) = store.intake.received(10)
    assert (mail.key, mail.data) == ("a", b"A")
    assert store.intake.raw("b") is None
    store.close()


def test_the_tables_are_those_of_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


LOADED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.store import open_store
open_store(Path(sys.argv[1]), datetime(2026, 11, 23, 10, tzinfo=UTC)).close()
print("alembic" in sys.modules)
"""


def test_only_a_store_of_another_version_loads_the_migrations(tmp_path: Path):
    first, second = (
        subprocess.run([sys.executable, "-c", LOADED, str(tmp_path / "new.db")], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert (first.stdout.strip(), second.stdout.strip()) == ("True", "False")


def test_a_store_of_this_version_is_left_as_it_is(tmp_path: Path):
    open_store(tmp_path / "new.db", NOW).close()
    database = Database(tmp_path / "new.db")
    before, after = migrate(database)
    assert before == after
    database.close()
