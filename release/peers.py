"""What releases of the same model and alias mean to one another. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from release.observation import Peers
from release.reasons import Reason
from release.status import Phase
from release.store import Release

__all__ = ["peers_of"]


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


def _arrived(release: Release, target: int | None) -> bool:
    status = release.status
    return status.phase == Phase.STABLE and status.stable is not None and status.stable.version == target
