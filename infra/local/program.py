"""A program that the supervisor keeps running, as a section of its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["MARKER", "Program"]

MARKER = "FERRYMAN_SUPERVISED"
"""In the environment of every process of a stack, with the stack's home as its value: how orphans are told."""


@dataclass(frozen=True)
class Program:
    """What to run, and with which variables beside the supervisor's own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 10
    folder: Path | None = None

    def section(self, logs: Path) -> str:
        """Return the ``[program:…]`` section (supervisor's configuration reference)."""
        variables = ",".join(f'{key}="{_escaped(value)}"' for key, value in sorted(self.environment.items()))
        lines = [
            f"[program:{self.name}]",
            f"command={_escaped(' '.join(_quoted(word) for word in self.command))}",
            f"environment={variables}",
            *([f"directory={_escaped(str(self.folder))}"] if self.folder else []),
            f"stdout_logfile={_escaped(str(logs / f'{self.name}.log'))}",
            "stdout_logfile_maxbytes=5MB",
            "stdout_logfile_backups=1",
            "redirect_stderr=true",
            "autorestart=true",
            "startsecs=2",
            "startretries=3",
            f"stopwaitsecs={self.stop_seconds}",
            "stopasgroup=true",
            "killasgroup=true",
        ]
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """A percent sign begins an expansion in the supervisor's configuration."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
