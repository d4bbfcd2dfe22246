"""Canary: rising weights, each judged before the next."""

from __future__ import annotations

from release.analysis import Outcome
from release.landscape import wanted_weights
from release.phases.end import end
from release.phases.hold import hold
from release.phases.measuring import begin_measuring
from release.phases.move import change, enter, pause, trial_of, weightless
from release.phases.situation import Situation
from release.phases.starting import starting
from release.reasons import Reason
from release.spec import Step
from release.status import CanaryStatus, Phase, ReleaseStatus

__all__ = ["canary", "first_step"]


def canary(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Start the version, then let its weight rise step by step, or end the trial."""
    trial = trial_of(status)
    if ended := end(status, situation):
        return ended
    if held := hold(status, situation, trial):
        return pause(status, situation, *held, canary=trial)
    if trial.step < 0:
        return starting(status, situation, first_step)
    return _watched(status, situation, trial)


def _watched(status: ReleaseStatus, situation: Situation, trial: CanaryStatus) -> ReleaseStatus:
    step = _step(trial, situation)
    if step is not None and step.pause == "indefinite" and not trial.approved:
        message = (
            f"version {trial.version} has {trial.weight} % until somebody decides: `resume` goes on, `abort` rolls back"
        )
        return pause(status, situation, Reason.AWAITING_DECISION, message, canary=trial)
    if situation.judgement is None or situation.judgement.outcome is not Outcome.SUCCESSFUL:
        return _inconclusive(status, situation, trial)
    if trial.inconclusive_since is not None:
        status = change(status, canary=trial.model_copy(update={"inconclusive_since": None}))
    if _may_rise(status, situation, trial, step):
        return _next(status, situation, trial)
    return status


def first_step(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Give the canary the first step's weight; counting begins here."""
    steps = situation.spec.strategy.steps
    trial = trial_of(status)
    if not steps:
        message = f"the strategy is blueGreen now: version {trial.version} gets all requests at once"
        at_once = trial.model_copy(update={"step": -1, "since": situation.now})
        return enter(status, situation, Phase.PROMOTING, trial.version, Reason.SMOKE_PASSED, message, canary=at_once)
    trial = trial.model_copy(
        update={
            "step": 0,
            "weight": steps[0].weight,
            "since": situation.now,
            "measured": begin_measuring(status, situation),
            "not_ready_since": None,
            "inconclusive_since": None,
            "approved": False,
        }
    )
    message = f"version {trial.version} passed the smoke set and gets {trial.weight} %"
    return enter(status, situation, Phase.CANARY, trial.version, Reason.SMOKE_PASSED, message, canary=trial)


def _step(trial: CanaryStatus, situation: Situation) -> Step | None:
    """Return the step that the canary is at, by its weight: the spec may have been edited meanwhile."""
    return next((step for step in situation.spec.strategy.steps if step.weight == trial.weight), None)


def _inconclusive(status: ReleaseStatus, situation: Situation, trial: CanaryStatus) -> ReleaseStatus:
    """Hold; after the deadline, take the weight away and ask for help."""
    if trial.inconclusive_since is None:
        return change(status, canary=trial.model_copy(update={"inconclusive_since": situation.now}))
    deadline = situation.spec.analysis.progress_deadline
    if situation.judgement is None or situation.since(trial.inconclusive_since) < deadline:
        return status
    message = (
        f"{situation.judgement.message}, for {deadline} s: version {trial.version} gets no requests until `resume`"
    )
    return pause(status, situation, situation.judgement.reason, message, canary=weightless(status))


def _may_rise(status: ReleaseStatus, situation: Situation, trial: CanaryStatus, step: Step | None) -> bool:
    """Whether the canary was watched long enough at a weight that the gateway really gave it, and is ready."""
    watched = step is None or step.pause == "indefinite" or situation.since(trial.since) >= step.pause
    ready = situation.seen(trial.version).ready
    return watched and ready and situation.weights == wanted_weights(status)


def _next(status: ReleaseStatus, situation: Situation, trial: CanaryStatus) -> ReleaseStatus:
    assert situation.judgement is not None  # noqa: S101 # it was Successful
    why = situation.judgement.message
    for at, step in enumerate(situation.spec.strategy.steps):
        if step.weight > trial.weight:
            risen = trial.model_copy(
                update={
                    "step": at,
                    "weight": step.weight,
                    "since": situation.now,
                    "approved": False,
                    "inconclusive_since": None,
                }
            )
            message = f"version {trial.version} gets {step.weight} %: {why}"
            return enter(status, situation, Phase.CANARY, trial.version, Reason.SUCCESSFUL, message, canary=risen)
    message = f"version {trial.version} is promoted: {why}"
    last = trial.model_copy(update={"since": situation.now, "inconclusive_since": None})
    return enter(status, situation, Phase.PROMOTING, trial.version, Reason.SUCCESSFUL, message, canary=last)
