"""The job's stages on a terminal: a bar each, how many rows, how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Stages"]


class Stages:
    """Shows stages as they run and keeps the seconds of each."""

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)

    def __enter__(self) -> Stages:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; the bars stay."""
        self._progress.stop()

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[int], None]]:
        """Run one stage; what is yielded moves its bar by so many steps."""
        begun = time.perf_counter()
        task = self._progress.add_task(name, total=total)
        try:
            yield lambda steps: self._progress.advance(task, steps)
        finally:
            self.seconds[name] = time.perf_counter() - begun
        self._progress.update(task, completed=total)
