"""What a release's trace shows in plots: its weights, and the measures of its last trial. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from release.analysis import Outcome
from release.api.page.numbers import MEASURES, MeasureWords
from release.api.page.plots import Band, measure_plot, weight_plot

__all__ = ["Figure", "Reading", "figures", "reading"]

_STANDING = {
    Outcome.SUCCESSFUL: "within the limit",
    Outcome.INCONCLUSIVE: "beyond the limit, perhaps by chance",
    Outcome.FAILED: "beyond the limit, and worse for sure",
}


@dataclass(frozen=True)
class Reading:
    """A measure as last judged, in words."""

    compared: str
    stable: str
    canary: str
    effect: str
    lower: str
    upper: str
    limit: str
    standing: str


@dataclass(frozen=True)
class Figure:
    """A plot between two moments (seconds since the epoch); of a measure, also its last reading."""

    key: str
    title: str
    plot: Markup
    begin: float
    end: float
    reading: Reading | None = None


def figures(trace: Sequence[Mapping[str, Any]]) -> tuple[Figure, ...]:
    """Return the plots of a trace as :meth:`release.trace.Trace.document` has it: none without two moments."""
    if len(trace) < 2:
        return ()
    weights = [(point["time"], {int(version): w for version, w in point["weights"].items()}) for point in trace]
    begin, end = weights[0][0], weights[-1][0]
    shares = ", ".join(f"version {version} has {weight} %" for version, weight in sorted(weights[-1][1].items()))
    plot = weight_plot(weights, f"Weights over time: now {shares or 'nothing is shared'}")
    trial = _last_trial(trace)
    measured = (_measure(name, words, trial) for name, words in MEASURES.items())
    return (Figure("weights", "Weight", plot, begin, end), *(each for each in measured if each))


def _last_trial(trace: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the newest stretch of moments at which a canary was judged."""
    trial: list[Mapping[str, Any]] = []
    for point in reversed(trace):
        if point["outcome"]:
            trial.append(point)
        elif trial:
            break
    return trial[::-1]


def _measure(name: str, words: MeasureWords, trial: Sequence[Mapping[str, Any]]) -> Figure | None:
    looks = [(point["time"], point["measures"][name]) for point in trial if name in point["measures"]]
    if not looks:
        return None
    last = looks[-1][1]
    read = reading(words, last)
    described = (
        f"{words.title}, {words.compared}: {read.effect}, surely between {read.lower} and {read.upper}; "
        f"limit {read.limit}: {read.standing}"
    )
    bands = [Band(time, look["effect"], look["lower"], look["upper"]) for time, look in looks]
    plot = measure_plot(bands, words.neutral, (last["limit"], read.limit), described)
    return Figure(name, words.title, plot, looks[0][0], looks[-1][0], read)


def reading(words: MeasureWords, look: Mapping[str, Any]) -> Reading:
    """Return in words one look at a measure, as :class:`release.measure.Measure` names its numbers."""
    return Reading(
        compared=words.compared,
        stable=words.value(look["stable"]),
        canary=words.value(look["canary"]),
        effect=words.effect(look["effect"]) + words.unit,
        lower=words.effect(look["lower"]),
        upper=words.effect(look["upper"]),
        limit=words.effect(look["limit"]) + words.unit,
        standing=_STANDING[look["outcome"]],
    )
