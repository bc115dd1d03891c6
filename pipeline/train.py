"""Build the model from the corpus. The daemon never imports this."""

from __future__ import annotations

import hashlib
import io
import json
import os
from bisect import bisect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from pipeline import train_days, train_sentences
from pipeline.core.counted import Flags, Floats, Row, rows, worth_counting
from pipeline.core.cues import ENDINGS, ideas
from pipeline.core.records import Address, Business, DayPurpose, Intent, Message, Rules
from pipeline.core.understand import joined
from pipeline.edges.model import (
    Encoder,
    as_arrays,
    bundled_encoder,
    calibrated,
    embedded,
    in_bytes,
    looked_up,
    with_sentences,
)
from pipeline.errors import WinbackError
from pipeline.evaluate.labels import labelled_rows, of_corpus
from pipeline.train_ridge import WORDS_WEIGH, Learner, and_without, by_likeness, by_words, likeness

# The heads that every mail teaches, and those that only cancellations teach.
OF_ALL = ("intent", "sensitive", "opt_out", "firm")
OF_CANCELLATIONS = ("reason", "subreason")
OF_ONE_FOLD = ("subreason",)  # so many columns that one fold must do to say how sure they are
FOLDS = 3
STEPS = 100  # of learning, as progress is told
KINDS = {"words": "words", "full": "words and meanings"}  # of models, by what they know
UNDER_ANOTHER = 40  # percent of the mails without a subject that are learnt under that of another
PORTION = 256  # texts that are embedded at a time
TOPICS = 128  # directions, of the tens of thousands of words and cues
FIRM_HAND = 100.0  # calibration is hardly held back: it has few parameters
NOWHERE = Rules(business=Business(name="Corpus", sender=Address(address="nobody@corpus.example")))
SOME_DAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
# The corpus is half cancellations, and half of the rest talks of one. Probabilities are meant for a mailbox, which is not so.
NOTHING_IN_DAILY_MAIL = 0.7
HARD_IN_NOTHING = 0.2

