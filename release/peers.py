"""What releases of the same model and alias mean to one another. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from release.observation import Peers, RegistryView
from release.reasons import Reason
from release.status import Phase
from release.store import Release

__all__ = ["peers_of", "who_waits_for_a_verdict"]

_MANY = 20


def peers_of(releases: Sequence[Release], targets: Mapping[str, int | None]) -> dict[str, Peers]:
    """Return each release's peers by its name; ``targets`` holds what each one's alias names."""
    found: dict[str, Peers] = {}
    followed = sorted(releases, key=lambda each: (each.spec.model, each.spec.alias, each.spec.wave))
    for _, group in groupby(followed, key=lambda each: (each.spec.model, each.spec.alias)):
        members = list(group)
        rejected = frozenset(
            each.status.rejected.version
            for each in members
            if each.status.rejected and each.status.rejected.reason != Reason.REJECTED_ELSEWHERE
        )
        done = True
        for _, wave in groupby(members, key=lambda each: each.spec.wave):
            of_wave = list(wave)
            found |= {each.name: Peers(done, rejected) for each in of_wave}
            done = done and all(_arrived(each, targets[each.name]) for each in of_wave)
    return found


def who_waits_for_a_verdict(releases: Sequence[Release], views: Mapping[str, RegistryView]) -> set[str]:
    """Return who may go on as before until a version is verified: of those whose alias names it now, all but 20.

    To write "is being verified" at a thousand tenants takes longer than to verify.
    """
    begun: Counter[tuple[str, int]] = Counter()
    waiting = set()
    for release in releases:
        view = views[release.name]
        if not view.reachable or view.target is None or view.target in view.verdicts:
            continue
        version = release.spec.model, view.target
        begun[version] += 1
        if begun[version] > _MANY and release.status.target != view.target:
            waiting.add(release.name)
    return waiting


def _arrived(release: Release, target: int | None) -> bool:
    status = release.status
    return status.phase == Phase.STABLE and status.stable is not None and status.stable.version == target
