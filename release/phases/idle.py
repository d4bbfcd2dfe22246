"""Stable and Rejected: nothing is under way; whether to begin what the alias names."""

from __future__ import annotations

from release.phases.move import change, enter, reject
from release.phases.situation import Situation
from release.reasons import Reason
from release.status import Phase, ReleaseStatus

__all__ = ["idle", "waits_for"]


def idle(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    """Begin verifying what the alias names, unless something speaks against it."""
    target = status.target
    if target is None:
        return status
    if status.rejected is not None and not _still_rejected(status, situation):
        status = change(status, rejected=None)
    if status.rejected is not None:
        return status
    if status.stable is not None and status.stable.version == target:
        return _settled(status, situation)
    if waits_for(status, situation) is not None:
        return _settled(status, situation)
    if target in situation.observations.peers.rejected and not _kept(status, target):
        message = f"version {target} was rejected for another tenant; `retry` tries it here all the same"
        return reject(status, situation, target, Reason.REJECTED_ELSEWHERE, message)
    message = f"the alias {situation.spec.alias} names version {target}"
    return enter(status, situation, Phase.VERIFYING, target, Reason.ALIAS_MOVED, message)


def waits_for(status: ReleaseStatus, situation: Situation) -> tuple[Reason, str] | None:
    """Return what keeps an idle release from beginning what the alias names, and a message for a person."""
    target = status.target
    if not situation.registry.reachable:
        return Reason.REGISTRY_UNREACHABLE, "the registry does not answer; nothing new begins until it does"
    if target is None:
        return Reason.ALIAS_DELETED, f"no version has the alias {situation.spec.alias}; nothing moves until one has"
    if situation.observations.requests.pause:
        return Reason.PAUSED_BY_REQUEST, f"version {target} waits until the pause that somebody asked for is lifted"
    if not situation.observations.peers.earlier_waves_done and not _kept(status, target):
        return (
            Reason.WAITING_FOR_EARLIER_WAVES,
            f"version {target} begins when the waves before {situation.spec.wave} serve it",
        )
    return None


def _still_rejected(status: ReleaseStatus, situation: Situation) -> bool:
    rejected = status.rejected
    if rejected is None or rejected.version != status.target:
        return False
    return rejected.reason != Reason.REJECTED_ELSEWHERE or rejected.version in situation.observations.peers.rejected


def _kept(status: ReleaseStatus, version: int) -> bool:
    """Going back to what served before waits for nobody."""
    return status.previous is not None and status.previous.version == version


def _settled(status: ReleaseStatus, situation: Situation) -> ReleaseStatus:
    if status.phase == Phase.STABLE:
        return status
    stable = status.stable.version if status.stable else None
    message = f"version {stable} serves all requests" if stable is not None else "nothing is released yet"
    return enter(status, situation, Phase.STABLE, stable, Reason.ALIAS_MOVED, message)
