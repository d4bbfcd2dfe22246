"""Where people's commands find releases and leave their requests: this machine's stack, or a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from release.status import ReleaseStatus
from release.store import Release, StoreError

__all__ = ["Desk", "chosen", "local_desk"]


class Desk(Protocol):
    """Every method raises :class:`release.store.StoreError` when there is no answer."""

    def releases(self) -> Sequence[Release]:
        """Return every release as it stands."""

    def status(self, name: str) -> ReleaseStatus:
        """Return where the release of this name stands; a new one's status when there is none."""

    def ask(self, release: Release, **fields: str | bool) -> None:
        """Leave a request (fields of :class:`release.observation.Requests`) for the controller to find."""


def local_desk() -> Desk:
    """Return the desk of this machine's stack."""
    from infra.local.settings import Settings
    from release.platforms.local.store import LocalStore

    settings = Settings()
    if not settings.release_specs.exists():
        raise StoreError("there are no releases yet; start the stack with: make up")
    return LocalStore(settings)


def chosen(desk: Desk, tenants: Sequence[str]) -> list[Release]:
    """Return the releases of these tenants, or of all.

    Raises:
        StoreError: a tenant has none.
    """
    releases = desk.releases()
    known = {release.tenant for release in releases}
    unknown = [tenant for tenant in tenants if tenant not in known]
    if unknown:
        raise StoreError(f"{unknown[0]} is no tenant here; there are: {', '.join(sorted(known)) or 'none'}")
    return [release for release in releases if not tenants or release.tenant in tenants]
