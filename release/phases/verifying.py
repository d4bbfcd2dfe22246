"""Verifying: nothing is started before the bytes are verified and published."""

from __future__ import annotations

from release.observation import Published, Refused, Unavailable
from release.phases.move import begin_trial, pause, reject
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import ReleaseStatus

__all__ = ["verifying"]


def verifying(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Go by the verdict on the target; without one, wait until the deadline, then say so."""
    target = status.target
    assert target is not None  # noqa: S101 # without a target the release is idle
    verdict = situation.verdict(target)
    if isinstance(verdict, Published):
        return begin_trial(status, situation, verdict.artifact)
    if isinstance(verdict, Refused):
        return reject(status, situation, target, verdict.reason, verdict.message)
    if situation.since(status.phase_since) < situation.spec.analysis.progress_deadline:
        return status
    why = verdict.message if isinstance(verdict, Unavailable) else "there is no verdict yet"
    message = f"version {target} cannot be verified: {why}. The tenant goes on with what it serves"
    return pause(status, situation, Reason.VERIFICATION_UNAVAILABLE, message, canary=None)
