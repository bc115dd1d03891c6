"""Bring the tables of an earlier version to this one's, by the migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from pipeline.errors import StoreBroken
from pipeline.store.database import Database


def upgrade(database: Database, before: str | None) -> None:
    """Bring the tables from revision `before` (None: there are none) to the newest. Raises StoreBroken if it is unknown."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before and before not in known:
        raise StoreBroken(
            f"{database.path}: the store was written by a newer winback (revision {before}). "
            "Install that version again, or restore a copy from before the upgrade"
        )
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