# For each fold the rows of those that are seen, and of those that are not.
Folds = Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One labelled mail. `group` keeps what one hand wrote together; a label is None where nobody gave one.

    `text` holds the subject as well. `asked` is the question of ours that it answers, `dates` the days it names, as (words,
    kind).
    """

    id: str
    text: str
    subject: str = ""
    lang: str
    group: str
    labels: dict[str, str | None]
    hard: str | None = None
    second: str | None = None  # another reason that the mail gives as well
    asked: str | None = None
    dates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Taught:
    """What was learnt: `heads` say which columns hold which label; the arrays are those of model.npz."""

    heads: list[dict[str, Any]]
    arrays: dict[str, npt.NDArray[Any]]
    held_out: dict[str, Floats]  # calibrated probabilities of every example, from folds that had not seen its group; no lessons


def read(corpus: Path) -> list[Example]:
    """The mails of a corpus folder, in a fixed order, some of them under the subject of another: see `under_subjects`.

    Raises WinbackError when there are none, and BadFile with a sentence for each line that is broken or wrongly labelled.
    """
    rows = labelled_rows(sorted(corpus.glob("*.jsonl")), of_corpus)
    found = [example(row, path.stem) for path, row in rows]
    if not found:
        raise WinbackError(f"{corpus}: holds no labelled mails (*.jsonl): nothing to learn from")
    return under_subjects(found)


def under_subjects(examples: Sequence[Example]) -> list[Example]:
    """The examples; of those without a subject some have that of another mail in their language, if it speaks of no ending.

    What a thread is called ("Re: Membership") says little of what is said in it, and who writes a corpus gives a subject to
    what is worth one. The same examples give the same, and other examples beside them change few of them.
    """
    subjects: dict[str, set[str]] = {each.lang: set() for each in examples}
    for each in examples:
        if each.subject and ENDINGS.isdisjoint(ideas(each.subject)):
            subjects[each.lang].add(each.subject)
    rings = {lang: sorted((_lot(subject), subject) for subject in found) for lang, found in subjects.items()}
    return [each if each.subject else _under(each, rings[each.lang]) for each in examples]


def _under(mail: Example, ring: Sequence[tuple[int, str]]) -> Example:
    lot = _lot(mail.id)
    if not ring or lot % 100 >= UNDER_ANOTHER:
        return mail
    _, subject = ring[bisect(ring, (lot, "")) % len(ring)]
    return replace(mail, subject=subject, text=joined(subject, mail.text))


def _lot(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def example(mail: dict[str, Any], group: str) -> Example:
    """A line of the corpus, which `labelled_rows` has looked at, as an example. Raises KeyError when a key is missing."""
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
    return Example(
        id=mail["id"],
        text=text,
        subject=mail["subject"],
        lang=mail["lang"],
        group=group,
        labels=labels,
        hard=mail["hard"],
        second=mail["second_reason"],
        asked=mail["asked"],
        dates=tuple((day["text"], day["kind"]) for day in mail["dates"]),
    )


def teach(
    examples: Sequence[Example],
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
    lessons: Sequence[Example] = (),
) -> Taught:
    """Learn from examples, and from the lessons of a site. `tell` hears what is being done, and how far it is.

    Kernel ridge regression on one-hot labels; calibrated on folds that keep the mails of one file together. Lessons are
    learnt in every fold and never measured on: they are mails that were misread, so they say nothing of how often that happens.
    """
    with threadpool_limits(limits=1), ThreadPoolExecutor(1) as beside:
        return _taught([*examples, *lessons], len(examples), tell, beside)


def _taught(
    everything: Sequence[Example], count: int, tell: Callable[[str, int, int], None], beside: ThreadPoolExecutor
) -> Taught:
    """What all examples teach; the first `count` are those that are measured on. What can be done `beside` is done there."""
    examples = everything[:count]
    texts = [each.text for each in everything]
    encoder = bundled_encoder()
    meant = beside.submit(_meant, texts, encoder) if encoder else None
    tell("reading words", 0, STEPS)
    lexicon = worth_counting(texts)
    counted = rows(texts, lexicon)
    words = _matrix(counted, lexicon.width)
    heads, targets = _targets(everything)
    arrays = as_arrays(lexicon)
    folds = _folds(examples)
    firsts = _all_but_last(heads)
    of_one_fold = _of_one_fold(targets, heads, folds)
    once = np.isin(firsts, of_one_fold)
    wanted = and_without(targets[:, firsts], [unseen for _, unseen in folds], once)
    measured = targets[:count].copy()
    measured[np.ix_(folds[0][0], of_one_fold)] = np.nan
    hard = np.array([bool(each.hard) for each in examples])
    held_out: dict[str, Floats] = {}

    def learn(kind: str, begun: int, ended: int, known: Any, learner: Learner) -> Floats:
        """A weight for each word, or each text; how well others are read is learnt from folds."""
        what = f"learning from {KINDS[kind]}"
        learnt = learner(known, wanted, lambda done: tell(what, begun + int((ended - begun) * done), STEPS))
        begins = width = firsts.size
        said = np.zeros((count, width), dtype=np.float32)
        for number, (_, unseen) in enumerate(folds):
            columns = np.flatnonzero(~once) if number else np.arange(width)
            said[np.ix_(unseen, columns)] = learnt.read(known, unseen, slice(begins, begins + columns.size))
            begins += columns.size
        raw = _with_last(said, heads, 1)
        scale = _calibration(raw, measured, heads, hard)
        held_out[kind] = calibrated(raw, heads, scale)
        arrays.update({f"{kind}_bias": _with_last(learnt.bias[None, :width], heads, 1)[0], f"{kind}_scale": scale})
        return _with_last(learnt.weights[:, :width], heads, 0)

    arrays["words_weights"] = learn("words", 5, 25, words, by_words).astype(np.float16)
    if meant is not None:
        tell("reading meanings", 25, STEPS)
        topics, topics_step = in_bytes(_directions(words))
        about, about_step = in_bytes(looked_up(counted, topics) * topics_step)
        points, points_step = in_bytes(meant.result())
        alike = likeness(words, points * points_step, about * about_step)
        arrays |= {"points": points, "points_step": points_step, "about": about, "about_step": about_step}
        arrays |= {"topics": topics, "topics_step": topics_step}
    sentences, days = beside.submit(_sentences, examples, folds), beside.submit(_days, examples)
    if meant is not None:
        duals = learn("full", 50, 95, alike, by_likeness)
        weights = words.T @ (WORDS_WEIGH * duals)
        arrays |= {"duals": duals.astype(np.float16), "full_weights": weights.astype(np.float16)}
    tell("learning from sentences and days", 95, STEPS)
    arrays |= _opt_outs(sentences.result(), heads, held_out) | days.result()
    tell("done", STEPS, STEPS)
    return Taught(heads=heads, arrays=arrays, held_out=held_out)


def _folds(examples: Sequence[Example]) -> Folds:
    """Folds that keep the mails of one group together."""
    groups = [each.group for each in examples]
    return list(GroupKFold(FOLDS).split(groups, groups=groups))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sentences:
    """What sentences teach of opt-outs, and how much those of each mail say to who has not seen its fold."""

    read: train_sentences.Read
    learnt: train_sentences.Sentence
    held_out: Floats
    wanted: Flags


def _sentences(examples: Sequence[Example], folds: Folds) -> _Sentences | None:
    """What sentences teach; None when there are no opt-outs to learn from."""
    wanted = np.array([each.labels["opt_out"] == "yes" for each in examples])
    if not train_sentences.teachable(wanted, folds):
        return None
    read = train_sentences.read([each.text for each in examples])
    learnt = train_sentences.learn(read, wanted, np.arange(len(examples)))
    return _Sentences(read=read, learnt=learnt, held_out=train_sentences.held_out(read, wanted, folds), wanted=wanted)


def _opt_outs(
    sentences: _Sentences | None, heads: Sequence[dict[str, Any]], held_out: dict[str, Floats]
) -> dict[str, npt.NDArray[Any]]:
    """What sentences teach, weighed against whole mails. What is held out is told of them as well."""
    if sentences is None:
        return {}
    no, yes = _columns(heads, ("opt_out",))
    whole = held_out["full" if "full" in held_out else "words"][:, yes]
    scale = train_sentences.balance(whole, sentences.held_out, sentences.wanted)
    for probabilities in held_out.values():
        probabilities[:, yes] = with_sentences(probabilities[:, yes], sentences.held_out, scale)
        probabilities[:, no] = 1 - probabilities[:, yes]
    return train_sentences.arrays(sentences.read, sentences.learnt, scale)


def _days(examples: Sequence[Example]) -> dict[str, npt.NDArray[Any]]:
    """What the days of all examples teach, as arrays of the model."""
    return train_days.learn([day for each in examples for day in _days_of(each)])


def day_purposes(examples: Sequence[Example]) -> list[DayPurpose | None]:
    """For each example what days teach who has not seen its fold: the folds are those of `teach`."""
    days = [_days_of(each) for each in examples]
    held_out: list[DayPurpose | None] = [None] * len(examples)
    for seen, unseen in _folds(examples):
        purpose = train_days.taught([day for number in seen for day in days[number]])
        for number in unseen:
            held_out[number] = purpose
    return held_out


def _days_of(mail: Example) -> list[train_days.Day]:
    return train_days.days(as_message(mail), Intent(str(mail.labels["intent"])), mail.dates, NOWHERE) if mail.dates else []


def as_message(mail: Example) -> Message:
    """A mail of the corpus as one that came on some Tuesday in March."""
    text = mail.text[len(mail.subject) :].lstrip("\n")
    return Message(key="corpus", subject=mail.subject, text=text, arrived=SOME_DAY)


def _meant(texts: Sequence[str], encoder: Encoder) -> Floats:
    """The meanings of all texts, on every core; in portions of one size, so that the same texts give the same bytes."""
    portions = [texts[start : start + PORTION] for start in range(0, len(texts), PORTION)]
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        return np.concatenate(list(cores.map(lambda some: embedded(some, encoder), portions)))


def _matrix(rows: Sequence[Row], width: int) -> Any:
    """The texts as sparse rows of unit length, a column for each feature."""
    starts = np.cumsum([0, *(row.columns.size for row in rows)])
    values = np.concatenate([row.values for row in rows])
    columns = np.concatenate([row.columns for row in rows])
    return csr_matrix((values, columns, starts), shape=(len(rows), width), dtype=np.float32)


def _directions(words: Any) -> Floats:
    """The directions in which the texts differ most (latent semantic analysis), a row for each feature."""
    size = min(TOPICS, min(words.shape) - 1)
    _, _, directions = randomized_svd(words, size, n_iter=2, random_state=0)
    return np.ascontiguousarray(directions.T, dtype=np.float32)


def _targets(examples: Sequence[Example]) -> tuple[list[dict[str, Any]], Floats]:
    """A column for each label of each head, 1 where it applies; rows that a head does not ask about are NaN there."""
    heads: list[dict[str, Any]] = []
    blocks = []
    start = 0
    for name in (*OF_ALL, *OF_CANCELLATIONS):
        said = [each.labels[name] for each in examples]
        labels = sorted({label for label in said if label is not None})
        block = np.array([[float(label == other) if label else np.nan for other in labels] for label in said], dtype=np.float32)
        heads.append({"name": name, "labels": labels, "start": start})
        blocks.append(block)
        start += len(labels)
    return heads, np.hstack(blocks)


def _all_but_last(heads: Sequence[dict[str, Any]]) -> npt.NDArray[np.intp]:
    """The columns of all labels but the last of each head: what is learnt of that one is what the others leave."""
    return np.concatenate([head["start"] + np.arange(len(head["labels"]) - 1) for head in heads])


def _with_last(learnt: Floats, heads: Sequence[dict[str, Any]], total: float) -> Floats:
    """What was learnt of all labels but the last of each head, and the last besides: a head's labels come to `total`."""
    parts, begun = [], 0
    for head in heads:
        part = learnt[:, begun : begun + len(head["labels"]) - 1]
        parts += [part, np.float32(total) - part.sum(axis=1, keepdims=True)]
        begun += part.shape[1]
    return np.hstack(parts)


