"""What makes a trial keep its weight for as long as it lasts."""

from __future__ import annotations

from release.phases.situation import Situation
from release.reasons import Reason
from release.status import CanaryStatus, ReleaseStatus

__all__ = ["hold"]


def hold(status: ReleaseStatus, situation: Situation, trial: CanaryStatus) -> tuple[Reason, str] | None:
    """Return the reason and message of what a person did that keeps the trial where it is, or None."""
    if status.target is None:
        message = (
            f"no version has the alias {situation.spec.alias}: version {trial.version} keeps its weight until one has"
        )
        return Reason.ALIAS_DELETED, message
    if situation.observations.requests.pause:
        return (
            Reason.PAUSED_BY_REQUEST,
            f"somebody asked for a pause: version {trial.version} keeps its weight until it is lifted",
        )
    return None
