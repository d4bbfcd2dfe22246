"""Free ports, taken ports, and who holds them."""

from __future__ import annotations

import json
import socket
from collections.abc import Collection
from pathlib import Path

import psutil

from infra.local.files import write_private
from infra.local.settings import LOOPBACK

__all__ = ["free_port", "holder", "is_free", "remembered"]


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(besides: Collection[int] = ()) -> int:
    """Return a port that nobody listens on at this moment, and none of those that were chosen before."""
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in besides:
            return port


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return "another process"


def remembered(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Return a port for each name: the one used last time where it is still free, else a new one.

    A store that keeps its neighbours' addresses on disk starts faster on the ports it knows.
    """
    held: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ports: dict[str, int] = {}
    for name in names:
        port = held.get(name, 0)
        if port in (0, *ports.values()) or not is_free(port):
            port = free_port(ports.values())
        ports[name] = port
    write_private(path, json.dumps(ports, indent=2))
    return ports
