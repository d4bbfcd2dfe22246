"""The ways from one phase into another; each is one line of the history."""

from __future__ import annotations

from typing import Any

from release.phases.situation import Situation
from release.reasons import Reason
from release.status import CanaryStatus, Phase, Rejection, ReleaseStatus, Transition, VersionRef

__all__ = [
    "abandon",
    "begin_trial",
    "change",
    "enter",
    "pause",
    "reject",
    "roll_back",
    "trial_of",
    "trial_phase",
    "weightless",
]

_KEPT_TRANSITIONS = 20


def enter(  # noqa: PLR0917 # the six facts of a transition
    status: ReleaseStatus,
    situation: Situation,
    phase: Phase,
    version: int | None,
    reason: str,
    message: str,
    **changes: Any,
) -> ReleaseStatus:
    """Return the status in another phase (or at another step), with the transition in its history.

    The newest 20 transitions are kept, and all that were not reported yet.
    """
    number = status.last_number + 1
    transition = Transition(
        number=number, time=situation.now, phase=phase, version=version, reason=reason, message=message
    )
    first = min(status.reported, number - _KEPT_TRANSITIONS)
    kept = tuple(each for each in status.history if each.number > first)
    return change(
        status,
        phase=phase,
        reason=reason,
        message=message,
        phase_since=situation.now,
        history=(*kept, transition),
        **changes,
    )


def change(status: ReleaseStatus, **changes: Any) -> ReleaseStatus:
    """Return the status with these fields changed."""
    return status.model_copy(update=changes)


def trial_phase(status: ReleaseStatus, situation: Situation, artifact: VersionRef) -> Phase:
    """Return how a verified version is brought in: at once, or as a canary beside the stable one."""
    kept = status.previous is not None and status.previous.digest == artifact.digest
    at_once = status.stable is None or kept or not situation.spec.strategy.steps
    return Phase.PROMOTING if at_once else Phase.CANARY


def begin_trial(status: ReleaseStatus, situation: Situation, artifact: VersionRef) -> ReleaseStatus:
    """Start a verified version, without weight."""
    trial = CanaryStatus(**artifact.model_dump(), since=situation.now, started=situation.now)
    phase = trial_phase(status, situation, artifact)
    message = f"version {artifact.version} is verified and published; it is being started"
    return enter(status, situation, phase, artifact.version, Reason.VERIFIED, message, canary=trial)


def roll_back(status: ReleaseStatus, situation: Situation, reason: str, message: str) -> ReleaseStatus:
    """Take the canary's weight away and remember why it is not tried again."""
    trial = weightless(status)
    artifact = VersionRef(version=trial.version, digest=trial.digest, storage_uri=trial.storage_uri)
    rejected = Rejection(version=trial.version, reason=reason, message=message, artifact=artifact)
    previous = status.previous if status.previous and status.previous.version != trial.version else None
    return enter(
        status,
        situation,
        Phase.ROLLING_BACK,
        trial.version,
        reason,
        message,
        canary=trial,
        rejected=rejected,
        previous=previous,
    )


def abandon(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Take the canary's weight away because the alias names another version now."""
    trial = weightless(status)
    message = (
        f"the alias {situation.spec.alias} names version {status.target} now; version {trial.version} is abandoned"
    )
    return enter(status, situation, Phase.ROLLING_BACK, trial.version, Reason.ALIAS_MOVED, message, canary=trial)


def reject(status: ReleaseStatus, situation: Situation, version: int, reason: str, message: str) -> ReleaseStatus:
    """Refuse a version that never ran here."""
    rejected = Rejection(version=version, reason=reason, message=message)
    return enter(status, situation, Phase.REJECTED, version, reason, message, rejected=rejected)


def pause(
    status: ReleaseStatus, situation: Situation, reason: str, message: str, *, canary: CanaryStatus | None
) -> ReleaseStatus:
    """Stop going on until somebody decides, or what is missing comes back."""
    version = canary.version if canary else status.target
    return enter(status, situation, Phase.PAUSED, version, reason, message, canary=canary)


def weightless(status: ReleaseStatus) -> CanaryStatus:
    """Return the canary without its share of requests."""
    return trial_of(status).model_copy(update={"weight": 0})


def trial_of(status: ReleaseStatus) -> CanaryStatus:
    """Return the canary of a phase that has one."""
    assert status.canary is not None  # noqa: S101 # each way into such a phase sets it
    return status.canary
