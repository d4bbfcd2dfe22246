"""The supervisor inside the node, asked over its socket from outside."""

from __future__ import annotations

import sys
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from infra.local.program import Program
from infra.node.configuration import SUPERVISOR_SOCKET
from infra.node.layout import Layout

__all__ = ["alive", "command", "start", "states"]


def command(layout: Layout) -> list[str]:
    """The command line of the supervisor itself."""
    return [sys.executable, "-m", "supervisor.supervisord", "-c", f"{layout.state}/supervisord.conf"]


def start(layout: Layout, pid: int, programs: Iterable[Program]) -> None:
    """Start further programs and keep them running; ``pid`` is the node's first process."""
    folder = layout.state / "programs"
    folder.mkdir(exist_ok=True)
    for program in programs:
        (folder / f"{program.name}.conf").write_text(program.section(layout.logs))
        _call(pid).reloadConfig()
        _call(pid).addProcessGroup(program.name)


def states(pid: int) -> dict[str, str]:
    """The state of every program by name, in the supervisor's words."""
    return {each["name"]: each["statename"] for each in _call(pid).getAllProcessInfo()}


def alive(pid: int) -> bool:
    """Whether the supervisor answers."""
    try:
        return bool(_call(pid).getState()["statename"] == "RUNNING")
    except (OSError, xmlrpc.client.Error):
        return False


def _call(pid: int) -> Any:
    socket = Path(f"/proc/{pid}/root") / SUPERVISOR_SOCKET.lstrip("/")
    transport = SupervisorTransport(None, None, f"unix://{socket}")
    return xmlrpc.client.ServerProxy("http://localhost", transport=transport).supervisor
