"""What tests measured, printed in a table at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

Figures = Callable[..., None]
MEASURED = pytest.StashKey[list[tuple[str, str]]]()


def teller(config: pytest.Config) -> Figures:
    """A function that takes what was done, and the figures by their names."""

    def tell(what: str, **figures: object) -> None:
        told = ", ".join(f"{_short(value)} {name.replace('_', ' ')}" for name, value in figures.items())
        config.stash.setdefault(MEASURED, []).append((what, told))

    return tell


def _short(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """The rows as lines, the second column aligned."""
    width = max((len(what) for what, _ in rows), default=0)
    return [f"{what:{width}}  {told}" for what, told in rows]
