"""What the controller needs of a platform, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from release.observation import VersionSeen
from release.status import VersionRef
from release.store import Release

__all__ = ["Platform", "PlatformError", "Seen"]


class PlatformError(RuntimeError):
    """The platform does not do, or does not say, what it is asked for."""


@dataclass(frozen=True)
class Seen:
    """What one release has at the platform: its versions, and percent of the requests by version (empty: no route)."""

    versions: Mapping[int, VersionSeen] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)


class Platform(Protocol):
    """Runs versions and shares requests among them.

    Every method may be called from any thread, returns when its work is done, raises :class:`PlatformError`, and
    changes nothing when called a second time.
    """

    def observe(self, releases: Sequence[Release]) -> Mapping[str, Seen]:
        """Return what is there, by the release's name. Bounded in time: what does not answer is not ready."""

    def ensure(self, release: Release, artifact: VersionRef, replicas: int | None) -> None:
        """Have the version run (``replicas`` at least; None: as the template says), or be kept stopped (0)."""

    def weigh(self, release: Release, weights: Mapping[int, int]) -> None:
        """Share the requests; observing tells when it has come into force."""

    def smoke(self, release: Release, version: int) -> str:
        """Ask the version itself, past the gateway, and return what is wrong with its answers, or ""."""

    def remove(self, release: Release, version: int) -> None:
        """Let the version end what is in flight, and forget it."""

    def retain(self, releases: Sequence[Release]) -> None:
        """Remove whatever belongs to none of these releases, routes included."""
