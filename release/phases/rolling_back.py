"""RollingBack: the canary's requests go back to stable, then the canary stops."""

from __future__ import annotations

from release.phases.move import enter, trial_of
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import Phase, ReleaseStatus

__all__ = ["rolling_back"]


def rolling_back(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """End when the gateway gives the canary nothing and, if it failed, its replicas are told to stop."""
    trial = trial_of(status)
    if status.stable is not None and trial.version in situation.weights:
        return status
    stable = f"version {status.stable.version} serves all requests" if status.stable else "nothing is released"
    rejected = status.rejected
    if rejected is None or rejected.version != trial.version:
        return enter(status, situation, Phase.STABLE, status.target, Reason.ALIAS_MOVED, stable, canary=None)
    exists = trial.version in situation.observations.versions
    if exists and not situation.seen(trial.version).stopped:
        return status
    message = f"{rejected.message}; {stable}"
    return enter(status, situation, Phase.REJECTED, trial.version, rejected.reason, message, canary=None)
