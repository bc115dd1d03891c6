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
    if before:
        refuse_newer(database.path, before)
    config = _migrations()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def refuse_newer(path: Path, revision: str) -> None:
    """Raise StoreBroken when no migration of this version leads to that revision."""
    if revision not in {script.revision for script in ScriptDirectory.from_config(_migrations()).walk_revisions()}:
        raise StoreBroken(
            f"{path}: the store was written by a newer winback (revision {revision}). "
            "Install that version again, or restore a copy from before the upgrade"
        )


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
