"""From one release to what its own page shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from release.api.page.view import Card, card
from release.board import Shown
from release.duration import format_seconds
from release.observation import VersionSeen
from release.status import Condition, Transition, VersionRef

__all__ = ["Detail", "Running", "detail"]


@dataclass(frozen=True)
class Running:
    """A version that this release knows or the platform has: what it is here, where it comes from, how it is."""

    version: int
    role: str
    digest: str
    storage_uri: str
    percent: int
    state: str


@dataclass(frozen=True)
class Detail:
    """Everything of one release; the history newest first."""

    card: Card
    strategy: str
    hostnames: tuple[str, ...]
    versions: tuple[Running, ...]
    conditions: tuple[Condition, ...]
    history: tuple[Transition, ...]


def detail(shown: Shown) -> Detail:
    """Return what a release's own page shows."""
    release, status = shown.release, shown.release.status
    return Detail(
        card=card(shown),
        strategy=_strategy(shown),
        hostnames=release.spec.route.hostnames,
        versions=_versions(shown),
        conditions=status.conditions,
        history=status.history[::-1],
    )


def _strategy(shown: Shown) -> str:
    strategy = shown.release.spec.strategy
    kept = f"the old version stays for {format_seconds(strategy.keep_previous)}"
    if not strategy.steps:
        return f"Blue-green: all requests at once; {kept}"
    steps = ", ".join(
        f"{step.weight} % {step.pause if step.pause == 'indefinite' else 'for ' + format_seconds(step.pause)}"
        for step in strategy.steps
    )
    return f"Canary: {steps}; {kept}"


def _versions(shown: Shown) -> tuple[Running, ...]:
    status, seen = shown.release.status, shown.seen
    roles: dict[int, tuple[str, VersionRef | None]] = {}
    if status.rejected:
        roles[status.rejected.version] = ("rejected", status.rejected.artifact)
    if status.previous:
        roles[status.previous.version] = ("previous stable", status.previous)
    if status.stable:
        roles[status.stable.version] = ("stable", status.stable)
    if status.canary:
        roles[status.canary.version] = ("canary", status.canary)
    for version in seen.versions:
        roles.setdefault(version, ("not needed any longer", None))
    return tuple(
        Running(
            version=version,
            role=role,
            digest=artifact.digest if artifact else "",
            storage_uri=artifact.storage_uri if artifact else "",
            percent=seen.weights.get(version, 0),
            state=_state(seen.versions.get(version)),
        )
        for version, (role, artifact) in sorted(roles.items(), reverse=True)
    )


def _state(seen: VersionSeen | None) -> str:
    if seen is None:
        return "does not run"
    if fault := seen.failed or seen.blocked:
        return fault
    if seen.stopped:
        return "stopped, kept to be looked at"
    if not seen.ready:
        return f"not ready ({seen.replicas} replicas answer)"
    return f"ready ({seen.replicas} {'replica' if seen.replicas == 1 else 'replicas'})"
