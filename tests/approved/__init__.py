"""Texts that a person has read and found right; a test compares what is written today with them, word for word."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent


def approved(name: str, text: str) -> str:
    """The text that was approved under this name; with APPROVE=1 in the environment, the new text takes its place."""
    file = FOLDER / name
    if os.environ.get("APPROVE") == "1":
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")