def _columns(heads: Sequence[dict[str, Any]], names: Sequence[str]) -> npt.NDArray[np.intp]:
    parts = [np.arange(head["start"], head["start"] + len(head["labels"])) for head in heads if head["name"] in names]
    return np.concatenate(parts)


def _of_one_fold(targets: Floats, heads: Sequence[dict[str, Any]], folds: Folds) -> npt.NDArray[np.intp]:
    """The columns that are measured on the first fold alone; none when a label of theirs is not in it."""
    columns, (_, unseen) = _columns(heads, OF_ONE_FOLD), folds[0]
    return columns if np.nansum(targets[np.ix_(unseen, columns)], axis=0).all() else columns[:0]


def _calibration(raw: Floats, targets: Floats, heads: Sequence[dict[str, Any]], hard: Flags) -> Floats:
    """For each head the linear map that makes held-out values probabilities; see `calibrated` for its layout."""
    widest = max(len(head["labels"]) for head in heads)
    scale = np.zeros((targets.shape[1] + 1, max(widest, targets.shape[1])), dtype=np.float32)
    for head in heads:
        part = slice(head["start"], head["start"] + len(head["labels"]))
        rows = np.flatnonzero(~np.isnan(targets[:, head["start"]]))
        truth = targets[rows, part].argmax(axis=1)
        learner = LogisticRegression(C=FIRM_HAND, max_iter=1_000).fit(
            raw[rows, part], truth, _as_daily(head, truth, hard[rows])
        )
        weights, offset = learner.coef_, learner.intercept_
        if len(head["labels"]) == 2:  # one row says it all; the other label stands at zero
            weights, offset = np.vstack([0 * weights, weights]), np.concatenate([[0.0], offset])
        scale[part, : len(head["labels"])] = weights.T
        scale[-1, part] = offset
    return scale


def _as_daily(head: dict[str, Any], truth: npt.NDArray[np.intp], hard: Flags) -> npt.NDArray[np.float64] | None:
    """What each mail counts for, so that as many are none of our business, or only sound like it, as in daily mail."""
    if head["name"] != "intent":
        return None
    nothing = truth == head["labels"].index("none")
    counts = np.ones(len(truth))
    shares = [
        (~nothing, 1 - NOTHING_IN_DAILY_MAIL),
        (nothing & ~hard, NOTHING_IN_DAILY_MAIL * (1 - HARD_IN_NOTHING)),
        (nothing & hard, NOTHING_IN_DAILY_MAIL * HARD_IN_NOTHING),
    ]
    for which, share in shares:
        counts[which] = share * len(truth) / max(which.sum(), 1)
    return counts


def digest(examples: Sequence[Example]) -> str:
    """What the examples say, as a digest: the same mails give the same."""
    said = json.dumps(
        [[each.text, each.labels, each.lang, each.hard, each.second, each.asked, each.dates] for each in examples],
        sort_keys=True,
    )
    return hashlib.sha256(said.encode("utf-8")).hexdigest()


def packed(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """The arrays as the bytes of model.npz: the same arrays give the same bytes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
