"""Processes of a node that is this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil


def kill(*words: str, number: int = signal.SIGKILL) -> int:
    """Send every process of the node with all of these words in its command line or control group a signal."""
    sent = 0
    own = Path("/proc/self/ns/pid").readlink()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            place = Path(f"/proc/{process.pid}")
            text = (place / "cmdline").read_text() + (place / "cgroup").read_text().replace("_", "-")
            if (place / "ns/pid").readlink() != own and all(word in text for word in words):
                os.kill(process.pid, number)
                sent += 1
    return sent


def stand_still(seconds: float, *words: str) -> None:
    """Stop one process for so long, as a machine without memory to spare does."""
    assert kill(*words, number=signal.SIGSTOP) == 1
    try:
        time.sleep(seconds)
    finally:
        kill(*words, number=signal.SIGCONT)
