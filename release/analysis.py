"""Judging a canary by what it answered, against what stable answered at the same time (docs/analysis.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release.counts import BUCKET_BOUNDS, Counts
from release.measure import Measure, Outcome, Sample, compare_errors, compare_labels, compare_latency
from release.reasons import Reason
from release.spec import Analysis
from release.status import Compared, Measured

__all__ = ["Judgement", "Measure", "Outcome", "judge"]

_MEASURES = 3
_ALL = 100
_REASONS = {
    "errors": Reason.ERRORS_INCREASED,
    "latencyP95": Reason.LATENCY_INCREASED,
    "predictions": Reason.PREDICTIONS_SHIFTED,
}


@dataclass(frozen=True)
class Judgement:
    """The outcome of a whole analysis; ``reason`` is one word, ``message`` for a person, with numbers."""

    outcome: Outcome
    measures: tuple[Measure, ...]
    reason: str
    message: str


def judge(measured: Measured, rules: Analysis) -> Judgement:
    """Judge by everything counted since the canary's start; ask as often as you like, the confidence holds.

    Failed if a measure is beyond its limit and worse than stable's for sure. Each test has a third of what
    ``confidence`` leaves, so a canary that equals stable fails in one release of twenty at most (confidence 0.95).
    Successful needs ``minRequests`` of the canary, and every measure within its limit: one that is beyond it, but
    perhaps by chance, waits for more requests.
    """
    # What one answered while the other had nothing to answer cannot be compared; at 100 % that is so by intent.
    steps = [step for step in measured.steps if step.weight < _ALL and step.stable.requests and step.canary.requests]
    if not steps:
        return Judgement(Outcome.INCONCLUSIVE, (), Reason.TOO_FEW_REQUESTS, _few(0, rules))
    canary = _together([(1.0, step.canary) for step in steps])
    stable = _together(list(zip(_of_the_same_time(steps), (step.stable for step in steps), strict=True)))
    alpha = (1 - rules.confidence) / _MEASURES
    compared = (
        compare_errors(stable, canary, rules.max_error_increase, alpha),
        compare_latency(stable, canary, rules.max_latency_p95_ratio, alpha),
        compare_labels(stable, canary, rules.max_prediction_shift, alpha),
    )
    measures = tuple(each for each in compared if each is not None)
    said = {outcome: [each for each in measures if each.outcome is outcome] for outcome in Outcome}
    if failed := said[Outcome.FAILED]:
        message = f"after {canary.requests:,.0f} requests: {_listed(failed)}"
        return Judgement(Outcome.FAILED, measures, _REASONS[failed[0].name], message)
    if canary.requests < rules.min_requests:
        return Judgement(Outcome.INCONCLUSIVE, measures, Reason.TOO_FEW_REQUESTS, _few(canary.requests, rules))
    if unsure := said[Outcome.INCONCLUSIVE]:
        message = f"{canary.requests:,.0f} requests do not tell yet: {_listed(unsure)}"
        return Judgement(Outcome.INCONCLUSIVE, measures, Reason.UNCERTAIN, message)
    message = f"after {canary.requests:,.0f} requests: {_listed(measures)}"
    return Judgement(Outcome.SUCCESSFUL, measures, Reason.SUCCESSFUL, message)


def _of_the_same_time(steps: Sequence[Compared]) -> list[float]:
    """Return by how much to thin what stable answered at each weight, so that it is spread over time as the canary's.

    Without this, errors of both versions while the canary has half of the requests would look like the canary's: it
    answers a large part of its requests then, stable a small part of its own. Thinning only widens the intervals.
    """
    odds = [step.weight / (_ALL - step.weight) for step in steps]
    return [each / max(odds) for each in odds]


def _together(parts: Sequence[tuple[float, Counts]]) -> Sample:
    """Return the sum of these counts, each times its factor."""
    latency = [0.0] * (len(BUCKET_BOUNDS) + 1)
    labels: dict[str, float] = {}
    for factor, counts in parts:
        for bucket, requests in enumerate(counts.latency):
            latency[bucket] += factor * requests
        for label, held in counts.labels.items():
            labels[label] = labels.get(label, 0.0) + factor * held
    total = sum(factor * counts.requests for factor, counts in parts)
    errors = sum(factor * counts.errors for factor, counts in parts)
    return Sample(total, errors, latency, labels)


def _few(requests: float, rules: Analysis) -> str:
    return f"{requests:,.0f} of the {rules.min_requests} requests that it takes to judge, while stable answers some too"


def _listed(measures: Sequence[Measure]) -> str:
    return "; ".join(f"{_values(each)}{_bound(each)}" for each in measures)


def _values(found: Measure) -> str:
    if found.stable is None or found.canary is None:
        return f"label shares differ by {found.effect:.2f}"
    if found.name == "errors":
        return f"{found.canary:.2%} of its requests failed, {found.stable:.2%} of stable's"
    return f"its p95 is {1000 * found.canary:.1f} ms, stable's {1000 * found.stable:.1f} ms"


def _bound(found: Measure) -> str:
    """Say how far beyond its limit a measure is, and how far for sure; nothing of one within it."""
    if found.outcome is Outcome.SUCCESSFUL:
        return ""
    lower = max(found.lower, 0.0)
    if found.name == "errors":
        return f" ({100 * found.effect:.2f} points more, {100 * lower:.2f} for sure; {100 * found.limit:g} allowed)"
    if found.name == "latencyP95":
        return f" ({found.effect:.2f} times as long, {lower:.2f} for sure; {found.limit:g} allowed)"
    return f" ({lower:.2f} for sure; {found.limit:g} allowed)"
