"""When somebody who does not answer is asked again. Pure."""

from __future__ import annotations

import math
from collections.abc import Hashable

__all__ = ["Backoff"]

_FIRST_SECONDS, _LONGEST_SECONDS = 10.0, 60.0


class Backoff:
    """A pause for each who is asked: 10 s at first, twice as long each further time, a minute at most."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, tuple[float, float]] = {}

    def due(self, key: Hashable, again: bool, now: float) -> bool:
        """Return whether to ask now, and take it that this is done.

        Args:
            key: who is asked.
            again: whether they were asked just this before, by this process or one before it.
            now: seconds of a monotonic clock.
        """
        due, pause = self._asked.get(key, (-math.inf, 0.0))
        if again and now < due:
            return False
        pause = min(2 * pause, _LONGEST_SECONDS) if again and pause else _FIRST_SECONDS
        self._asked[key] = now + pause, pause
        return True
