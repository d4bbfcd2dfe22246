"""Wrong clocks: some of the stack's programs see a wall clock that jumps (Debian's `faketime`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.program import Program
from infra.local.settings import Settings
from infra.local.supervisor import Supervisor

__all__ = ["Clock", "can_be_set", "lacking"]


def _library() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def lacking() -> str:
    """Return why no clock can be set here, or ""."""
    return "" if _library() else "Debian's `faketime` is not installed"


@dataclass(frozen=True)
class _Section(Program):
    text: str = ""

    def section(self, _: Path) -> str:
        return self.text


class Clock:
    """What the programs see: this many seconds from the true time."""

    def __init__(self, settings: Settings) -> None:
        self.file = settings.home / "clock"

    def set(self, seconds: int) -> None:
        """Let the clock jump."""
        self.file.write_text(f"{seconds:+d}\n")


@contextmanager
def can_be_set(settings: Settings, programs: Sequence[str]) -> Iterator[None]:
    """Start these programs anew under a clock that can be set; afterwards as they were."""
    clock, supervisor = Clock(settings), Supervisor(settings)
    clock.set(0)
    variables = {
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": clock.file,
        "FAKETIME_CACHE_DURATION": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
    }
    added = ",".join(f'{name}="{value}"' for name, value in variables.items())
    before = {name: (settings.home / f"supervisor/programs/{name}.conf").read_text() for name in programs}
    try:
        for name, text in before.items():
            lines = [f"{line},{added}" if line.startswith("environment=") else line for line in text.splitlines()]
            section = "\n".join(lines).replace("environment=,", "environment=") + "\n"
            supervisor.add(_Section(name, [], text=section))
        yield
    finally:
        for name, text in before.items():
            supervisor.add(_Section(name, [], text=text))
        clock.file.unlink()
