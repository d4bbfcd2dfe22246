"""The log: one JSON object a line on stderr, a line for each request, never its text."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

__all__ = ["RequestLog", "configure"]

_FLUSH_SECONDS = 0.25
_FLUSH_LINES = 500


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _stamp(record.created), "level": record.levelname, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure() -> None:
    """Log ours from INFO on; of the libraries' only what somebody has to act on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("inference").setLevel(logging.INFO)


class RequestLog:
    """Lines are collected and written a few times a second: one write a request would cost more than its answer."""

    def __init__(self, tenant: str, version: str) -> None:
        self._lines: list[str] = []
        self._known = f'"tenant":"{tenant}","version":"{version}"'

    def add(self, request_id: str, protocol: str, code: str, seconds: float, trace: str) -> None:
        """Add a line. Nothing here needs escaping: ids and traces were checked, the rest is ours."""
        traced = f',"trace_id":"{trace}"' if trace else ""
        self._lines.append(
            f'{{"time":"{_stamp(time.time())}","level":"INFO","message":"answered","request_id":"{request_id}",'
            f'{self._known},"protocol":"{protocol}","code":"{code}","ms":{seconds * 1000:.3f}{traced}}}\n'
        )
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        elif len(self._lines) >= _FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        lines, self._lines = self._lines, []
        if lines:
            sys.stderr.write("".join(lines))
            sys.stderr.flush()


_second = (0, "")


def _stamp(moment: float) -> str:
    """Return UTC in RFC 3339 with milliseconds; formatting the seconds once each is a tenth of the cost."""
    global _second  # noqa: PLW0603 # a cache of one entry
    whole = int(moment)
    if whole != _second[0]:
        _second = whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{_second[1]}.{int(moment * 1000) % 1000:03d}Z"
