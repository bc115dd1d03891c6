"""Sites that commit all the time live in memory: a kill loses nothing that the kernel has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reliability.world import quick_folder


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is one."""
    with quick_folder() as folder:
        yield folder
