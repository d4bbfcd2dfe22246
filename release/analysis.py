"""Judging a canary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from release.counts import Counts
from release.reasons import Reason
from release.spec import Analysis

__all__ = ["Judgement", "Measure", "Outcome", "judge"]


class Outcome(StrEnum):
    """What an analysis can say."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True)
class Measure:
    """One measure's comparison.

    Attributes:
        name: ``errors``, ``latencyP95`` or ``predictions``.
        stable: the stable version's value: a share, seconds, or None for what has no value of one version.
        canary: the canary's.
        effect: what is compared with the limit: difference of shares, ratio of the 95th percentiles, total variation.
        lower: the effect is above this at the test's confidence, at every look together.
        upper: and below this.
        limit: what the spec allows.
        outcome: Failed if ``lower`` is above the limit.
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
class Judgement:
    """The outcome of a whole analysis; ``reason`` is one word, ``message`` for a person, with numbers."""

    outcome: Outcome
    measures: tuple[Measure, ...]
    reason: str
    message: str


def judge(stable: Counts, canary: Counts, rules: Analysis) -> Judgement:
    """Interim."""
    if canary.requests < rules.min_requests:
        return Judgement(
            Outcome.INCONCLUSIVE,
            (),
            Reason.TOO_FEW_REQUESTS,
            f"{canary.requests} of {rules.min_requests} requests so far",
        )
    if canary.errors / canary.requests > stable.errors / max(stable.requests, 1) + rules.max_error_increase:
        return Judgement(Outcome.FAILED, (), Reason.ERRORS_INCREASED, "more errors")
    return Judgement(Outcome.SUCCESSFUL, (), Reason.SUCCESSFUL, "fine")
