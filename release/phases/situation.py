"""What a phase decides on: one moment's spec, registry, platform and judgement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from release.analysis import Judgement
from release.observation import Observations, RegistryView, Unavailable, Verdict, VersionSeen
from release.spec import ReleaseSpec

__all__ = ["Situation"]


@dataclass(frozen=True)
class Situation:
    """``now``: seconds since the epoch. ``judgement`` None: no canary with weight has been measured yet."""

    spec: ReleaseSpec
    registry: RegistryView
    observations: Observations
    now: float
    judgement: Judgement | None = None

    def seen(self, version: int) -> VersionSeen:
        """Return what the platform shows of a version."""
        return self.observations.seen(version)

    @cached_property
    def weights(self) -> dict[int, int]:
        """How requests are shared now, without the versions that get none."""
        return {version: weight for version, weight in self.observations.weights.items() if weight}

    def verdict(self, version: int) -> Verdict | None:
        """Return whether a version may be released; None while nobody has looked."""
        if not self.registry.reachable:
            return Unavailable("the registry does not answer")
        return self.registry.verdicts.get(version)

    def since(self, moment: float) -> float:
        """Return the seconds since a moment."""
        return self.now - moment
