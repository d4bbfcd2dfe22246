"""Reading what the canary and stable answered, from the canary's first request on."""

from __future__ import annotations

from release.accumulate import accumulate
from release.observation import Observations
from release.phases.move import trial_of
from release.phases.situation import Situation
from release.status import CanaryStatus, Measured, ReleaseStatus

__all__ = ["begin_measuring", "measure"]


def begin_measuring(status: ReleaseStatus, situation: Situation) -> Measured:
    """Return what was measured so far, counting on from what the counters show now."""
    trial = trial_of(status)
    begun = trial.measured.model_copy(update={"seen": {}, "gateway_seen": None})
    return measure(status, trial.model_copy(update={"measured": begun}), situation.observations)


def measure(status: ReleaseStatus, trial: CanaryStatus, observations: Observations) -> Measured:
    """Return what was measured with the newest readings added; the same object if there are none."""
    if status.stable is None:
        return trial.measured
    stable, canary = status.stable.version, trial.version
    return accumulate(
        trial.measured, trial.weight, (stable, observations.seen(stable)), (canary, observations.seen(canary))
    )
