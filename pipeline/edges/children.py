"""Do work of ours in processes beside: what breaks one of them breaks neither the daemon nor the work beside it.

A child dies of an item that takes too long or that crashes it. A seat puts another in its place.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

from pipeline.errors import TryLater, Unreadable

MOST_ITEMS = 1_000  # that may be asked for at a time
START_SECONDS = 60.0  # what a child imports may be slow to load
START_TRIES = 3
GRACE_SECONDS = 5.0  # after the time of all its items, until a child that stands still is killed


class Setup(NamedTuple):
    """What a child has to know before its first item: a function of an importable module, which it imports by its name.

    `purpose` completes "the process to ..." for people. An item may take `seconds` of time and `memory_mb` MiB more than a
    child has at rest.
    """

    work: Callable[[Any], Any]
    purpose: str
    seconds: float
    memory_mb: int


class Death(NamedTuple):
    """How a child ended: how many items it had begun (one more: it had done all of them), and of what."""

    begun: int
    cause: str


class Broken(NamedTuple):
    """What is answered for an item that broke a limit, or in which something failed that nobody foresaw."""

    cause: str


class Seat:
    """Where one child sits, and after its death the next. It starts with the first item. For one thread at a time."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, items: Sequence[Any]) -> list[Any] | Death:
        """What the child makes of each item, in their order, or its death. It is asked again if no item can be the cause.

        Broken is an answer, too, and so is the Unreadable with which an item was refused. Raises TryLater if no child can be
        started, or if the seat was closed, by whichever thread.
        """
        tries = 0
        while True:
            tries += 1
            child = self._child or self._started()
            result = child.ask(items)
            if isinstance(result, list):
                return result
            self._vacate()
            if self._closed:
                raise TryLater(f"the process to {self._setup.purpose} was closed")  # the death is our doing
            if result.begun or (tries == START_TRIES and child.ready):
                return result
            if tries == START_TRIES:
                raise TryLater(
                    f"the process to {self._setup.purpose} does not start: {result.cause}; look whether there is enough memory"
                )

    def close(self) -> None:
        """End the child, whatever it does, and let nobody sit here again. Any thread may."""
        with self._lock:
            self._closed = True
            if self._child:
                self._child.kill()

    def clear(self) -> None:
        """Leave nothing of the child behind; another may sit here unless the seat is closed."""
        if self._child:
            self._vacate()

    def _started(self) -> Child:
        with self._lock:
            if self._closed:
                raise TryLater(f"the process to {self._setup.purpose} was closed")
            self._child = Child(self._setup)
            return self._child

    def _vacate(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child:
            child.bury()


class Child:
    """One child process. It shares nothing with this one but two pipes, and ends when they do."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.ready = False
        self._connection, theirs = Pipe()
        self._progress, their_progress = Pipe(duplex=False)  # a byte for each item that is begun
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

    def ask(self, items: Sequence[Any]) -> list[Any] | Death:
        """Its answers to these items, in their order, or its death."""
        try:
            if not self.ready:
                self._connection.send(self._setup)
                problem = self._receive(START_SECONDS)
                if problem:
                    return Death(0, problem)
                self.ready = True
            self._connection.send(items)
            answers: list[Any] = self._receive(len(items) * self._setup.seconds + GRACE_SECONDS)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            return Death(self._begun(), self._cause(error))
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
        return _Answers(self._connection.recv_bytes(), self._setup.work).load()

    def _begun(self) -> int:
        """How many items it began since this was asked last."""
        try:
            return len(os.read(self._progress.fileno(), MOST_ITEMS + 1))
        except BlockingIOError:
            return 0

    def _cause(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return "its process stands still"
        if isinstance(error, pickle.UnpicklingError):
            return f"its process answers what it may not ({error})"
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "its process does not answer"
        if code == -signal.SIGALRM:
            return f"it takes longer than {self._setup.seconds:g} s"
        if code < 0:
            return f"it crashes its process ({signal.Signals(-code).name})"
        return f"it ends its process (exit code {code})"


class _Answers(pickle.Unpickler):
    """Takes what a child sends for what it may be: whoever takes a child over by a hostile mail gets no further."""

    def __init__(self, data: bytes, work: Callable[[Any], Any]) -> None:
        super().__init__(io.BytesIO(data))
        of_its_own = work.__module__ if isinstance(work, FunctionType) else type(work).__module__
        self._may_travel = _MAY_TRAVEL | {of_its_own}

    def find_class(self, module: str, name: str) -> type:
        """Only records of ours, times, and classes beside the work: making one runs nothing else. Raises UnpicklingError."""
        found = super().find_class(module, name) if module in self._may_travel and "." not in name else None
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} is nothing that a child may answer")
        return found


_MAY_TRAVEL = frozenset({"datetime", "pipeline.core.purposes", "pipeline.core.records", "pipeline.errors", __name__})

# --- inside of a child

_BOOT = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " sys.path[:] = {path!r}; from {module} import _serve; _serve(*{pipes!r})"
)


def _serve(connection_number: int, progress_number: int) -> None:
    """Answer rows of items until the parent is gone. An item that takes too long ends the process (SIGALRM)."""
    connection = Connection(connection_number)
    try:
        setup: Setup = connection.recv()
        _limit(setup.memory_mb)
    except Exception as error:  # noqa: BLE001 - importing `work` may raise anything; the parent says it in its own words
        connection.send(f"{type(error).__name__}: {error}")
        return
    logging.disable()  # nobody hears it
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    connection.send("")
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            answers = []
            for item in connection.recv():
                os.write(progress_number, b".")
                signal.setitimer(signal.ITIMER_REAL, setup.seconds)
                answers.append(answer(setup, item))
                signal.setitimer(signal.ITIMER_REAL, 0)
            os.write(progress_number, b".")
            connection.send(answers)


def answer(setup: Setup, item: Any) -> Any:
    """What the work makes of one item: Unreadable when that refuses it, Broken when it fails."""
    try:
        return setup.work(item)
    except Unreadable as error:
        return error
    except MemoryError:
        return Broken(f"it needs more than {setup.memory_mb} MiB")
    except Exception as error:  # noqa: BLE001 - whatever an item brings to light must not stop those behind it
        return Broken(f"it fails ({type(error).__name__}: {error})")


def _limit(memory_mb: int) -> None:
    """No more memory than now plus `memory_mb` MiB (where the system can say), and no core dump of anybody's mail."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        size = pages * resource.getpagesize() + memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
