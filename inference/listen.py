"""Opening the REST port, so that a port that is taken is one sentence and not a traceback."""

from __future__ import annotations

import socket

__all__ = ["ListenError", "address", "listener"]

_BACKLOG = 2048


class ListenError(RuntimeError):
    """An address or port cannot be listened on."""


def address(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listener(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket.

    Raises:
        ListenError: the port is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP. With it on, the last part of an
    # answer waits 40 ms for the client's delayed acknowledgement (measured: 49 ms a request instead of 3).
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        why = error.strerror or "no such address"
        raise ListenError(f"cannot listen on {address(host, port)} (REST): {why}") from error
    return opened
