"""The clock, the stop file and the disk: the small outside things that a site asks about."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def free_space(folder: Path) -> int:
    """Bytes left on the disk of a folder; 0 when that can't be found out."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def stop_file_there(path: Path) -> bool:
    """Whether the stop file is there. A folder that can't be looked into counts as stopped: fail closed (C7)."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
