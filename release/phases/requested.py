"""Carrying out what people ask of a release, each request once."""

from __future__ import annotations

from release.phases.canary import first_step
from release.phases.move import change, enter, reject, roll_back
from release.phases.situation import Situation
from release.reasons import NOT_JUDGED, Reason
from release.status import Phase, ReleaseStatus

__all__ = ["carry_out_requests"]


def carry_out_requests(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Return the status after abort, retry and resume, as far as they are new and fit what is under way.

    A request that fits nothing is over: it must not strike a later release. Only ``retry`` waits, for a rollback's end.
    """
    requests = situation.observations.requests
    for kind, token in (("abort", requests.abort), ("retry", requests.retry), ("resume", requests.resume)):
        if token is None or status.handled.get(kind) == token:
            continue
        if kind == "retry" and status.phase == Phase.ROLLING_BACK:
            continue
        status = _KINDS[kind](status, situation)
        status = change(status, handled=status.handled | {kind: token})
    return status


def _abort(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    message = "somebody aborted it"
    if status.canary is not None and status.phase != Phase.ROLLING_BACK:
        return roll_back(status, situation, Reason.ABORTED, f"version {status.canary.version}: {message}")
    if status.phase in (Phase.VERIFYING, Phase.PAUSED) and status.target is not None:
        return reject(status, situation, status.target, Reason.ABORTED, f"version {status.target}: {message}")
    return status


def _retry(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    rejected = status.rejected
    if status.phase != Phase.REJECTED or rejected is None or rejected.version != status.target:
        return status
    message = f"somebody asked to try version {rejected.version} again"
    return enter(status, situation, Phase.VERIFYING, rejected.version, Reason.RETRIED, message, rejected=None)


def _resume(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    trial = status.canary
    if status.phase != Phase.PAUSED or trial is None:
        return status
    if status.reason == Reason.AWAITING_DECISION:
        message = f"somebody let version {trial.version} go on"
        return enter(
            status,
            situation,
            Phase.CANARY,
            trial.version,
            Reason.RESUMED,
            message,
            canary=trial.model_copy(update={"approved": True, "inconclusive_since": None}),
        )
    if status.reason in NOT_JUDGED:
        return first_step(status, situation)
    return status


_KINDS = {"abort": _abort, "retry": _retry, "resume": _resume}
