"""What a plan tells the controller to do. Each action says what shall be, so that doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from release.status import VersionRef

__all__ = ["Action", "Ensure", "Remove", "Smoke", "Verify", "Weigh"]


@dataclass(frozen=True)
class Verify:
    """Verify this version's bytes and publish them; the verdict comes with the next view of the registry."""

    version: int


@dataclass(frozen=True)
class Ensure:
    """Let this version run with at least ``replicas`` of them (None: as its template says; 0: keep it, stopped)."""

    artifact: VersionRef
    replicas: int | None = None


@dataclass(frozen=True)
class Smoke:
    """Run the smoke set on this version, past the gateway."""

    version: int


@dataclass(frozen=True)
class Weigh:
    """Share the tenant's requests so: percent by version, sum 100."""

    weights: Mapping[int, int]


@dataclass(frozen=True)
class Remove:
    """Let this version end what is in flight, then forget it."""

    version: int


Action = Verify | Ensure | Smoke | Weigh | Remove
