"""Score texts in a process beside: its arithmetic takes no turns with the daemon, and what breaks it breaks no more than it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.core.purposes import DayWords
from pipeline.core.records import Scores
from pipeline.edges.children import Broken, Death, Seat, Setup
from pipeline.errors import Unreadable, WinbackError

if TYPE_CHECKING:
    from pipeline.edges.model import LinearModel

SECONDS = 120.0  # for a batch, and for loading the model before the first one
MEMORY_MB = 2_048


class Scorer:
    """The model in `folder`, in a process of its own, which starts with the first text. Threads take turns."""

    def __init__(self, folder: Path, *, seconds: float = SECONDS) -> None:
        self.folder = folder
        self._seconds = seconds
        self._turn = threading.Lock()
        self._seat = self._empty()
        self._days: DayWords | None = None

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """What the model says of each text.

        Raises NoModel when there is none, Unreadable when the texts break it, TryLater if its process does not start or if
        the scorer was closed.
        """
        if not texts:
            return []
        with self._turn:
            got = self._seat.ask([list(texts)])
            told = got if isinstance(got, Death) else got[0]
            if isinstance(told, Death | Broken):
                raise Unreadable(f"it breaks the model: {told.cause}")
            if isinstance(told, WinbackError):
                raise told
            self._days = told.days or self._days
            return [replace(each, day_purpose=self._days) for each in told.scores]

    def take(self, folder: Path) -> None:
        """Score by what lies in this folder from now on."""
        with self._turn:
            self._end()
            self.folder, self._days = folder, None
            self._seat = self._empty()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._seat.close()
        with self._turn:
            self._end()

    def _empty(self) -> Seat:
        return Seat(Setup(_Beside(self.folder), "score texts", self._seconds, MEMORY_MB))

    def _end(self) -> None:
        self._seat.close()
        self._seat.clear()


class _Told(NamedTuple):
    """What travels back: the scores of texts and, the first time, what the model knows of days, which is the same for all."""

    scores: list[Scores]
    days: DayWords | None


class _Beside:
    """The model in `folder`, in the process beside. It is loaded for the first texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: LinearModel | None = None
        self._told = False

    def __call__(self, texts: Sequence[str]) -> _Told | WinbackError:
        """What the model says of texts; an error that is no fault of theirs is an answer."""
        try:
            model = self._model = self._model or _loaded(self._folder)
        except WinbackError as error:
            return error
        scores = [replace(each, day_purpose=None) for each in model.score(texts)]
        days, self._told = None if self._told else model.day_words, True
        return _Told(scores, days)


def _loaded(folder: Path) -> LinearModel:
    from pipeline.edges.model import LinearModel  # numpy is for the process beside alone

    return LinearModel.load(folder)
