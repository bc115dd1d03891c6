"""The numbers and keys of all granted dots, in a file beside the store that knows more than an old copy of the store."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LINE = re.compile(r"(\d+) (\S+)\n")


class Journal:
    """Append-only. A line is written after the commit that grants a dot and before the dot itself.

    So a store that knows less than this file is an older copy, and the mails that it does not know of went out, or may have.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, number: int, key: str) -> None:
        """Write down a granted dot, and return when it is on the disk. Raises OSError when it can't be."""
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            # Half a line of a crash stays as it is: its dot was never written.
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            line = f"{number} {key}\n".encode()
            os.write(descriptor, b"\n" + line if torn else line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync(self.path.parent)

    def read(self) -> dict[int, str]:
        """Every dot that was written down, by its number. Raises OSError when the file is there and can't be read."""
        try:
            text = self.path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return {}
        return {int(number): key for number, key in _LINE.findall(text)}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
