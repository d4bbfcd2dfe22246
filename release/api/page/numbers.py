"""Numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["MEASURES", "MeasureWords", "clock", "machine_time"]


@dataclass(frozen=True)
class MeasureWords:
    """How a measure of the analysis is spoken of.

    ``neutral`` is the effect of two equal versions; ``effect`` leaves its ``unit`` away, ``value`` has its own.
    """

    title: str
    compared: str
    neutral: float
    unit: str
    effect: Callable[[float | None], str]
    value: Callable[[float | None], str]


def clock(moment: float) -> str:
    """Return a time in UTC, ``2026-01-31 13:05:59 UTC``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_time(moment: float) -> str:
    """Return the same time for a ``datetime`` attribute."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _or_none(form: Callable[[float], str]) -> Callable[[float | None], str]:
    """Say so where there is no such number."""
    return lambda value: "none" if value is None else form(value)


def _share(share: float) -> str:
    return f"{share * 100:.2f} %"


def _points(difference: float) -> str:
    return f"{difference * 100:+.2f}".replace("-", "\N{MINUS SIGN}")


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}"


def _distance(distance: float) -> str:
    return f"{distance:.3f}"


MEASURES = {
    "errors": MeasureWords(
        "Errors", "share of failed requests, difference", 0.0, " points", _or_none(_points), _or_none(_share)
    ),
    "latencyP95": MeasureWords(
        "Latency", "95th percentile, ratio", 1.0, "\N{MULTIPLICATION SIGN}", _or_none(_ratio), _or_none(_seconds)
    ),
    "predictions": MeasureWords(
        "Predictions", "shift of the label shares", 0.0, "", _or_none(_distance), _or_none(_distance)
    ),
}
"""The measures of :mod:`release.analysis` by name."""
