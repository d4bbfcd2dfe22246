"""Durations as Prometheus writes them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

__all__ = ["Seconds", "prometheus"]

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_FORM = re.compile(r"(\d+)([dhms])")


def _parse(text: object) -> float:
    matched = _FORM.fullmatch(text) if isinstance(text, str) else None
    if matched is None:
        raise ValueError("is not a duration: expected for example 15s, 5m, 1h or 3d")
    return int(matched[1]) * float(dict(_UNITS)[matched[2]])


def prometheus(seconds: float) -> str:
    """Return the shortest form of a duration: ``5m``, ``90s``, ``500ms``."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds) // size}{unit}"
    return "0s"


Seconds = Annotated[float, BeforeValidator(_parse)]
"""Seconds in Python, ``5m`` in the file."""
