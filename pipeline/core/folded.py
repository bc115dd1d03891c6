"""Texts as they are compared: in small letters and without accents, every character in its place."""

from __future__ import annotations

import string

# One character for one character, so that places in the folded text are places in the customer's.
_FOLD = str.maketrans(
    string.ascii_uppercase + "ÁÀÄÂÉÈËÊÍÌÏÎÓÒÖÔÚÙÜÛÑáàäâéèëêíìïîóòöôúùüûñ’",
    string.ascii_lowercase + "aaaaeeeeiiiioooouuuunaaaaeeeeiiiioooouuuun'",
)


def fold(text: str) -> str:
    """The text in small letters, without accents; as long as it was."""
    return text.translate(_FOLD)
