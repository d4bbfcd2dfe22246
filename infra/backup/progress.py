"""Bars on a terminal, one a part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from infra.backup.archive import Moved

__all__ = ["Terminal"]


class Terminal:
    """Draws on the error output, so that the output holds results alone."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<16}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))

    def __enter__(self) -> Terminal:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; the bars stay."""
        self._progress.stop()

    @contextmanager
    def bar(self, name: str, total: int) -> Iterator[Moved]:
        """Show a bar of about so many bytes; what is yielded moves it."""
        task = self._progress.add_task(name, total=total)
        yield lambda size: self._progress.advance(task, size)
        self._progress.update(task, completed=total)
