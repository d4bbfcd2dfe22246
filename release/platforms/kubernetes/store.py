"""ModelReleases in the API server: what Git holds of them is read, their status is written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from release.crd import API_VERSION, KIND, PLURAL
from release.platforms.base import PlatformError
from release.platforms.kubernetes.api import Api, ConflictError, Object, path
from release.platforms.kubernetes.events import Events
from release.platforms.kubernetes.mirror import Mirror
from release.platforms.kubernetes.model_release import ClusterRelease, model_release
from release.status import ReleaseStatus
from release.store import Release, StoreError

__all__ = ["KubernetesStore"]

_log = logging.getLogger(__name__)


class KubernetesStore:
    """A :class:`release.store.ReleaseStore` over the ModelReleases of every namespace."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Events(api)
        self._lock = threading.Lock()
        self._written: dict[str, ClusterRelease] = {}
        self._mirror = Mirror(api, PLURAL, _readable)

    def wait(self) -> None:
        """Wait until the releases were read once.

        Raises:
            PlatformError: they were not.
        """
        self._mirror.wait()

    def releases(self) -> Sequence[Release]:
        """Return every ModelRelease that can be read; one that cannot is named in the log, and nothing of it moves."""
        try:
            found = self._mirror.objects()
        except PlatformError as error:
            raise StoreError(str(error)) from error
        seen = {each.name: each for each in found.values() if each is not None}
        with self._lock:
            # A watch may be behind: what was written last is not planned a second time.
            self._written = {name: each for name, each in self._written.items() if each.is_newer(seen.get(name))}
            return list((seen | self._written).values())

    def save(self, release: Release, status: ReleaseStatus) -> None:
        """Write the status, and nothing else of the object, unless it was changed since it was read."""
        assert isinstance(release, ClusterRelease)  # noqa: S101 # this store hands out no others
        name = str(release.owner["name"])
        # A release that never moved has been in its phase since no moment.
        unset = None if status.phase_since else {"phase_since"}
        change = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": release.tenant, "resourceVersion": release.resource_version},
            "status": status.model_dump(by_alias=True, mode="json", exclude_none=True, exclude=unset),
        }
        try:
            written = self._api.replace(path(PLURAL, release.tenant, name, "status"), change)
        except ConflictError as error:
            raise StoreError(f"{release.name} was changed meanwhile; it is planned anew") from error
        except PlatformError as error:
            raise StoreError(f"the status of {release.name} cannot be written: {error}") from error
        kept = replace(release, status=status, resource_version=str(written["metadata"]["resourceVersion"]))
        with self._lock:
            self._written[release.name] = kept
        self._events.tell(release, status)


def _readable(found: Object) -> ClusterRelease | None:
    try:
        return model_release(found)
    except ValueError as error:
        _log.error("%s; nothing of it moves", error)
        return None
