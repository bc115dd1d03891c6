"""Keep the built model in its folder, and the one before it in a folder beside. Knows nothing of what models say."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import WinbackError

WEIGHTS, ABOUT = "model.npz", "model.json"
BEFORE = "previous"


def about(folder: Path) -> dict[str, Any] | None:
    """What model.json in the folder says, or None when there is none that can be read."""
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def put(folder: Path, said: Mapping[str, Any], weights: bytes) -> None:
    """Put a new model into the folder; the one that is there goes to `previous`. Raises WinbackError when it can't."""
    described = json.dumps({"sha256": hashlib.sha256(weights).hexdigest(), **said}, indent=1, sort_keys=True).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if about(folder) is not None:
            _write(folder / BEFORE, (folder / WEIGHTS).read_bytes(), (folder / ABOUT).read_bytes())
        _write(folder, weights, described)
    except OSError as error:
        raise WinbackError(f"{folder}: the model can't be written: {error.strerror or error}") from error


def back(folder: Path) -> bool:
    """Bring the previous model back; the present one goes. Without a previous one the folder holds none afterwards: False."""
    before = folder / BEFORE
    try:
        if about(before) is None:
            _remove(folder)
            return False
        _write(folder, (before / WEIGHTS).read_bytes(), (before / ABOUT).read_bytes())
        shutil.rmtree(before)
    except OSError as error:
        raise WinbackError(f"{folder}: the model can't be brought back: {error.strerror or error}") from error
    return True


def forget(folder: Path, mails: Collection[str]) -> bool:
    """Take away every model that has learnt from one of these mails (keys). Returns whether the present one went."""
    if _knows(folder / BEFORE, mails):
        shutil.rmtree(folder / BEFORE)
    if not _knows(folder, mails):
        return False
    back(folder)
    return True


def _knows(folder: Path, mails: Collection[str]) -> bool:
    said = about(folder) or {}
    return not set(mails).isdisjoint(said.get("lessons", ()))


def _write(folder: Path, weights: bytes, described: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # The weights first: a crash in between leaves a pair that does not match, and load refuses it.
    for name, content in ((WEIGHTS, weights), (ABOUT, described)):
        (folder / f"{name}.part").write_bytes(content)
        (folder / f"{name}.part").replace(folder / name)


def _remove(folder: Path) -> None:
    # The description first: without it the folder counts as empty.
    for name in (ABOUT, WEIGHTS):
        (folder / name).unlink(missing_ok=True)
