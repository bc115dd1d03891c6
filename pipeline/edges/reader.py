"""Run a pure function over raw mails in child processes, so that a hostile mail costs itself and never the daemon.

A child dies of a mail that takes too long or that crashes it. Another one takes its place and reads the mails beside it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from pipeline.core.records import Raw
from pipeline.errors import TryLater, Unreadable

T = TypeVar("T")

CHUNK_MAILS = 16  # mails that travel together: pickling and waking up cost more than reading a small one
CHUNK_BYTES = 2_000_000
CHUNKS_AHEAD = 2  # for each child: one that it reads, and one that is ready for it
START_SECONDS = 60.0  # what a child imports may be slow to load
START_TRIES = 3
GRACE_SECONDS = 5.0  # after the time of all its mails, until a child that stands still is killed


class Reader(Generic[T]):
    """Reads mails in `workers` child processes; with 0 in this process, without limits.

    `read` is a function of an importable module: a child imports it by its name. A mail may take `seconds` of time and
    `memory_mb` MiB more than a child has at rest. The children start with the first mail.
    """

    def __init__(self, read: Callable[[Raw], T], *, workers: int, seconds: float = 5, memory_mb: int = 512) -> None:
        self._setup = _Setup(read, seconds, memory_mb)
        self._workers = workers
        self._pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="reader")
        self._own = threading.local()  # each thread talks to one child
        self._children: set[_Child] = set()
        self._lock = threading.Lock()
        self._closed = False
        _silence()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the children, whatever they do."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        self._pool.shutdown(cancel_futures=True)
        for child in self._children:
            child.bury()
        self._children.clear()

    def read_all(self, raws: Iterable[Raw]) -> Iterator[tuple[Raw, T | Unreadable]]:
        """Each mail with what `read` made of it, in the order given, while the children read ahead.

        Unreadable is returned, not raised, for a mail that `read` refused or that broke a limit. Raises TryLater if no
        child can be started, or if the reader was closed.
        """
        if not self._workers:
            yield from ((raw, _answer(self._setup, raw)) for raw in raws)
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
            result = self._ask([chunk[number] for number in left])
            if isinstance(result, list):
                answers.update(zip(left, result, strict=True))
                break
            if 1 <= result.begun <= len(left):
                answers[left.pop(result.begun - 1)] = Unreadable(f"{result.cause}; look at it in a mail program")
            elif len(left) == 1:
                answers[left.pop()] = Unreadable(f"its reader can't take it, or can't hand over what it read: {result.cause}")
            else:  # one of them can't travel, or its result can't: find out which
                answers.update((number, self._read_chunk([chunk[number]])[0]) for number in left)
                break
        return [answers[number] for number in range(len(chunk))]

    def _ask(self, mails: list[Raw]) -> list[Any] | _Death:
        """The answers of this thread's child, or its death. It is asked again if no mail can have been the cause."""
        tries = 0
        while True:
            tries += 1
            child: _Child = getattr(self._own, "child", None) or self._started()
            result = child.ask(mails)
            if isinstance(result, list):
                return result
            self._bury(child)
            if self._closed:
                raise TryLater("the reader was closed")  # the death is our doing
            if result.begun or (tries == START_TRIES and child.ready):
                return result
            if tries == START_TRIES:
                raise TryLater(f"the processes that read mails don't start: {result.cause}")

    def _started(self) -> _Child:
        with self._lock:
            if self._closed:
                raise TryLater("the reader was closed")
            child = _Child(self._setup)
            self._children.add(child)
        self._own.child = child
        return child

    def _bury(self, child: _Child) -> None:
        self._own.child = None
        with self._lock:
            self._children.discard(child)
        child.bury()


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


# --- a child, seen from here


class _Setup(NamedTuple):
    """What a child has to know before its first mail."""

    read: Callable[[Raw], Any]
    seconds: float
    memory_mb: int


class _Death(NamedTuple):
    """How a child ended: how many mails it had begun (one more: it had read all of them), and of what."""

    begun: int
    cause: str


