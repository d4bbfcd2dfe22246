"""Reading the logs of the stack."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from infra.local.errors import StackError
from infra.local.settings import Settings

__all__ = ["show"]

_LINES = 20


def show(settings: Settings, name: str | None, *, follow: bool) -> int:
    """Print the last lines of one log, or of all, and with ``follow`` what comes after.

    Raises:
        StackError: there is no such log.
    """
    files = sorted(settings.logs.glob("*.log")) if settings.logs.exists() else []
    if name is not None:
        files = [file for file in files if file.stem == name]
    if not files:
        raise StackError(
            f"there is no log of {name}" if name else "there are no logs yet; start the stack with: make up"
        )
    ends: dict[Path, int] = {}
    for file in files:
        text = file.read_text(errors="replace")
        ends[file] = len(text.encode(errors="replace"))
        for line in text.splitlines()[-_LINES:]:
            print(f"{file.stem:<24} {line}")
    with contextlib.suppress(KeyboardInterrupt):
        while follow:
            _print_new(ends)
            time.sleep(0.5)
    return 0


def _print_new(ends: dict[Path, int]) -> None:
    for file, end in ends.items():
        size = file.stat().st_size
        with file.open("rb") as opened:
            # A log that shrank was rotated: it begins anew.
            opened.seek(end if size >= end else 0)
            for line in opened.read().decode(errors="replace").splitlines():
                print(f"{file.stem:<24} {line}")
        ends[file] = size
