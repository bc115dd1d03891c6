"""Write docs/store.md from the tables themselves, so that it can't be out of date. `make docs` calls it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from pipeline.store.schema import STATES, metadata

_HEAD = """# The store

Every table, column and state. This page is written by `make docs` from `pipeline/store/schema.py`; a test compares the two.
Times are UTC as ISO 8601 text. What each `state` of a row means is told with its table.
"""


def describe() -> str:
    """The whole page as Markdown."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return _HEAD + "".join(part for table in tables for part in _table(table))


def _table(table: sa.Table) -> Iterator[str]:
    yield f"\n## {table.name}\n\n{table.comment}\n\n| column | kind | what it holds |\n|---|---|---|\n"
    for column in table.columns:
        yield f"| `{column.name}` | {_kind(column)} | {column.comment or ''} |\n"
    if table.name in STATES:
        yield "\n| state | meaning |\n|---|---|\n"
        yield from (f"| `{state}` | {meaning} |\n" for state, meaning in STATES[table.name].items())


def _kind(column: sa.Column[object]) -> str:
    kind = str(type(column.type).__name__).lower().replace("utctime", "time").replace("largebinary", "bytes")
    marks = [mark for applies, mark in ((column.primary_key, "key"), (not column.nullable, "always")) if applies]
    return ", ".join([kind, *marks[:1]])


if __name__ == "__main__":
    print(describe(), end="")