class _Child:
    """One child process. It shares nothing with this one but two pipes, and ends when they do."""

    def __init__(self, setup: _Setup) -> None:
        self._setup = setup
        self.ready = False
        self._connection, theirs = Pipe()
        self._progress, their_progress = Pipe(duplex=False)  # a byte for each mail that is begun
        os.set_blocking(self._progress.fileno(), False)
        ours = (theirs.fileno(), their_progress.fileno())
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
            [sys.executable, "-c", _BOOT.format(path=sys.path, module=__name__, pipes=ours)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=ours,
            start_new_session=True,  # Ctrl-C on the terminal is for the parent, who decides
        )
        theirs.close()
        their_progress.close()

    def ask(self, mails: list[Raw]) -> list[Any] | _Death:
        """Its answers to these mails, in their order, or its death."""
        try:
            if not self.ready:
                self._connection.send(self._setup)
                problem = self._receive(START_SECONDS)
                if problem:
                    return _Death(0, problem)
                self.ready = True
            self._connection.send(mails)
            answers: list[Any] = self._receive(len(mails) * self._setup.seconds + GRACE_SECONDS)
        except (EOFError, OSError) as error:
            return _Death(self._begun(), self._cause(error))
        self._begun()
        return answers

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def bury(self) -> None:
        """End it, and leave nothing of it behind. Only for the thread that asks it."""
        self.kill()
        self._connection.close()
        self._progress.close()

    def _receive(self, seconds: float) -> Any:
        if not self._connection.poll(seconds):
            raise TimeoutError
        return self._connection.recv()

    def _begun(self) -> int:
        """How many mails it began since this was asked last."""
        try:
            return len(os.read(self._progress.fileno(), CHUNK_MAILS + 1))
        except BlockingIOError:
            return 0

    def _cause(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return "its reader stands still"
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "its reader does not answer"
        if code == -signal.SIGALRM:
            return f"it takes longer than {self._setup.seconds:g} s to read"
        if code < 0:
            return f"it crashes its reader ({signal.Signals(-code).name})"
        return f"it ends its reader (exit code {code})"


# --- inside of a child

_BOOT = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " sys.path[:] = {path!r}; from {module} import _serve; _serve(*{pipes!r})"
)


def _serve(connection_number: int, progress_number: int) -> None:
    """Answer chunks of mails until the parent is gone. A mail that takes too long ends the process (SIGALRM)."""
    connection = Connection(connection_number)
    try:
        setup: _Setup = connection.recv()
        _limit(setup.memory_mb)
    except Exception as error:  # noqa: BLE001 - importing `read` may raise anything; the parent says it in its own words
        connection.send(f"{type(error).__name__}: {error}")
        return
    _silence()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    connection.send("")
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            answers = []
            for raw in connection.recv():
                os.write(progress_number, b".")
                signal.setitimer(signal.ITIMER_REAL, setup.seconds)
                answers.append(_answer(setup, raw))
                signal.setitimer(signal.ITIMER_REAL, 0)
            os.write(progress_number, b".")
            connection.send(answers)


def _answer(setup: _Setup, raw: Raw) -> Any:
    try:
        return setup.read(raw)
    except Unreadable as error:
        return error
    except MemoryError:
        return Unreadable(f"it needs more than {setup.memory_mb} MiB to be read; look at it in a mail program")
    except Exception as error:  # noqa: BLE001 - whatever a mail brings to light must not stop the mails behind it
        return Unreadable(f"reading it failed ({type(error).__name__}: {error}); look at it in a mail program")


def _limit(memory_mb: int) -> None:
    """No more memory than now plus `memory_mb` MiB (where the system can say), and no core dump of anybody's mail."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        size = pages * resource.getpagesize() + memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _silence() -> None:
    """mail-parser warns of every part that it does not read; that is no news."""
    logging.getLogger("mailparser").setLevel(logging.CRITICAL)
