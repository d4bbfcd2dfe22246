"""Where releases are kept: what people ask for, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from release.observation import Requests
from release.spec import ReleaseSpec
from release.status import ReleaseStatus

__all__ = ["Release", "ReleaseStore", "StoreError"]


class StoreError(RuntimeError):
    """The store does not answer, or holds what cannot be read."""


@dataclass(frozen=True)
class Release:
    """One ModelRelease: ``tenant`` follows one alias. ``name`` is unique among all releases of the store."""

    name: str
    tenant: str
    spec: ReleaseSpec
    status: ReleaseStatus = field(default_factory=ReleaseStatus)
    requests: Requests = field(default_factory=Requests)


class ReleaseStore(Protocol):
    """Keeps releases. Only the controller that leads writes statuses."""

    def releases(self) -> Sequence[Release]:
        """Return every release as it stands.

        Raises:
            StoreError: nothing can be read now.
        """

    def save(self, release: Release, status: ReleaseStatus) -> None:
        """Keep a status, so that it is there after a crash at the next instruction.

        Raises:
            StoreError: it could not be kept; nothing may be done on its account.
        """
