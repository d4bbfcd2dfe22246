"""What a registered version says of itself at the tenants: its tags, from where their releases stand. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from release.moment import format_moment
from release.status import Phase, ReleaseStatus
from release.store import Release

__all__ = ["MOST_TENANTS", "standing", "tags"]

MOST_TENANTS = 20
"""Up to so many, each tenant has a tag of its own; beyond, one tag sums up."""

_LONGEST = 500
_ON_TRIAL = {Phase.VERIFYING, Phase.CANARY, Phase.PROMOTING, Phase.PAUSED, Phase.ROLLING_BACK}


def standing(status: ReleaseStatus) -> dict[int, tuple[str, str]]:
    """Return what each version is to one tenant, by version: one word, and the rest of the sentence."""
    found: dict[int, tuple[str, str]] = {}
    if status.previous is not None:
        found[status.previous.version] = "replaced", f"and kept until {format_moment(status.previous.until)}"
    if status.rejected is not None:
        found[status.rejected.version] = "rejected", f"{status.rejected.reason}: {status.rejected.message}"
    if status.stable is not None:
        found[status.stable.version] = "stable", _since(status, status.stable.version)
    if status.canary is not None:
        share = f"{status.canary.weight} % of requests, step {status.canary.step + 1}"
        found[status.canary.version] = "canary", f"{share}, {status.phase} since {format_moment(status.phase_since)}"
    # Of a trial that was given up for another version, what was written last would stay for ever.
    last = {each.version: each for each in status.history if each.version not in found.keys() | {None, status.target}}
    left = {
        version: ("left", f"{each.reason}: {each.message}")
        for version, each in last.items()
        if version is not None and each.phase in _ON_TRIAL
    }
    return left | found


def tags(releases: Sequence[Release]) -> dict[tuple[str, int], dict[str, str]]:
    """Return the tags by model and version; keys without their prefix."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    by_model: dict[str, list[Release]] = {}
    for release in releases:
        by_model.setdefault(release.spec.model, []).append(release)
    for model, of_model in by_model.items():
        if len(of_model) <= MOST_TENANTS:
            for release in of_model:
                for version, (word, rest) in standing(release.status).items():
                    found.setdefault((model, version), {})[release.tenant] = f"{word} {rest}"[:_LONGEST]
            continue
        counts: dict[int, Counter[str]] = {}
        for release in of_model:
            for version, (word, _) in standing(release.status).items():
                counts.setdefault(version, Counter())[word] += 1
        for version, words in counts.items():
            found[model, version] = {"tenants": _summary(words, len(of_model))}
    return found


def _summary(words: Mapping[str, int], tenants: int) -> str:
    return ", ".join(f"{word} at {count}" for word, count in sorted(words.items())) + f" of {tenants} tenants"


def _since(status: ReleaseStatus, version: int) -> str:
    """The last promotion of this version, if the history still holds it."""
    times = [each.time for each in status.history if each.phase == Phase.STABLE and each.version == version]
    return f"since {format_moment(times[-1] if times else status.phase_since)}"
