"""Run a pure function over raw mails in child processes, so that a hostile mail costs itself and never the daemon."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pipeline.core.records import Raw
from pipeline.edges.children import Broken, Seat, Setup, answer
from pipeline.errors import TryLater, Unreadable

T = TypeVar("T")

CHUNK_MAILS = 16  # mails that travel together: pickling and waking up cost more than reading a small one
CHUNK_BYTES = 2_000_000
CHUNKS_AHEAD = 8  # for each child: about as many as are decided together


class Reader(Generic[T]):
    """Reads mails in `workers` child processes; with 0 in this process, without limits.

    `read` is a function of an importable module: a child imports it by its name. A mail may take `seconds` of time and
    `memory_mb` MiB more than a child has at rest. The children start with the first mail.
    """

    def __init__(self, read: Callable[[Raw], T], *, workers: int, seconds: float = 5, memory_mb: int = 512) -> None:
        self._setup = Setup(read, "read mails", seconds, memory_mb)
        self._workers = workers
        self._pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="reader")
        self._own = threading.local()  # each thread talks to one child
        self._seats: list[Seat] = []
        self._lock = threading.Lock()
        self._closed = False
        # mail-parser warns of every part that it does not read; that is no news.
        logging.getLogger("mailparser").setLevel(logging.CRITICAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the children, whatever they do."""
        with self._lock:
            self._closed = True
            for seat in self._seats:
                seat.close()
        self._pool.shutdown(cancel_futures=True)
        for seat in self._seats:
            seat.clear()

    def read_all(self, raws: Iterable[Raw]) -> Iterator[tuple[Raw, T | Unreadable]]:
        """Each mail with what `read` made of it, in the order given, while the children read ahead.

        Unreadable is returned, not raised, for a mail that `read` refused or that broke a limit. Raises TryLater if no
        child can be started, or if the reader was closed.
        """
        if not self._workers:
            yield from ((raw, _told(answer(self._setup, raw))) for raw in raws)
            return
        waiting: deque[tuple[Sequence[Raw], Future[list[Any]]]] = deque()
        try:
            for chunk in _chunks(raws):
                waiting.append((chunk, self._submitted(chunk)))
                while waiting and (len(waiting) > CHUNKS_AHEAD * self._workers or waiting[0][1].done()):
                    yield from _paired(*waiting.popleft())
            while waiting:
                yield from _paired(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _submitted(self, chunk: Sequence[Raw]) -> Future[list[Any]]:
        try:
            return self._pool.submit(self._read_chunk, chunk)
        except RuntimeError as error:
            raise TryLater("the reader was closed") from error

    def _read_chunk(self, chunk: Sequence[Raw]) -> list[Any]:
        answers: dict[int, Any] = {}
        left = list(range(len(chunk)))
        while left:
            result = self._seat().ask([chunk[number] for number in left])
            if isinstance(result, list):
                answers.update(zip(left, map(_told, result), strict=True))
                break
            if 1 <= result.begun <= len(left):
                answers[left.pop(result.begun - 1)] = _told(Broken(result.cause))
            elif len(left) == 1:
                answers[left.pop()] = Unreadable(f"its reader can't take it, or can't hand over what it read: {result.cause}")
            else:  # one of them can't travel, or its result can't: find out which
                answers.update((number, self._read_chunk([chunk[number]])[0]) for number in left)
                break
        return [answers[number] for number in range(len(chunk))]

    def _seat(self) -> Seat:
        """This thread's seat for a child."""
        seat: Seat | None = getattr(self._own, "seat", None)
        if seat is None:
            with self._lock:
                if self._closed:
                    raise TryLater("the reader was closed")
                seat = self._own.seat = Seat(self._setup)
                self._seats.append(seat)
        return seat


def _told(answer: Any) -> Any:
    """An answer as the caller gets it: what broke its reader, and what to do."""
    return Unreadable(f"{answer.cause}; look at it in a mail program") if isinstance(answer, Broken) else answer


def _chunks(raws: Iterable[Raw]) -> Iterator[Sequence[Raw]]:
    chunk: list[Raw] = []
    size = 0
    for raw in raws:
        chunk.append(raw)
        size += len(raw.data)
        if len(chunk) >= CHUNK_MAILS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _paired(chunk: Sequence[Raw], future: Future[list[Any]]) -> Iterator[tuple[Raw, Any]]:
    try:
        return zip(chunk, future.result(), strict=True)
    except CancelledError as error:
        raise TryLater("the reader was closed") from error
