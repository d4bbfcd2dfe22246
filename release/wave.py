"""Whether many releases move at this moment."""

from __future__ import annotations

import math

__all__ = ["Wave"]

_MANY = 20
_EVERY_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


class Wave:
    """While a thousand tenants get a version, the controller has more urgent things to do than to tell of each."""

    def __init__(self) -> None:
        self._news = 0
        self._asked = -math.inf
        self._calm = 0.0

    def rolls(self, news: int, now: float) -> bool:
        """Return whether many moved in the last second, as was so for less than a minute.

        Args:
            news: how many transitions wait to be told.
            now: seconds of a monotonic clock.
        """
        if now - self._asked >= _EVERY_SECONDS:
            if news - self._news < _MANY:
                self._calm = now
            self._news, self._asked = news, now
        return 0.0 < self._asked - self._calm < _LONGEST_SECONDS
