"""The resident memory of this process and of the children it has now."""

from __future__ import annotations

from pathlib import Path


def children() -> list[str]:
    """The process numbers of the children."""
    return [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]


def peak_megabytes() -> float:
    """The most so far, in MB; VmHWM, since ru_maxrss begins at the size of the parent. Shared pages count twice."""
    return sum(_of(pid, "VmHWM", "status") for pid in ("self", *children()))


def resident_megabytes() -> float:
    """What is resident now, in MB, pages that several of them share counted once (PSS)."""
    return sum(_of(pid, "Pss", "smaps_rollup") for pid in ("self", *children()))


def _of(pid: str, name: str, file: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
