"""Promoting: as many replicas as stable has, then all requests."""

from __future__ import annotations

from release.landscape import lacks_capacity
from release.phases.end import end
from release.phases.health import obstacle
from release.phases.hold import hold
from release.phases.measuring import begin_measuring
from release.phases.move import change, enter, pause, trial_of
from release.phases.situation import Situation
from release.phases.starting import starting
from release.reasons import Reason
from release.status import Kept, Phase, ReleaseStatus, VersionRef

__all__ = ["promoting"]

_ALL = 100


def promoting(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Bring the version to all requests, or roll it back if it fails on the way."""
    trial = trial_of(status)
    if ended := end(status, situation):
        return ended
    if trial.weight == _ALL:
        return _promoted(status, situation)
    if held := hold(status, situation, trial):
        return pause(status, situation, *held, canary=trial)
    if trial.step < 0:
        return starting(status, situation, _all_requests)
    return _all_requests(status, situation)


def _all_requests(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    trial = trial_of(status)
    if not situation.seen(trial.version).ready or lacks_capacity(status, situation.observations):
        stuck = obstacle(trial, situation)
        return pause(status, situation, *stuck, canary=trial) if stuck else status
    # Counting begins with the first request; for a canary it goes on.
    measured = trial.measured if trial.weight else begin_measuring(status, situation)
    return change(
        status, canary=trial.model_copy(update={"weight": _ALL, "measured": measured, "not_ready_since": None})
    )


def _promoted(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    trial = trial_of(status)
    if situation.weights != {trial.version: _ALL} or not situation.seen(trial.version).ready:
        return status
    keep = situation.spec.strategy.keep_previous
    old = status.stable
    previous = Kept(**old.model_dump(), until=situation.now + keep) if old is not None and keep else None
    stable = VersionRef(version=trial.version, digest=trial.digest, storage_uri=trial.storage_uri)
    message = f"version {trial.version} serves all requests"
    return enter(
        status,
        situation,
        Phase.STABLE,
        trial.version,
        Reason.PROMOTED,
        message,
        stable=stable,
        previous=previous,
        canary=None,
    )
