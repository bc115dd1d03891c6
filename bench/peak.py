"""The resident memory of this process and of the children it has now."""

from __future__ import annotations

from pathlib import Path


def children() -> list[str]:
    """The process numbers of the children."""
    return [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]


def peak_megabytes() -> float:
    """The most so far, in MB; VmHWM, since ru_maxrss begins at the size of the parent."""
    return _megabytes("VmHWM")


def resident_megabytes() -> float:
    """What is resident now, in MB."""
    return _megabytes("VmRSS")


def _megabytes(name: str) -> float:
    return sum(_of(pid, name) for pid in ("self", *children()))


def _of(pid: str, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)
