"""Show how far long work is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


@contextmanager
def shown(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what tells of progress: (what is being done, how many steps are done, how many there are). Writes to stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda doing, done, total: progress.update(task, description=doing, completed=done, total=total)


def _lines(console: Console) -> Callable[[str, int, int], None]:
    said: list[str] = []

    def tell(doing: str, done: int, total: int) -> None:
        if doing not in said[-1:]:
            said.append(doing)
            console.print(f"{doing} ({done}/{total})", markup=False, highlight=False)

    return tell
