"""How much work is taken on, and where it is done: what takes a moment on the event loop, the rest in one thread.

A thread hop costs more than scoring a short text does. A long one must not keep health checks waiting. And a queue that
grows without end serves nobody: what could not be answered within about a second is refused at once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from inference.errors import RequestError

__all__ = ["MOMENT", "REQUESTS", "Capacity", "Turn"]

REQUESTS = 1_000
"""How many requests may have begun over HTTP and not been answered."""

MOMENT = 0.001
"""What takes no longer, in seconds, is done on the event loop."""

_TURN = 0.02
_LOOK = 16
_QUEUE = 1.0
# While the thread computes, the event loop waits this long for its turn: 5 ms, Python's default, is a hundred answers.
_SWITCH = 0.0005

Result = TypeVar("Result")


class Capacity:
    """One thread, and a queue that is bounded in seconds of work."""

    def __init__(self) -> None:
        sys.setswitchinterval(_SWITCH)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._waiting = 0.0

    async def run(self, seconds: float, work: Callable[[], Result]) -> Result:
        """Return what ``work`` returns; it is expected to take so many ``seconds``.

        Raises:
            RequestError: 429 when a second's work is waiting already.
        """
        if seconds <= MOMENT:
            return work()
        if self._waiting > _QUEUE:
            raise RequestError.overload()
        self._waiting += seconds
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= seconds


class Turn:
    """One turn of the event loop, in which every connection that has a request is served, one after the other.

    Whoever comes last has waited for all the others, and so has the next health check; with a thousand connections
    that ask without end, it waits for two turns, refusals included. Counted is the work: that the machine gave its
    core to others is no reason to refuse anybody.
    """

    def __init__(self) -> None:
        self._begun = 0.0
        self._asked = 0
        self._over = False

    def is_over(self) -> bool:
        """Return whether this turn has taken 20 ms of work; it begins with the first call in it."""
        if not self._asked:
            self._begun = time.thread_time()
            asyncio.get_running_loop().call_soon(self._end)
        self._asked += 1
        # A look at this clock costs a sixtieth of an answer.
        if self._asked % _LOOK == 0:
            self._over = time.thread_time() - self._begun > _TURN
        return self._over

    def _end(self) -> None:
        self._asked, self._over = 0, False
