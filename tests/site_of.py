"""A site as an admin would make it: the shipped config.yaml, pointed at the servers of a test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def make_config(folder: Path, **values: str) -> Path:
    """Write a config.yaml into a folder: the shipped one with some keys changed.

    `inbox` and `delivery` are URLs; `password` is the name of the environment variable that holds both passwords; any
    other name is a key that stands in the file once: `acknowledgments="review"`.
    """
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    password = f"\n  password: {{env: {values.pop('password')}}}" if "password" in values else ""
    for key, was in (("inbox", "maildir:inbox"), ("delivery", "maildir:sent-mail")):
        if key in values:
            with_login = password if "@" in values[key] else ""
            text = text.replace(f"url: {was}", f"url: {values.pop(key)}{with_login}")
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^(\s+{key}:) [^#\n]*", rf"\1 {value} ", text, count=1)
        assert count == 1, f"no key {key} in config.yaml"
    text = text.replace("folder: templates ", f"folder: {ROOT / 'templates'} ")
    text = text.replace("folder: content\n", f"folder: {ROOT / 'content'}\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path
