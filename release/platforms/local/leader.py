"""At most one controller at a time for this machine's stack."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["AnotherLeadsError", "leading"]


class AnotherLeadsError(RuntimeError):
    """Another controller works on this stack; the message says which."""


@contextmanager
def leading(home: Path) -> Iterator[None]:
    """Hold the lock; the kernel takes it back from a process that dies, however it dies.

    Raises:
        AnotherLeadsError: another process holds it.
    """
    with (home / "controller.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise AnotherLeadsError(f"another controller (process {lock.read().strip()}) leads this stack") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
