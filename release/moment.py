"""Moments as Kubernetes writes them (RFC 3339, UTC); seconds since the epoch in Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

__all__ = ["Moment", "format_moment", "parse_moment"]


def parse_moment(text: object) -> float:
    """Return the seconds since the epoch.

    Raises:
        ValueError: it is no RFC 3339 moment with an offset.
    """
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise ValueError("is not a moment: expected for example 2026-01-31T12:00:00Z")
    return parsed.timestamp()


def format_moment(seconds: float) -> str:
    """Return the moment with milliseconds: phases may be shorter than a second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    float,
    BeforeValidator(lambda given: given if isinstance(given, int | float) else parse_moment(given)),
    PlainSerializer(format_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A float in Python, a date-time outside."""
