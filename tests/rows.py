"""What lies in the store, for tests that look behind what the product shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.store import Store
from pipeline.store.schema import step


def steps_of(store: Store, key: str) -> Sequence[sa.Row[Any]]:
    """All steps of a case, in order."""
    with store.database.reading() as connection:
        return connection.execute(sa.select(step).where(step.c.case == key).order_by(step.c.number)).all()
