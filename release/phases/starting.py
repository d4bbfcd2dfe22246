"""A version without weight yet: it comes up, becomes ready, and passes the smoke set."""

from __future__ import annotations

from collections.abc import Callable

from release.phases.health import obstacle
from release.phases.move import pause, roll_back, trial_of
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import ReleaseStatus

__all__ = ["started", "starting"]


def starting(
    status: ReleaseStatus, situation: Situation, then: Callable[[ReleaseStatus, Situation], ReleaseStatus]
) -> ReleaseStatus:
    """Go on with ``then`` once the smoke set passed; end the trial if it did not."""
    trial = trial_of(status)
    seen = situation.seen(trial.version)
    if started(situation, trial.version):
        if seen.smoke == "":
            return then(status, situation)
        if seen.smoke is not None:
            message = f"version {trial.version} failed the smoke set, before any request: {seen.smoke}"
            return roll_back(status, situation, Reason.SMOKE_FAILED, message)
        return status
    if stuck := obstacle(trial, situation):
        return pause(status, situation, *stuck, canary=trial)
    return status


def started(situation: Situation, version: int) -> bool:
    """Whether a version runs and is ready."""
    seen = situation.seen(version)
    return seen.ready and not seen.stopped
