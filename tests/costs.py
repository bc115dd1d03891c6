"""What a call costs, on a machine where other things run at the same time."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

TRIES = 3


def seconds(call: Callable[[], object], *, enough: float) -> float:
    """The processor seconds of this thread that the call took: the fewest of three tries, or the first that are `enough`.

    A neighbour on the same core makes one call slow, not each of three; what is quadratic is slow each time.
    """
    least = float("inf")
    for _ in range(TRIES):
        begun = thread_time()
        call()
        least = min(least, thread_time() - begun)
        if least <= enough:
            break
    return least
