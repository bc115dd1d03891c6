"""Run a pure function over raw mails in child processes: a hostile mail costs itself, never the daemon.

A child dies of a mail that takes too long or crashes it; it is replaced, and the mails beside it are read again.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

from pipeline.core.records import Raw
from pipeline.errors import TryLater, Unreadable

T = TypeVar("T")

CHUNK_MAILS = 16
CHUNK_BYTES = 2_000_000
CHUNKS_AHEAD = 2  # for each child: one that it reads, one that waits
START_SECONDS = 60.0  # a child imports scikit-learn on a slow machine
START_TRIES = 3
GRACE_SECONDS = 5.0  # beyond the limits of its mails, before a child that does not answer is killed
