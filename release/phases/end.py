"""What ends a trial in any phase that has one: a failure, or an alias that names another version."""

from __future__ import annotations

from release.phases.health import failure
from release.phases.move import abandon, roll_back, trial_of
from release.phases.situation import Situation
from release.status import ReleaseStatus

__all__ = ["end"]


def end(status: ReleaseStatus, situation: Situation) -> ReleaseStatus | None:
    """Return the status rolling back, or None while nothing speaks against the trial."""
    trial = trial_of(status)
    if failed := failure(trial, situation):
        return roll_back(status, situation, *failed)
    if status.target is not None and status.target != trial.version:
        return abandon(status, situation)
    return None
