"""What the controller knows of the registry: which version each alias names, and which versions may be released."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING

from artifact import Trust, TrustError
from release.observation import Published, Refused, RegistryView, Unavailable, Verdict
from release.status import VersionRef
from release.workers import Complaints, Workers

if TYPE_CHECKING:
    from registry.client import Registry

__all__ = ["RegistryWatch"]

_FRESH_SECONDS = 5.0
# While a thousand releases move the controller looks five times a second, and MLflow has enough to do.
_POLL_SECONDS = 0.8
_AGAIN_SECONDS = 2.0


class RegistryWatch:
    """Asks MLflow in the background. What was not confirmed for some seconds is not known.

    MLflow's client takes seconds to import, which no tenant should have to wait for: the first question imports it.
    """

    def __init__(self, wake: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._wake = wake
        self._polling = Workers("poll", 1, lambda: None)
        self._verifying = Workers("verify", 3, wake)
        self._clock = clock
        self._lock = threading.Lock()
        self._aliases: dict[str, dict[str, int]] = {}
        self._polled = -math.inf
        self._answered: float | None = None
        self._verdicts: dict[tuple[str, int], tuple[Verdict, float]] = {}
        self._complaints = Complaints()

    @cached_property
    def registry(self) -> Registry:
        """The client. Only worker threads may ask it."""
        from registry.client import Registry

        return Registry()

    def poll(self) -> None:
        """Ask what every alias names, unless that was done just now; the answer is in a later view."""
        if self._clock() - self._polled < _POLL_SECONDS:
            return
        self._polled = self._clock()
        self._polling.start("poll", self._poll)

    def view(self, model: str, alias: str) -> RegistryView:
        """Return what is known of one model now."""
        with self._lock:
            verdicts = {version: held[0] for (of, version), held in self._verdicts.items() if of == model}
            if self._answered is None or self._clock() - self._answered > _FRESH_SECONDS:
                return RegistryView(False, None, verdicts)
            return RegistryView(True, self._aliases.get(model, {}).get(alias), verdicts)

    def verify(self, model: str, version: int) -> None:
        """Verify and publish a version; the verdict is in a later view. Once for all who ask meanwhile."""
        with self._lock:
            held = self._verdicts.get((model, version))
        if held is None or (isinstance(held[0], Unavailable) and self._clock() - held[1] > _AGAIN_SECONDS):
            self._verifying.start(("verify", model, version), lambda: self._verify(model, version))

    def forget(self, model: str, version: int) -> None:
        """Verify anew when asked again: somebody has done something about the verdict."""
        with self._lock:
            self._verdicts.pop((model, version), None)

    def keep_only(self, wanted: Collection[tuple[str, int]]) -> None:
        """Forget verdicts on versions that nobody is on the way to: the next time, they are verified anew."""
        with self._lock:
            self._verdicts = {key: held for key, held in self._verdicts.items() if key in wanted}

    def _poll(self) -> None:
        from registry.client import RegistryError

        try:
            found = self.registry.aliases()
        except RegistryError as error:
            self._complaints.say("poll", f"{error}; tenants go on with what they serve")
            return
        self._complaints.end("poll")
        with self._lock:
            moved, self._aliases = found != self._aliases, found
            self._answered = self._clock()
        if moved:
            self._wake()

    def _verify(self, model: str, version: int) -> None:
        from registry.client import RegistryError
        from registry.publish import PublishRefusedError, StorageUnreachableError, publish
        from registry.storage import s3_client

        verdict: Verdict
        try:
            registered = self.registry.get(model, version)
            # The trusted keys are read anew each time: a revocation counts at once.
            done = publish(self.registry, s3_client(), registered, Trust.from_environment())
            verdict = Published(VersionRef(version=version, digest=done.digest, storage_uri=done.place.uri))
        except PublishRefusedError as error:
            verdict = Refused(error.reason, str(error))
        except (RegistryError, StorageUnreachableError, TrustError) as error:
            verdict = Unavailable(str(error))
        with self._lock:
            self._verdicts[model, version] = (verdict, self._clock())
