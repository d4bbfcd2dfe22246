"""What a status wants to be at the platform, and the actions that bring it there."""

from __future__ import annotations

from collections.abc import Iterator

from release.actions import Action, Ensure, Remove, Smoke, Verify, Weigh
from release.observation import Observations, Published, Refused, RegistryView, VersionSeen
from release.status import Phase, ReleaseStatus, VersionRef

__all__ = ["actions", "lacks_capacity", "wanted_weights"]

_ALL = 100


def actions(status: ReleaseStatus, registry: RegistryView, seen: Observations) -> tuple[Action, ...]:
    """Return only what differs from what was seen, in the order in which it is safe to do."""
    return (
        *_verify(status, registry),
        *_run(status, seen),
        *_smoke(status, seen),
        *_weigh(wanted_weights(status), seen),
        *_stop(status, seen),
        *_remove(status, seen),
    )


def wanted_weights(status: ReleaseStatus) -> dict[int, int]:
    """Return the percent by version, sum 100; empty when nothing was released yet."""
    trial, stable = status.canary, status.stable
    if trial is not None and trial.weight == _ALL:
        return {trial.version: _ALL}
    if stable is None:
        return {}
    if trial is None or not trial.weight:
        return {stable.version: _ALL}
    return {stable.version: _ALL - trial.weight, trial.version: trial.weight}


def lacks_capacity(status: ReleaseStatus, seen: Observations) -> bool:
    """Whether the canary has fewer replicas than stable has now, so that it could not take all requests."""
    return _replicas(status.canary, seen) < _replicas(status.stable, seen)


def _replicas(artifact: VersionRef | None, seen: Observations) -> int:
    shown = seen.versions.get(artifact.version) if artifact else None
    return shown.replicas if shown else 0


def _verify(status: ReleaseStatus, registry: RegistryView) -> Iterator[Action]:
    waiting = status.phase == Phase.VERIFYING or (status.phase == Phase.PAUSED and status.canary is None)
    known = isinstance(registry.verdicts.get(status.target or 0), Published | Refused)
    if waiting and status.target is not None and not known:
        yield Verify(status.target)


def _run(status: ReleaseStatus, seen: Observations) -> Iterator[Action]:
    stable, trial = status.stable, status.canary
    if stable is not None and _missing(seen.versions.get(stable.version)):
        yield Ensure(_plain(stable))
    if trial is None or status.phase == Phase.ROLLING_BACK:
        return
    needed = _replicas(stable, seen) if status.phase == Phase.PROMOTING else 0
    if _missing(seen.versions.get(trial.version)) or _replicas(trial, seen) < needed:
        yield Ensure(_plain(trial), needed or None)


def _missing(shown: VersionSeen | None) -> bool:
    return shown is None or shown.stopped or shown.failed is not None


def _plain(artifact: VersionRef) -> VersionRef:
    return VersionRef(version=artifact.version, digest=artifact.digest, storage_uri=artifact.storage_uri)


def _smoke(status: ReleaseStatus, seen: Observations) -> Iterator[Action]:
    trial = status.canary
    if trial is None or trial.step >= 0 or trial.weight or status.phase not in (Phase.CANARY, Phase.PROMOTING):
        return
    shown = seen.versions.get(trial.version)
    if shown is not None and shown.ready and not shown.stopped and shown.smoke is None:
        yield Smoke(trial.version)


def _weigh(weights: dict[int, int], seen: Observations) -> Iterator[Action]:
    shared = {version: weight for version, weight in seen.weights.items() if weight}
    if weights and weights != shared and all(version in seen.versions for version in weights):
        yield Weigh(weights)


def _stop(status: ReleaseStatus, seen: Observations) -> Iterator[Action]:
    """A failed version is kept for who wants to look at it, once it has no requests."""
    artifact = status.rejected.artifact if status.rejected else None
    if artifact is None:
        return
    shown = seen.versions.get(artifact.version)
    if shown is not None and not shown.stopped and not (status.stable and seen.weights.get(artifact.version)):
        yield Ensure(artifact, 0)


def _remove(status: ReleaseStatus, seen: Observations) -> Iterator[Action]:
    """What nothing asks for any longer ends, once it has no requests."""
    artifacts = (status.stable, status.canary, status.previous, status.rejected and status.rejected.artifact)
    known = {artifact.version for artifact in artifacts if artifact}
    if status.phase == Phase.VERIFYING and status.target is not None:
        known.add(status.target)
    for version in sorted(set(seen.versions) - known):
        if not seen.weights.get(version):
            yield Remove(version)
