"""The peak of resident memory of this process and of the children it has now."""

from __future__ import annotations

from pathlib import Path


def peak_megabytes() -> float:
    """In MB; VmHWM, since ru_maxrss begins at the size of the parent."""
    children = Path("/proc/self/task").glob("*/children")
    pids = ["self", *(pid for path in children for pid in path.read_text().split())]
    return sum(_peak(pid) for pid in pids)


def _peak(pid: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
