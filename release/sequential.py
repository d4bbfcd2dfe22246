"""Intervals that hold at every look: sample as often as you like, stop when you like, and they are still right.

Each comes from a test martingale, the likelihood of the data averaged over a Dirichlet(1/2, …) prior, divided by the
likelihood under the hypothesis. By Ville's inequality it exceeds 1/alpha with a probability of alpha at most, over all
looks together; the interval holds the hypotheses for which it has not (Robbins 1970, "Statistical methods related to
the law of the iterated logarithm"; Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric,
nonasymptotic confidence sequences"; Johari, Koomen, Pekelis and Walsh 2022, "Always valid inference"). The likelihoods
are convex in the counts, so counts may be fractions: of an observation between 0 and 1, the martingale becomes a
supermartingale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["exceedance_interval", "label_radius", "share_interval"]

_HALVINGS = 28
_FAR = 30.0
"""Log odds beyond which a share is 0 or 1 for every purpose here."""


def share_interval(count: float, total: float, alpha: float) -> tuple[float, float]:
    """Return the lower and upper bound of a share of which ``count`` in ``total`` were seen; (0, 1) for no sample."""
    if total <= 0:
        return 0.0, 1.0
    # The mixture's log likelihood less log(1/alpha): hypotheses with a lower likelihood are excluded.
    least = _mixture((count, total - count)) + math.log(alpha)

    def inside(odds: float) -> bool:
        return -count * _softplus(-odds) - (total - count) * _softplus(odds) > least

    centre = math.log((count + 0.5) / (total - count + 0.5))
    lower = 0.0 if count <= 0 else _expit(_edge(inside, centre, -_FAR))
    upper = 1.0 if count >= total else _expit(_edge(inside, centre, _FAR))
    return lower, upper


def exceedance_interval(share: float, total: float, alpha: float) -> tuple[float, float]:
    """Return the least and highest count in ``total`` that can be of an event with this share.

    With the share above a quantile this is a confidence sequence for the quantile (Howard and Ramdas 2022, "Sequential
    estimation of quantiles with applications to A/B testing and best-arm identification").
    """
    most = -math.log(alpha)

    def inside(count: float) -> bool:
        null = count * math.log(share) + (total - count) * math.log1p(-share)
        return _mixture((count, total - count)) - null < most

    centre = share * total
    return _edge(inside, centre, 0.0), _edge(inside, centre, total)


def label_radius(counts: Sequence[float], alpha: float) -> float:
    """Return how far, in total variation, the true label shares can be from those seen; 1 for no sample.

    The sequence bounds the relative entropy of the shares seen to the true ones, Pinsker's inequality the distance.
    """
    total = sum(counts)
    if total <= 0:
        return 1.0
    best = sum(count * math.log(count / total) for count in counts if count > 0)
    return min(1.0, math.sqrt((best - _mixture(counts) - math.log(alpha)) / (2 * total)))


def _mixture(counts: Sequence[float]) -> float:
    """Return the log likelihood of these counts, averaged over a Dirichlet(1/2, …) prior of their shares."""
    prior = len(counts) / 2
    seen = sum(math.lgamma(count + 0.5) for count in counts) - math.lgamma(sum(counts) + prior)
    return seen - len(counts) * math.lgamma(0.5) + math.lgamma(prior)


def _edge(inside: Callable[[float], bool], within: float, without: float) -> float:
    """Return the edge of an interval between a point inside it and one that may be outside."""
    if inside(without):
        return without
    for _ in range(_HALVINGS):
        middle = (within + without) / 2
        within, without = (middle, without) if inside(middle) else (within, middle)
    return without


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _expit(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))
