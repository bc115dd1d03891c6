"""Count what stands in texts, words, pairs of words and cues, as sparse rows of numbers. Many texts are counted at once.

A cue is a number as well: what kind it is, and the ideas that it is made of, up to four (see `core/cues.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.core.cues import BREAK, COMMA, ENDINGS, IDEAS, NOTHING, QUESTION, TURNS, ideas

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CUES_WEIGH = 1.2  # against the words, which weigh 1
SEEN_IN = {"word": 3, "pair": 5, "cue": 4}  # counts if so many texts have it

# Kinds of cues: ideas that stand side by side; that follow when what tells nothing is left out; that follow but one; that
# open a sentence; that stand in a question; what turns an ending, with the ending.
BESIDE, FOLLOWS, BUT_ONE, OPENS, ASKED, TURNED = range(6)
_RUN = 4  # ideas at most in a cue
_BASE = 128  # more than there are ideas
_WORD = re.compile(r"[^\W_]+|\?")
_TELLS = ~np.isin(np.arange(len(IDEAS)), [BREAK, NOTHING, COMMA])
_TURNS = np.isin(np.arange(len(IDEAS)), list(TURNS))
_ENDINGS = np.isin(np.arange(len(IDEAS)), list(ENDINGS))


class Lexicon(NamedTuple):
    """What counts: words by their column, then pairs of words and cues as sorted numbers; how rare each word and pair is."""

    words: Mapping[str, int]
    pairs: Numbers
    cues: Numbers
    rarity: Floats

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.rarity) + len(self.cues)


class Row(NamedTuple):
    """A text as the words see it: its columns, their weights, and the share of its words that the lexicon has."""

    columns: npt.NDArray[np.intp]
    values: Floats
    known: float


class _Words(NamedTuple):
    """The words of texts one after the other: the column of each (-1 for none), whose it is, and how many each text has."""

    columns: Numbers
    owner: Numbers
    distinct: Numbers


class _Ideas(NamedTuple):
    """The ideas of texts one after the other, with whose each is and in which sentence."""

    numbers: Numbers
    owner: Numbers
    sentence: Numbers

    def those(self, which: Flags) -> _Ideas:
        return _Ideas(self.numbers[which], self.owner[which], self.sentence[which])

    def once(self) -> _Ideas:
        """Each idea of a sentence once."""
        _, which = np.unique(self.sentence * _BASE + self.numbers, return_index=True)
        return _Ideas(self.numbers[which], self.owner[which], self.sentence[which])


class Found(NamedTuple):
    """What was found in texts, as numbers, and whose each is."""

    numbers: Numbers
    owner: Numbers


def words_of(text: str) -> list[str]:
    """The words of a text and its question marks, in lower case, accents gone."""
    lower = text.lower()
    return _WORD.findall(lower if lower.isascii() else unicodedata.normalize("NFKD", lower).encode("ascii", "ignore").decode())


def worth_counting(texts: Sequence[str]) -> Lexicon:
    """What is worth counting, in an order that depends on the texts alone: what so many of them have as SEEN_IN says."""
    said = [words_of(text) for text in texts]
    seen = Counter(chain.from_iterable(map(set, said)))
    words = {word: column for column, word in enumerate(sorted(word for word in seen if seen[word] >= SEEN_IN["word"]))}
    # A word that too few texts have stands in no pair that enough texts have.
    pairs, of_pairs = _seen(_pairs(_in_columns(said, words), len(words)), SEEN_IN["pair"])
    cues, _ = _seen(cues_of(texts), SEEN_IN["cue"])
    counts = np.concatenate([[seen[word] for word in words], of_pairs])
    rarity = 1 + np.log((1 + len(texts)) / (1 + counts))
    return Lexicon(words=words, pairs=pairs, cues=cues, rarity=rarity.astype(np.float32))


def _seen(found: Found, least: int) -> tuple[Numbers, Numbers]:
    """The numbers that so many texts have, sorted, and how many have each."""
    order = np.lexsort((found.owner, found.numbers))
    numbers, owner = found.numbers[order], found.owner[order]
    kept, counts = np.unique(numbers[_changes(numbers) | _changes(owner)], return_counts=True)
    return kept[counts >= least], counts[counts >= least]


def _changes(values: Numbers) -> Flags:
    """Whether each is another than the one before; the first is."""
    found = np.ones(len(values), dtype=bool)
    found[1:] = values[1:] != values[:-1]
    return found


def rows(texts: Sequence[str], lexicon: Lexicon) -> list[Row]:
    """The texts as rows: words weigh by their rarity, cues evenly, both are balanced, and each row is of unit length."""
    words = _in_columns([words_of(text) for text in texts], lexicon.words)
    first_pair, first_cue = len(lexicon.words), len(lexicon.rarity)
    met = words.columns >= 0
    pairs = _of_lexicon(_pairs(words, first_pair), lexicon.pairs)
    cues = _of_lexicon(cues_of(texts), lexicon.cues)
    columns = np.concatenate([words.columns[met], pairs.numbers + first_pair, cues.numbers + first_cue])
    owner = np.concatenate([words.owner[met], pairs.owner, cues.owner])
    there, counts = np.unique(owner * lexicon.width + columns, return_counts=True)
    owner, columns = np.divmod(there, lexicon.width)
    is_cue = columns >= first_cue
    values = np.ones(len(columns))
    values[~is_cue] = (1 + np.log(counts[~is_cue])) * lexicon.rarity[columns[~is_cue]]
    block = 2 * owner + is_cue
    values /= np.sqrt(np.bincount(block, values * values))[block]
    values[is_cue] *= CUES_WEIGH
    values /= np.sqrt(np.bincount(owner, values * values))[owner]
    known = np.bincount(owner[columns < first_pair], minlength=len(texts)) / np.maximum(words.distinct, 1)
    ends = np.cumsum(np.bincount(owner, minlength=len(texts))).tolist()
    weights = values.astype(np.float32)
    return [
        Row(columns=columns[begin:end], values=weights[begin:end], known=share)
        for begin, end, share in zip([0, *ends], ends, known.tolist(), strict=False)
    ]


def _in_columns(said: Sequence[Sequence[str]], columns: Mapping[str, int]) -> _Words:
    """The words of each text by their columns."""
    return _Words(
        columns=np.array([columns.get(word, -1) for words in said for word in words], dtype=np.int64),
        owner=_owners(said),
        distinct=np.array([len(set(words)) for words in said], dtype=np.int64),
    )


def _owners(said: Sequence[Sequence[object]]) -> Numbers:
    return np.repeat(np.arange(len(said)), [len(each) for each in said])


def _pairs(words: _Words, width: int) -> Found:
    """Words that stand side by side, of those that have a column."""
    first, second = words.columns[:-1], words.columns[1:]
    pairs = (words.owner[:-1] == words.owner[1:]) & (first >= 0) & (second >= 0)
    return Found(first[pairs] * width + second[pairs], words.owner[:-1][pairs])


def _of_lexicon(found: Found, known: Numbers) -> Found:
    """What the lexicon has, each as its place there."""
    if not known.size:
        return Found(known, known)
    places = np.minimum(np.searchsorted(known, found.numbers), known.size - 1)
    met = known[places] == found.numbers
    return Found(places[met], found.owner[met])


def cues_of(texts: Sequence[str]) -> Found:
    """The cues of texts, some of them more than once: see the kinds above."""
    said = [ideas(text) for text in texts]
    numbers, owner = np.fromiter(chain.from_iterable(said), dtype=np.int64), _owners(said)
    ends = (numbers == BREAK) | (numbers == QUESTION)
    # A text ends a sentence as well, so that each has a number of its own.
    everything = _Ideas(numbers, owner, np.cumsum(ends) - ends + owner).those(numbers != BREAK)
    telling = everything.those(_TELLS[everything.numbers])
    opens, asked = _changes(telling.sentence), np.isin(telling.sentence, telling.sentence[telling.numbers == QUESTION])
    found = [
        _runs(BESIDE, everything, 2),
        *(_runs(FOLLOWS, telling, size) for size in range(1, _RUN + 1)),
        _runs(BUT_ONE, telling, 2, step=2),
        *(_runs(OPENS, telling, size, only=opens) for size in (1, 2)),
        _runs(ASKED, telling, 1, only=asked),
        _turned(telling),
    ]
    return Found(np.concatenate([each.numbers for each in found]), np.concatenate([each.owner for each in found]))


def _runs(kind: int, told: _Ideas, size: int, step: int = 1, only: Flags | None = None) -> Found:
    """So many ideas of one sentence, each so many steps after the one before; `only` those that begin there."""
    last = step * (size - 1)
    begins = max(len(told.numbers) - last, 0)
    there = told.sentence[:begins] == told.sentence[last : last + begins]
    if only is not None:
        there &= only[:begins]
    run = np.full(begins, kind, dtype=np.int64)
    for at in range(_RUN):
        run *= _BASE
        if at < size:
            run += told.numbers[step * at : step * at + begins]
    return Found(run[there], told.owner[:begins][there])


def _turned(told: _Ideas) -> Found:
    """What turns an ending, with each ending of its sentence."""
    turns, endings = told.those(_TURNS[told.numbers]).once(), told.those(_ENDINGS[told.numbers]).once()
    first = np.searchsorted(endings.sentence, turns.sentence)
    count = np.searchsorted(endings.sentence, turns.sentence, side="right") - first
    which = np.repeat(first, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    turned = ((TURNED * _BASE + np.repeat(turns.numbers, count)) * _BASE + endings.numbers[which]) * _BASE**2
    return Found(turned, np.repeat(turns.owner, count))
