"""What makes a canary fail at once, and what keeps one from starting."""

from __future__ import annotations

from release.analysis import Outcome
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import CanaryStatus

__all__ = ["BLOCKED_SECONDS", "NOT_READY_SECONDS", "failure", "obstacle"]

NOT_READY_SECONDS = 15
BLOCKED_SECONDS = 120


def failure(trial: CanaryStatus, situation: Situation) -> tuple[str, str] | None:
    """Return the reason and message of a failure that ends the trial, or None.

    Readiness and the gateway's errors come first, whatever the sample says.
    """
    seen = situation.seen(trial.version)
    name = f"version {trial.version}"
    if seen.failed is not None:
        return Reason.FAILED_TO_RUN, f"{name} does not run: {seen.failed}"
    if not trial.weight:
        return None
    if trial.not_ready_since is not None and situation.since(trial.not_ready_since) >= NOT_READY_SECONDS:
        return Reason.NOT_READY, f"{name} had requests and was not ready for {NOT_READY_SECONDS} s; see its log"
    if errors := trial.measured.gateway_errors:
        return Reason.GATEWAY_ERRORS, f"the gateway itself failed {errors} requests to {name}: it did not answer them"
    if situation.judgement is not None and situation.judgement.outcome is Outcome.FAILED:
        return situation.judgement.reason, f"{name}: {situation.judgement.message}"
    return None


def obstacle(trial: CanaryStatus, situation: Situation) -> tuple[Reason, str] | None:
    """Return why a canary has not started, once it had its time; None while there is hope, or when it is ready."""
    seen = situation.seen(trial.version)
    waited = situation.since(trial.since)
    deadline = situation.spec.analysis.progress_deadline
    if seen.blocked is not None and waited >= min(deadline, BLOCKED_SECONDS):
        return Reason.BLOCKED, f"version {trial.version} cannot start: {seen.blocked}. It goes on when that is lifted"
    if waited >= deadline:
        message = f"version {trial.version} was not ready after {deadline} s; see its log. It goes on when it is ready"
        return Reason.NOT_STARTED_IN_TIME, message
    return None
