"""The three measures of a canary, each compared with the stable version of the same time by one sequential test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from release.latency import slower_than
from release.sequential import exceedance_interval, label_radius, share_interval

__all__ = ["Measure", "Outcome", "Sample", "compare_errors", "compare_labels", "compare_latency"]

_SLOWEST_SHARE = 0.05


class Outcome(StrEnum):
    """What an analysis, or one measure of it, can say."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True)
class Measure:
    """One measure's comparison.

    Attributes:
        name: ``errors``, ``latencyP95`` or ``predictions``.
        stable: the stable version's value: the share of errors, or seconds; None for ``predictions``.
        canary: the canary's.
        effect: what is compared with the limit: the difference of error shares, the ratio of the 95th percentiles, the
            total variation of the label shares.
        lower: the effect is not below this: true at every look together, at the confidence of this measure's test.
        upper: nor above this, in the same sense.
        limit: what the spec allows.
        outcome: with ``effect`` beyond the limit, Failed if ``lower`` says for sure that the canary is the worse one,
            Inconclusive if that may be chance; Successful otherwise.
    """

    name: str
    stable: float | None
    canary: float | None
    effect: float
    lower: float
    upper: float
    limit: float
    outcome: Outcome


@dataclass(frozen=True)
class Sample:
    """What one version answered; counts may be fractions. ``latency`` by bucket, ``labels`` by label."""

    requests: float
    errors: float
    latency: Sequence[float]
    labels: Mapping[str, float]


def compare_errors(stable: Sample, canary: Sample, limit: float, alpha: float) -> Measure:
    """Compare the shares of requests that failed; half of ``alpha`` goes to each version's interval."""
    old, new = stable.errors / stable.requests, canary.errors / canary.requests
    old_low, old_high = share_interval(stable.errors, stable.requests, alpha / 2)
    new_low, new_high = share_interval(canary.errors, canary.requests, alpha / 2)
    effect, lower, upper = new - old, new_low - old_high, new_high - old_low
    return Measure("errors", old, new, effect, lower, upper, limit, _outcome(effect, lower, 0.0, limit))


def compare_latency(stable: Sample, canary: Sample, limit: float, alpha: float) -> Measure | None:
    """Compare the times that a twentieth of the requests took longer than; None without any times."""
    totals = sum(stable.latency), sum(canary.latency)
    if min(totals) <= 0:
        return None
    old, new = (_quantile(sample.latency, alpha / 2) for sample in (stable, canary))
    effect, lower, upper = new[1] / old[1], new[0] / old[2], new[2] / old[0]
    return Measure("latencyP95", old[1], new[1], effect, lower, upper, limit, _outcome(effect, lower, 1.0, limit))


def _quantile(latency: Sequence[float], alpha: float) -> tuple[float, float, float]:
    """Return the lower bound, the estimate and the upper bound of the 95th percentile, in seconds."""
    total = sum(latency)
    fewest, most = exceedance_interval(_SLOWEST_SHARE, total, alpha)
    low, estimate, high = (slower_than(latency, count) for count in (most, _SLOWEST_SHARE * total, fewest))
    return low, estimate, high


def compare_labels(stable: Sample, canary: Sample, limit: float, alpha: float) -> Measure | None:
    """Compare the shares of the labels by their total variation; None without any predictions."""
    totals = sum(stable.labels.values()), sum(canary.labels.values())
    if min(totals) <= 0:
        return None
    names = stable.labels.keys() | canary.labels.keys()
    old, new = ([sample.labels.get(name, 0.0) for name in names] for sample in (stable, canary))
    apart = sum(abs(a / totals[0] - b / totals[1]) for a, b in zip(old, new, strict=True)) / 2
    # A model with one label has nothing to shift to that was seen; with two hypotheses the interval is still right.
    radius = sum(label_radius(counts if len(counts) > 1 else [*counts, 0.0], alpha / 2) for counts in (old, new))
    lower, upper = max(apart - radius, 0.0), min(apart + radius, 1.0)
    return Measure("predictions", None, None, apart, lower, upper, limit, _outcome(apart, lower, 0.0, limit))


def _outcome(effect: float, lower: float, alike: float, limit: float) -> Outcome:
    """Return the outcome; ``alike`` is the effect of a canary that equals stable."""
    if effect <= limit:
        return Outcome.SUCCESSFUL
    return Outcome.FAILED if lower > alike else Outcome.INCONCLUSIVE
