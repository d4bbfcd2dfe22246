"""Durations as Kubernetes users write them: ``2s``, ``10m``, ``1h30m``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

__all__ = ["Seconds", "format_seconds", "parse_seconds"]

_FORM = re.compile(r"(?:(?P<h>[0-9]+)h)?(?:(?P<m>[0-9]+)m)?(?:(?P<s>[0-9]+)s)?")
_SCHEMA = {"type": "string", "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2, "maxLength": 20}
_MOST = 30 * 24 * 3600


def parse_seconds(text: object) -> int:
    """Return the seconds of a duration.

    Raises:
        ValueError: it is not in the form ``1h30m``, ``10m`` or ``2s``, or longer than 30 days.
    """
    matched = _FORM.fullmatch(text) if isinstance(text, str) and text else None
    if matched is None:
        raise ValueError("is not a duration: expected for example 2s, 10m or 1h30m")
    hours, minutes, seconds = (int(matched[unit] or 0) for unit in "hms")
    total = hours * 3600 + minutes * 60 + seconds
    if total > _MOST:
        raise ValueError("is longer than 30 days")
    return total


def format_seconds(seconds: int) -> str:
    """Return the shortest form that :func:`parse_seconds` reads back."""
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s"))
    return "".join(f"{value}{unit}" for value, unit in parts if value) or "0s"


Seconds = Annotated[
    int,
    BeforeValidator(lambda given: given if isinstance(given, int) else parse_seconds(given)),
    PlainSerializer(format_seconds),
    WithJsonSchema(_SCHEMA),
]
"""Whole seconds in Python, a duration string outside."""
