"""A partition: packets to one port of loopback are dropped, by a rule that is removed again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["lacking", "unreachable"]


def lacking() -> str:
    """Return why nothing can be dropped here, or ""."""
    if os.geteuid() != 0 or not shutil.which("iptables"):
        return "only root may drop packets, and `iptables` has to be on PATH"
    listed = subprocess.run(["iptables", "-w", "-L", "INPUT", "-n"], capture_output=True, text=True, check=False)
    return listed.stderr.strip()


@contextmanager
def unreachable(port: int) -> Iterator[None]:
    """Let nothing through to this port."""
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "DROP"]
    subprocess.run(["iptables", "-w", "-I", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True)
