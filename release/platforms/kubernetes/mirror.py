"""A kind of object in all namespaces, kept current by a watch, and of each object only what a release needs.

The client's own informer keeps whole objects: with a thousand tenants' pods that is most of a gigabyte.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from release.platforms.base import PlatformError
from release.platforms.kubernetes.api import Api, ExpiredError, Object, path

__all__ = ["Mirror"]

Kept = TypeVar("Kept")
Key = tuple[str, str]
"""Namespace and name."""

_AGAIN_SECONDS = 0.5
_FIRST_SECONDS = 60.0


class Mirror(Generic[Kept]):
    """``reduce`` makes of an object what is kept of it."""

    def __init__(self, api: Api, resource: str, reduce: Callable[[Object], Kept], selector: str = "") -> None:
        self._api = api
        self._path = path(resource)
        self._selector = selector
        self._reduce = reduce
        self._lock = threading.Lock()
        self._held: dict[Key, Kept] = {}
        self._current = threading.Event()
        self._fault = f"{resource} were not listed yet"
        threading.Thread(target=self._run, name=f"watch {resource}", daemon=True).start()

    def objects(self) -> Mapping[Key, Kept]:
        """Return what is there now.

        Raises:
            PlatformError: the API server does not say.
        """
        if not self._current.is_set():
            raise PlatformError(self._fault)
        with self._lock:
            return dict(self._held)

    def get(self, namespace: str, name: str) -> Kept | None:
        """Return one object as it was last seen, or None."""
        with self._lock:
            return self._held.get((namespace, name))

    def wait(self) -> None:
        """Wait until everything was listed once.

        Raises:
            PlatformError: it was not, for a minute.
        """
        if not self._current.wait(_FIRST_SECONDS):
            raise PlatformError(self._fault)

    def _run(self) -> None:
        since = ""
        while True:
            try:
                since = since or self._list()
                events = self._api.watch(self._path, since, self._selector)
                self._current.set()
                for event in events:
                    since = self._take(event)
            except ExpiredError:
                since = ""
            except PlatformError as error:
                self._fault = str(error)
                self._current.clear()
                time.sleep(_AGAIN_SECONDS)

    def _list(self) -> str:
        held: dict[Key, Kept] = {}
        since = ""
        for page in self._api.pages(self._path, self._selector):
            held |= {_key(found): self._reduce(found) for found in page["items"]}
            since = str(page["metadata"]["resourceVersion"])
        with self._lock:
            self._held = held
        return since

    def _take(self, event: Object) -> str:
        found = event["object"]
        if event["type"] != "BOOKMARK":
            with self._lock:
                if event["type"] == "DELETED":
                    self._held.pop(_key(found), None)
                else:
                    self._held[_key(found)] = self._reduce(found)
        return str(found["metadata"]["resourceVersion"])


def _key(found: Object) -> Key:
    return found["metadata"]["namespace"], found["metadata"]["name"]
