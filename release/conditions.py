"""What `kubectl describe` shows: conditions with a reason and a message that a person can act on."""

from __future__ import annotations

from release.analysis import Outcome
from release.observation import Published, Refused, Unavailable
from release.phases.idle import waits_for
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import Condition, Phase, ReleaseStatus

__all__ = ["with_conditions"]

_Said = tuple[str, str, str, str]
"""Type, status, reason, message."""
_OF_OUTCOME = {Outcome.SUCCESSFUL: "True", Outcome.FAILED: "False", Outcome.INCONCLUSIVE: "Unknown"}


def with_conditions(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Return the status with its conditions as of now; what cannot be said now stays as it was."""
    before = {condition.type: condition for condition in status.conditions}
    said = (
        _progressing(status, situation),
        _verified(status, situation),
        _analysed(status, situation),
        _ready(status, situation),
    )
    now = before | {each[0]: _condition(each, before.get(each[0]), situation.now) for each in said if each is not None}
    return status if now == before else status.model_copy(update={"conditions": tuple(now.values())})


def _condition(said: _Said, before: Condition | None, now: float) -> Condition:
    kind, status, reason, message = said
    if before is not None and (before.status, before.reason, before.message) == (status, reason, message):
        return before
    changed = before is None or before.status != status
    since = now if changed or before is None else before.last_transition_time
    return Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=since)


def _progressing(status: ReleaseStatus, situation: Situation) -> _Said:
    """Whether the release follows the alias, or what keeps it from that."""
    kind = "Progressing"
    if status.phase in (Phase.PAUSED, Phase.REJECTED):
        return kind, "False", status.reason, status.message
    if status.phase == Phase.STABLE:
        if status.stable is not None and status.stable.version == status.target and situation.registry.reachable:
            return kind, "True", Reason.UP_TO_DATE, f"version {status.target} serves all requests"
        if waits := waits_for(status, situation):
            return kind, "False", *waits
    trial = status.canary
    if trial is not None and (blocked := situation.seen(trial.version).blocked) is not None:
        return kind, "False", Reason.BLOCKED, f"version {trial.version} cannot start: {blocked}"
    return kind, "True", status.reason or Reason.UP_TO_DATE, status.message


def _verified(status: ReleaseStatus, situation: Situation) -> _Said | None:
    """Whether what the alias names may be released."""
    kind, target = "Verified", status.target
    if target is None:
        return None
    verdict = situation.verdict(target)
    name = f"version {target}"
    if isinstance(verdict, Published):
        return kind, "True", Reason.VERIFIED, f"{name} was verified and published: {verdict.artifact.storage_uri}"
    if isinstance(verdict, Refused):
        return kind, "False", verdict.reason, verdict.message
    if status.phase != Phase.VERIFYING:
        return None
    if isinstance(verdict, Unavailable):
        message = f"{name} cannot be verified now: {verdict.message}. Tenants go on with what they serve"
        return kind, "Unknown", Reason.VERIFICATION_UNAVAILABLE, message
    return kind, "Unknown", Reason.VERIFYING, f"{name} is being verified and published"


def _analysed(status: ReleaseStatus, situation: Situation) -> _Said | None:
    """How the canary compares with stable; after the trial, how it did."""
    trial, judgement = status.canary, situation.judgement
    if trial is None:
        return None
    if judgement is not None:
        return "Analysed", _OF_OUTCOME[judgement.outcome], judgement.reason, judgement.message
    if trial.step < 0 and status.phase != Phase.ROLLING_BACK:
        return "Analysed", "Unknown", Reason.STARTING, f"version {trial.version} has had no requests yet"
    return None


def _ready(status: ReleaseStatus, situation: Situation) -> _Said:
    """Whether the stable version answers."""
    stable = status.stable
    if stable is None:
        return "Ready", "False", Reason.NOTHING_RELEASED, "nothing is released yet"
    if situation.seen(stable.version).ready:
        return "Ready", "True", Reason.UP_TO_DATE, f"version {stable.version} is ready"
    return "Ready", "False", Reason.NOT_READY, f"version {stable.version}, the stable one, is not ready; see its log"
