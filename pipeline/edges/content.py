"""The pieces that help customers to prepare for an appointment: plain texts, put into a mail as they are."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import TextRefused

LARGEST = 4_000  # bytes: a mail that is read before an appointment is short


class Content:
    """A folder with `en/NAME.txt` and `es/NAME.txt`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, language: str) -> str:
        """The piece of this name. Raises TextRefused, naming the file, when there is none or it can't be used."""
        path = self._folder / language / f"{name}.txt"
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise TextRefused(
                f"{path}: there is no such piece: write it, or name another under appointments.content"
            ) from error
        except OSError as error:
            raise TextRefused(f"{path}: can't be read: {error.strerror}") from error
        if len(data) > LARGEST:
            raise TextRefused(f"{path}: is {len(data)} bytes long: a piece has at most {LARGEST}")
        try:
            text = data.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise TextRefused(f"{path}: is not UTF-8 text: save the file as UTF-8") from error
        if not text:
            raise TextRefused(f"{path}: is empty: write something useful, or take it out of appointments.content")
        return text
