"""Small plots as inline SVG: pure functions from numbers to markup that needs neither script nor style attribute."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = ["Band", "interval_plot", "measure_plot", "weight_plot"]

_WIDTH, _HEIGHT = 300, 72
_LEFT, _RIGHT = 2.0, 196.0
"""Between these the plot lies; the labels stand to the right of it."""
_TOP, _BOTTOM = 6.0, 66.0
_LABEL_GAP = 12.0
_MOST_POINTS = 60


@dataclass(frozen=True)
class Band:
    """One look at a measure: seconds since the epoch, the effect, and its interval (None: no bound is known)."""

    time: float
    effect: float | None
    lower: float | None
    upper: float | None


def weight_plot(looks: Sequence[tuple[float, Mapping[int, int]]], described: str) -> Markup:
    """Draw percent of the requests over time, a line for each version, labelled at its end.

    Args:
        looks: at least one; seconds since the epoch, oldest first, and percent by version. A weight holds until the
            next look.
        described: what somebody hears who does not see the plot.
    """
    x = _across([time for time, _ in looks])
    versions = sorted({version for _, weights in looks for version in weights})
    drawn, labels = [], []
    for version in versions:
        heights = [_up(weights.get(version, 0), 0, 100) for _, weights in looks]
        path = [f"M{x(looks[0][0]):.1f} {heights[0]:.1f}"]
        for (time, _), before, height in zip(looks[1:], heights, heights[1:], strict=False):
            if height != before:
                path.append(f"H{x(time):.1f}V{height:.1f}")
        path.append(f"H{_RIGHT:.1f}")
        # Solid, the others dashed: apart by more than their colour.
        kind = "newest" if version == versions[-1] else "older"
        drawn.append(f'<path class="line {kind}" d="{"".join(path)}"/>')
        labels.append((heights[-1], f"v{version} {looks[-1][1].get(version, 0)} %"))
    return _svg([_rule(_BOTTOM, "axis"), *drawn, *_labels(labels)], described)


def measure_plot(looks: Sequence[Band], neutral: float, limit: tuple[float, str], described: str) -> Markup:
    """Draw a measure's effect over time within its interval, beside its limit.

    Args:
        looks: at least one, oldest first; of many, some are left out.
        neutral: the effect of two equal versions.
        limit: the effect that is allowed, and how it is labelled.
        described: what somebody hears who does not see the plot.
    """
    allowed, label = limit
    room = allowed - neutral
    known = [look.effect for look in looks if look.effect is not None]
    low = neutral - room
    # Early intervals span everything; what lies far off is cut so that the limit can be told from neutral.
    high = min(max([allowed + room, *(1.1 * effect for effect in known)]), neutral + 6 * room)
    looks = _thinned(looks)
    x = _across([look.time for look in looks])

    def y(value: float | None, unbounded: float) -> float:
        return _up(unbounded if value is None else value, low, high)

    ends = [
        (x(look.time), y(look.lower, -math.inf), y(look.upper, math.inf), y(look.effect, neutral)) for look in looks
    ]
    ends.append((_RIGHT, *ends[-1][1:]))
    outline = [f"{at:.1f} {upper:.1f}" for at, _, upper, _ in ends]
    outline += [f"{at:.1f} {lower:.1f}" for at, lower, _, _ in reversed(ends)]
    effect = "L".join(f"{at:.1f} {middle:.1f}" for at, _, _, middle in ends)
    parts = [
        f'<path class="band" d="M{"L".join(outline)}Z"/>',
        _rule(y(neutral, neutral), "axis"),
        _rule(y(allowed, allowed), "limit"),
        f'<path class="line newest" d="M{effect}"/>',
        *_labels([(y(allowed, allowed), f"limit {label}"), (y(neutral, neutral), "equal")]),
    ]
    return _svg(parts, described)


def interval_plot(
    interval: tuple[float, float, float], neutral: float, limit: tuple[float, str], described: str
) -> Markup:
    """Draw one look at a measure: its lower bound, effect and upper bound on a line, beside equal and its limit.

    Args: as of :func:`measure_plot`.
    """
    allowed, label = limit
    room = allowed - neutral
    low, high = neutral - room, max(allowed, min(interval[1], neutral + 6 * room)) + room

    def x(value: float) -> float:
        return _LEFT + (min(max(value, low), high) - low) / (high - low) * (_WIDTH - 2 * _LEFT)

    lower, effect, upper = (x(value) for value in interval)
    middle, top, bottom = _HEIGHT / 2, _TOP + _LABEL_GAP, _BOTTOM - 8
    parts = [
        f'<path class="axis" d="M{x(neutral):.1f} {top}V{bottom}"/>',
        f'<path class="limit" d="M{x(allowed):.1f} {top}V{bottom}"/>',
        f'<path class="band" d="M{lower:.1f} {middle}H{upper:.1f}"/>',
        f'<circle cx="{effect:.1f}" cy="{middle}" r="3.5"/>',
        f'<text x="{x(neutral):.1f}" y="{_TOP + 6}" text-anchor="middle">equal</text>',
        f'<text x="{x(allowed):.1f}" y="{_HEIGHT}" text-anchor="middle">limit {escape(label)}</text>',
    ]
    return _svg(parts, described)


def _thinned(looks: Sequence[Band]) -> Sequence[Band]:
    """Keep at most so many looks, the newest among them."""
    stride = math.ceil(len(looks) / _MOST_POINTS)
    return looks[(len(looks) - 1) % stride :: stride]


def _across(times: Sequence[float]) -> Callable[[float], float]:
    """From a time to a horizontal place. A little is left at the right end, where the last value still holds."""
    scale = (_RIGHT - 8 - _LEFT) / max(times[-1] - times[0], 1.0)
    return lambda time: _LEFT + (time - times[0]) * scale


def _up(value: float, low: float, high: float) -> float:
    """From a value to a vertical place, cut at the plot's edges."""
    return _BOTTOM - (min(max(value, low), high) - low) / (high - low) * (_BOTTOM - _TOP)


def _rule(at: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{_LEFT} {at:.1f}H{_RIGHT}"/>'


def _labels(labels: Sequence[tuple[float, str]]) -> list[str]:
    """Write each label beside its line, moved up where it would cover the one below."""
    written, below = [], _HEIGHT + _LABEL_GAP
    for at, text in sorted(labels, reverse=True):
        below = min(at + 3.5, below - _LABEL_GAP)
        written.append(f'<text x="{_RIGHT + 4}" y="{below:.1f}">{escape(text)}</text>')
    return written


def _svg(parts: Sequence[str], described: str) -> Markup:
    head = f'<svg class="plot" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-label="{escape(described)}">'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 # numbers, and texts that were escaped
