"""What was measured of a release in the last minutes, for plots."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Mapping
from typing import Any

from release.analysis import Judgement

__all__ = ["Trace"]

_SECONDS = 15 * 60
_SPACING_SECONDS = 2.0
_NUMBERS = ("stable", "canary", "effect", "lower", "upper", "limit")


class Trace:
    """Weights by version and the judged measures over time. Small, for there is one for each of many releases."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, dict[int, int], str, dict[str, tuple[str, array[float]]]]] = deque()

    def add(self, now: float, weights: Mapping[int, int], judgement: Judgement | None) -> None:
        """Add what is so at a moment, unless nothing changed or the last moment was just now."""
        last = self._points[-1] if self._points else None
        if last is not None and last[1] == weights and (judgement is None or now - last[0] < _SPACING_SECONDS):
            return
        measures = judgement.measures if judgement else ()
        packed = {
            each.name: (
                str(each.outcome),
                array("d", (math.nan if (v := getattr(each, name)) is None else v for name in _NUMBERS)),
            )
            for each in measures
        }
        self._points.append((now, dict(weights), str(judgement.outcome) if judgement else "", packed))
        while len(self._points) > 1 and now - self._points[0][0] > _SECONDS:
            self._points.popleft()

    def document(self) -> list[dict[str, Any]]:
        """Return the points as JSON has them, oldest first; a number that there is none of is null."""
        return [
            {
                "time": time,
                "weights": {str(version): weight for version, weight in weights.items()},
                "outcome": outcome or None,
                "measures": {
                    measure: {"outcome": judged}
                    | {
                        name: None if not math.isfinite(value) else value
                        for name, value in zip(_NUMBERS, values, strict=True)
                    }
                    for measure, (judged, values) in packed.items()
                },
            }
            for time, weights, outcome, packed in list(self._points)
        ]
