"""Following the alias: publish what it names, and bring every tenant there."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from artifact import PublishedArtifact, Trust, TrustError
from infra.local.settings import MODEL, TENANTS, Settings
from registry.client import CHAMPION, RegisteredVersion, Registry, RegistryError
from registry.publish import PublishRefusedError, StorageUnreachableError, publish
from registry.storage import s3_client
from registry.tags import RELEASE_PREFIX
from release.platforms.local import LocalPlatform, PlatformError
from release.record import Phase, Record, read, write
from release.switch import restore, switch

__all__ = ["Follower", "needs_switch"]

_POLL_SECONDS = 1.0
_log = logging.getLogger(__name__)


def needs_switch(record: Record, target: int) -> bool:
    """Whether a tenant should be brought to ``target``: a version it rejected waits until the alias moves."""
    if record.stable is not None and record.stable.version == target:
        return False
    return not (record.phase == Phase.REJECTED and record.target == target)


class Follower:
    """One loop over the registry, the tenants side by side.

    Its state is in the tenants' records: it may be killed at any time, and goes on from there.
    """

    def __init__(self, settings: Settings) -> None:
        self._records = settings.releases
        self._platform = LocalPlatform(settings)
        self._registry = Registry()
        self._published: PublishedArtifact | None = None
        self._refused: RegisteredVersion | None = None
        self._restored: set[str] = set()
        self._complaint = ""

    def run(self, stop: threading.Event) -> None:
        """Restore what the tenants served, then follow the alias until told to stop."""
        with ThreadPoolExecutor(len(TENANTS)) as pool:
            list(pool.map(self._restore, TENANTS))
            while not stop.wait(_POLL_SECONDS):
                list(pool.map(self._restore, TENANTS))
                target = self._target()
                if target is not None:
                    list(pool.map(partial(self._bring, target), TENANTS))

    def _restore(self, tenant: str) -> None:
        record = read(self._records, tenant)
        stable = record.stable.version if record.stable else None
        if tenant in self._restored and not self._platform.gave_up(tenant, stable):
            return
        try:
            record = restore(self._platform, record)
        except PlatformError as error:
            self._complain(f"{tenant}: the stable version does not come up: {error}")
            return
        write(self._records, record)
        self._restored.add(tenant)

    def _target(self) -> PublishedArtifact | None:
        """Return what the alias names once it is published; None while that cannot be known or must not be."""
        try:
            version = self._registry.by_alias(MODEL, CHAMPION)
            if version is None:
                self._complain(f"no version of {MODEL} has the alias {CHAMPION}; nothing moves")
                return None
            if self._published is not None and self._published.version == version.version:
                return self._published
            if version == self._refused:
                return None
            try:
                self._published = publish(self._registry, s3_client(), version, Trust.from_environment()).place
            except PublishRefusedError as error:
                self._refuse(version, str(error))
                return None
        except (RegistryError, StorageUnreachableError, TrustError) as error:
            self._complain(f"{error}; tenants go on with what they serve")
            return None
        self._complaint = ""
        _log.info("published %s", self._published.uri)
        return self._published

    def _bring(self, target: PublishedArtifact, tenant: str) -> None:
        record = read(self._records, tenant)
        if tenant not in self._restored or not needs_switch(record, target.version):
            if record.phase == Phase.REJECTED and record.target != target.version and record.stable is not None:
                write(self._records, record.at(Phase.STABLE, f"serves version {record.stable.version}"))
            return
        record = switch(self._platform, record, target, partial(write, self._records))
        self._tag(target.version, {RELEASE_PREFIX + tenant: f"{record.phase}: {record.message}"})

    def _refuse(self, version: RegisteredVersion, reason: str) -> None:
        _log.error("refused: %s", reason)
        for tenant in TENANTS:
            write(self._records, read(self._records, tenant).at(Phase.REJECTED, reason, version.version))
        self._tag(version.version, {RELEASE_PREFIX + "refused": reason})
        # With its new tag, or it would look like another version in the next round.
        self._refused = self._registry.by_alias(MODEL, CHAMPION)

    def _tag(self, version: int, tags: dict[str, str]) -> None:
        try:
            self._registry.set_tags(MODEL, version, tags)
        except RegistryError as error:
            _log.warning("the outcome could not be written to the registry: %s", error)

    def _complain(self, complaint: str) -> None:
        """Say a lasting trouble once, not every second."""
        if complaint != self._complaint:
            _log.warning(complaint)
            self._complaint = complaint
