"""The heart of the release controller: what shall be next, as a pure function of what is wanted and what was seen."""

from __future__ import annotations

from release.actions import Action
from release.analysis import Judgement, Outcome, judge
from release.conditions import with_conditions
from release.landscape import actions
from release.observation import Observations, RegistryView, VersionSeen
from release.phases.canary import canary
from release.phases.idle import idle
from release.phases.measuring import measure
from release.phases.move import change, enter
from release.phases.paused import paused
from release.phases.promoting import promoting
from release.phases.requested import carry_out_requests
from release.phases.rolling_back import rolling_back
from release.phases.situation import Situation
from release.phases.verifying import verifying
from release.reasons import Reason
from release.spec import ReleaseSpec
from release.status import CanaryStatus, Phase, ReleaseStatus

__all__ = ["plan"]

_PHASES = {
    Phase.STABLE: idle,
    Phase.REJECTED: idle,
    Phase.VERIFYING: verifying,
    Phase.CANARY: canary,
    Phase.PROMOTING: promoting,
    Phase.ROLLING_BACK: rolling_back,
    Phase.PAUSED: paused,
}
_MOST_MOVES = 20


def plan(
    spec: ReleaseSpec, status: ReleaseStatus, registry: RegistryView, observations: Observations, now: float
) -> tuple[ReleaseStatus, tuple[Action, ...]]:
    """Return the new status and what is to be done at the platform.

    Moves from phase to phase until nothing more follows from what was seen, so a second call on the same observations
    changes nothing. Keep the status before the actions are carried out: after a crash anywhere, the next call asks for
    what is still missing.

    Args:
        spec: what is asked for.
        status: what the last call returned, or an empty one.
        registry: what the alias names, and which versions may be released.
        observations: what was seen at the platform, and what people ask.
        now: seconds since the epoch; it may jump.
    """
    status = _observed(_not_later_than(status, now, spec), observations, now)
    situation = Situation(spec, registry, observations, now, _judged(spec, status, observations))
    status = _following(status, situation)
    for _ in range(_MOST_MOVES):
        asked = carry_out_requests(status, situation)
        moved = _PHASES[asked.phase](asked, situation)
        if moved is status:
            break
        status = moved
    return with_conditions(status, situation), actions(status, registry, observations)


def _not_later_than(status: ReleaseStatus, now: float, spec: ReleaseSpec) -> ReleaseStatus:
    """Undo what a clock that ran ahead has written, or a deadline would be out of reach."""
    if status.phase_since > now:
        status = change(status, phase_since=now)
    latest = now + spec.strategy.keep_previous
    if status.previous is not None and status.previous.until > latest:
        status = change(status, previous=status.previous.model_copy(update={"until": latest}))
    trial = status.canary
    if trial is None:
        return status
    times = ("since", "started", "not_ready_since", "inconclusive_since")
    late = {name: now for name in times if (getattr(trial, name) or 0) > now}
    return change(status, canary=trial.model_copy(update=late)) if late else status


def _observed(status: ReleaseStatus, observations: Observations, now: float) -> ReleaseStatus:
    """Take over what counts and lasts: how long the canary alone was not ready, what was answered, who may go."""
    trial, previous = status.canary, status.previous
    if previous is not None and previous.until <= now and (trial is None or trial.version != previous.version):
        status = change(status, previous=None)
    if trial is None or not trial.weight:
        return status
    changes: dict[str, object] = {}
    # While stable does not answer either, going back to it would help nobody, and what took both is not the canary.
    well = observations.seen(trial.version).ready or not (
        status.stable is None or _answers(observations.seen(status.stable.version), trial)
    )
    if well != (trial.not_ready_since is None):
        changes["not_ready_since"] = None if well else now
    measured = measure(status, trial, observations)
    if measured is not trial.measured:
        changes["measured"] = measured
    return change(status, canary=trial.model_copy(update=changes)) if changes else status


def _answers(stable: VersionSeen, trial: CanaryStatus) -> bool:
    """Whether stable is ready and not only said to be: after a node's restart that is said for a while of pods past."""
    return stable.ready and (stable.counters is not None or not trial.is_judged)


def _judged(spec: ReleaseSpec, status: ReleaseStatus, observations: Observations) -> Judgement | None:
    trial, stable = status.canary, status.stable
    if trial is None or stable is None or not trial.is_judged:
        return None
    judgement = judge(trial.measured, spec.analysis)
    unread = [version for version in (stable.version, trial.version) if observations.seen(version).counters is None]
    if unread and judgement.outcome is not Outcome.FAILED:
        names = " and ".join(f"version {version}" for version in unread)
        message = f"the metrics of {names} cannot be read"
        return Judgement(Outcome.INCONCLUSIVE, judgement.measures, Reason.METRICS_UNAVAILABLE, message)
    return judgement


def _following(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Take over what the alias names; a version that was only being verified is left for it at once."""
    registry = situation.registry
    if not registry.reachable or registry.target == status.target:
        return status
    before, status = status.target, change(status, target=registry.target)
    if status.canary is None and status.phase in (Phase.VERIFYING, Phase.PAUSED):
        message = f"the alias {situation.spec.alias} no longer names version {before}"
        return enter(status, situation, Phase.STABLE, before, Reason.ALIAS_MOVED, message)
    return status
