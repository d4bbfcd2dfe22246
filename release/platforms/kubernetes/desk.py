"""The ModelReleases of a cluster, for people's commands: requests are annotations."""

from __future__ import annotations

from collections.abc import Sequence

from release.crd import PLURAL
from release.platforms.base import PlatformError
from release.platforms.kubernetes import names
from release.platforms.kubernetes.api import Api, path
from release.platforms.kubernetes.model_release import model_release
from release.status import ReleaseStatus
from release.store import Release, StoreError

__all__ = ["ClusterDesk"]


class ClusterDesk:
    """A :class:`release.desk.Desk` over the cluster that ``KUBECONFIG`` names."""

    def __init__(self) -> None:
        try:
            self._api = Api()
        except PlatformError as error:
            raise StoreError(str(error)) from error

    def releases(self) -> Sequence[Release]:
        """See the base."""
        try:
            pages = self._api.pages(path(PLURAL))
            return [model_release(found) for page in pages for found in page["items"]]
        except (PlatformError, ValueError) as error:
            raise StoreError(str(error)) from error

    def status(self, name: str) -> ReleaseStatus:
        """See the base."""
        namespace, _, called = name.partition("/")
        try:
            found = self._api.get(path(PLURAL, namespace, called))
            return model_release(found).status if found else ReleaseStatus()
        except (PlatformError, ValueError) as error:
            raise StoreError(str(error)) from error

    def ask(self, release: Release, **fields: str | bool) -> None:
        """See the base."""
        notes: dict[str, str | None] = {}
        for kind, value in fields.items():
            if kind == "pause":
                notes[names.PAUSE] = "true" if value else None
            else:
                notes[names.TOKENS[kind]] = str(value)
        try:
            name = release.name.partition("/")[2]
            self._api.merge(path(PLURAL, release.tenant, name), {"metadata": {"annotations": notes}})
        except PlatformError as error:
            raise StoreError(str(error)) from error
