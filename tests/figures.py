"""What tests measured, printed in a table at the end of the run, in whatever process they ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

Figures = Callable[..., None]
FIGURE = "figure"


def teller(request: pytest.FixtureRequest) -> Figures:
    """A function that takes what was done, and the figures by their names; it may be called until the test ends."""

    def tell(what: str, **figures: object) -> None:
        told = ", ".join(f"{_short(value)} {name.replace('_', ' ')}" for name, value in figures.items())
        request.node.user_properties.append((FIGURE, [what, told]))

    return tell


class Table:
    """Collects the figures from the reports of all tests, and prints them."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test told, when it is over."""
        if report.when == "teardown":
            self._rows += [(what, told) for name, (what, told) in report.user_properties if name == FIGURE]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what was measured."""
        if self._rows:
            terminalreporter.section("figures")
            for line in table(self._rows):
                terminalreporter.write_line(line)


def _short(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """The rows as lines, the second column aligned."""
    width = max((len(what) for what, _ in rows), default=0)
    return [f"{what:{width}}  {told}" for what, told in rows]
