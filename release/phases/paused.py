"""Paused: nothing goes on until somebody decides, or what was missing is back. Failures still roll back."""

from __future__ import annotations

from release.landscape import lacks_capacity
from release.observation import Published, Refused
from release.phases.end import end
from release.phases.hold import hold
from release.phases.move import enter, trial_of, trial_phase
from release.phases.situation import Situation
from release.phases.starting import started
from release.reasons import NOT_JUDGED, Reason
from release.status import CanaryStatus, Phase, ReleaseStatus

__all__ = ["paused"]

_NEEDS_RESUME = frozenset({Reason.AWAITING_DECISION, *NOT_JUDGED})
"""What only a person's `resume` ends."""


def paused(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Roll back what fails or was superseded; go on when the reason of the pause is gone."""
    if status.canary is None:
        return _unverified(status, situation)
    trial = trial_of(status)
    if ended := end(status, situation):
        return ended
    if status.reason in _NEEDS_RESUME or not _lifted(status, situation, trial):
        return status
    phase = trial_phase(status, situation, trial)
    since = situation.now if trial.step < 0 else trial.since
    going_on = trial.model_copy(update={"inconclusive_since": None, "since": since})
    message = f"version {trial.version} goes on"
    return enter(status, situation, phase, trial.version, Reason.RESUMED, message, canary=going_on)


def _unverified(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    target = status.target
    assert target is not None  # noqa: S101 # without a target the release is idle
    if not isinstance(situation.verdict(target), Published | Refused):
        return status
    message = f"there is a verdict on version {target} now"
    return enter(status, situation, Phase.VERIFYING, target, Reason.RESUMED, message)


def _lifted(status: ReleaseStatus, situation: Situation, trial: CanaryStatus) -> bool:
    if hold(status, situation, trial) is not None:
        return False
    if status.reason in (Reason.BLOCKED, Reason.NOT_STARTED_IN_TIME):
        begins = trial.step < 0 and trial_phase(status, situation, trial) == Phase.CANARY
        # As many replicas as stable's are asked for only when it shall get all requests.
        return started(situation, trial.version) and (begins or not lacks_capacity(status, situation.observations))
    return True
