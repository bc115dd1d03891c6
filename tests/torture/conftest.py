"""As for the shorter tests of reliability."""

from __future__ import annotations

from reliability.conftest import tmp_path

__all__ = ["tmp_path"]
