"""Work that takes its time, done beside the loop: one piece of a kind at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from release.platforms.base import PlatformError
from release.store import StoreError

__all__ = ["Complaints", "Workers"]

_log = logging.getLogger(__name__)


class Complaints:
    """Says a lasting trouble once, not every second, and again when it comes back after an end."""

    def __init__(self) -> None:
        self._lasting: dict[Hashable, str] = {}

    def say(self, about: Hashable, complaint: str) -> None:
        """Log a complaint unless it is the one that lasts."""
        if self._lasting.get(about) != complaint:
            self._lasting[about] = complaint
            _log.warning(complaint)

    def end(self, about: Hashable) -> None:
        """The trouble is over."""
        self._lasting.pop(about, None)


class Workers:
    """A pool of threads. When a piece of work ends, ``wake`` is called."""

    def __init__(self, name: str, size: int, wake: Callable[[], None]) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._wake = wake
        self._busy: set[Hashable] = set()
        self._lock = threading.Lock()
        self._complaints = Complaints()

    def start(self, key: Hashable, work: Callable[[], None]) -> None:
        """Begin a piece of work, unless one of the same key is under way. What it raises is logged."""
        with self._lock:
            if key in self._busy:
                return
            self._busy.add(key)
        self._pool.submit(work).add_done_callback(lambda future: self._ended(key, future))

    def _ended(self, key: Hashable, future: Future[None]) -> None:
        error = future.exception()
        if error is None:
            self._complaints.end(key)
        elif isinstance(error, PlatformError | StoreError):
            self._complaints.say(key, f"{_words(key)}: {error}")
        else:
            _log.error("%s %s failed", self._name, _words(key), exc_info=error)
        with self._lock:
            self._busy.discard(key)
        self._wake()


def _words(key: Hashable) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
