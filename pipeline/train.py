"""Build the model from the corpus. The daemon never imports this."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import Progress
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from pipeline.core.understand import joined
from pipeline.edges.model import EMBEDDED, Encoder, bundled_encoder, counted, features
from pipeline.errors import WinbackError

HEADS = ("intent", "reason", "subreason", "sensitive", "opt_out", "firm")
STRENGTH = {"words": 10.0, "full": 6.0}
MEANING = 4.0  # how much longer a sentence vector is than the words' unit vector
SEEN_IN = 2  # a feature counts if so many texts have it


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One labelled mail. `group` keeps what one hand wrote together."""

    text: str
    lang: str
    group: str
    labels: dict[str, str | None]
    hard: str | None = None


def read(corpus: Path) -> list[Example]:
    """The mails of a corpus folder, in a fixed order. Raises WinbackError when there are none or a line is broken."""
    found = []
    for path in sorted(corpus.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(_example(json.loads(line), path.stem))
            except (ValueError, KeyError) as error:
                raise WinbackError(f"{path}:{number}: is not a labelled mail ({error!r}): mend or remove the line") from error
    if not found:
        raise WinbackError(f"{corpus}: holds no labelled mails (*.jsonl): nothing to learn from")
    return found


def _example(mail: dict[str, Any], group: str) -> Example:
    cancel = mail["intent"] == "cancel"
    labels = {
        "intent": mail["intent"],
        "reason": mail["reason"] if cancel else None,
        "subreason": (mail["subreason"] or "none") if cancel else None,
        "sensitive": mail["sensitive"] or "none",
        "opt_out": "yes" if mail["opt_out"] else "no",
        "firm": "yes" if mail["firm"] else "no",
    }
    text = joined(mail["subject"], mail["text"])
    return Example(text=text, lang=mail["lang"], group=group, labels=labels, hard=mail["hard"])


def build(corpus: Path, out: Path, extra: Sequence[Example] = ()) -> str:
    """Learn from the mails in `corpus` and `extra`, write model.json and model.npz into `out`, and say so in a sentence."""
    examples = [*read(corpus), *extra]
    with Progress(transient=True) as progress:
        task = progress.add_task("reading words", total=2 + 2 * len(HEADS))
        vocabulary, idf = learn_words([example.text for example in examples])
        words = word_matrix([example.text for example in examples], vocabulary, idf)
        progress.update(task, advance=1, description="reading meanings")
        encoder = bundled_encoder()
        inputs = {"words": words}
        if encoder is not None:
            inputs["full"] = full_matrix(words, embed([example.text for example in examples], encoder))
        progress.update(task, advance=1, description="learning")
        arrays: dict[str, npt.NDArray[Any]] = {
            "vocabulary": np.frombuffer("\n".join(vocabulary).encode("utf-8"), dtype=np.uint8),
            "idf": idf,
        }
        heads: list[dict[str, Any]] = []
        for kind, matrix in inputs.items():
            heads, weights, bias = _learn(examples, matrix, kind, lambda: progress.advance(task))
            arrays[f"{kind}_bias"] = bias
            arrays[f"{kind}_weights"] = weights[: len(vocabulary)]
            if kind == "full":
                arrays["full_meaning"] = weights[len(vocabulary) :] * np.float32(MEANING)
    about = {"heads": heads, "sharpness": {kind: [1.0] * len(heads) for kind in inputs}, "mails": len(examples)}
    _write(out, about, arrays)
    return f"{out}: the model was built from {len(examples)} mails"


def learn_words(texts: Iterable[str]) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """The features that are worth counting, and how telling each is."""
    seen: Counter[str] = Counter()
    total = 0
    for text in texts:
        seen.update(set(features(text)))
        total += 1
    kept = sorted(feature for feature, count in seen.items() if count >= SEEN_IN)
    idf = np.array([1 + np.log((1 + total) / (1 + seen[feature])) for feature in kept], dtype=np.float32)
    return {feature: column for column, feature in enumerate(kept)}, idf


def word_matrix(texts: Sequence[str], vocabulary: dict[str, int], idf: npt.NDArray[np.float32]) -> Any:
    """The texts as rows of unit length, a column for each feature."""
    values, columns, starts = [], [], [0]
    for text in texts:
        found, counts = counted(text, vocabulary)
        row = (1 + np.log(counts)) * idf[found]
        values.append(row / (np.sqrt(row @ row) or 1.0))
        columns.append(found)
        starts.append(starts[-1] + found.size)
    shape = (len(texts), len(vocabulary))
    return csr_matrix((np.concatenate(values), np.concatenate(columns), np.array(starts)), shape=shape, dtype=np.float32)


def embed(texts: Sequence[str], encoder: Encoder) -> npt.NDArray[np.float32]:
    """The texts as sentence vectors."""
    return encoder.encode([text[:EMBEDDED] for text in texts])


def full_matrix(words: Any, meanings: npt.NDArray[np.float32]) -> Any:
    """Words and meanings side by side."""
    return hstack([words, csr_matrix(meanings * np.float32(MEANING))], format="csr")


def _learn(examples: Sequence[Example], matrix: Any, kind: str, step: Any) -> tuple[list[dict[str, Any]], Any, Any]:
    heads: list[dict[str, Any]] = []
    weights, biases, start = [], [], 0
    for name in HEADS:
        rows = [i for i, example in enumerate(examples) if example.labels[name] is not None]
        truth = [str(examples[i].labels[name]) for i in rows]
        learner = LogisticRegression(C=STRENGTH[kind], max_iter=400, class_weight=None).fit(matrix[rows], truth)
        labels, coefficients, bias = learner.classes_.tolist(), learner.coef_, learner.intercept_
        if len(labels) == 2:
            coefficients, bias = np.vstack([0 * coefficients, coefficients]), np.concatenate([[0.0], bias])
        heads.append({"name": name, "labels": labels, "start": start})
        weights.append(coefficients.T)
        biases.append(bias)
        start += len(labels)
        step()
    return heads, np.hstack(weights).astype(np.float32), np.concatenate(biases).astype(np.float32)


def _write(out: Path, about: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    data = packed.getvalue()
    described = json.dumps({"sha256": hashlib.sha256(data).hexdigest(), **about}, indent=1, sort_keys=True).encode()
    # The weights first: a crash in between leaves a pair that does not match, and load refuses it.
    for name, content in (("model.npz", data), ("model.json", described)):
        (out / f"{name}.part").write_bytes(content)
        (out / f"{name}.part").replace(out / name)
