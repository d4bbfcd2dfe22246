"""Releases on this machine: specs in one file that people edit, a status and people's requests in one file a tenant."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import ValidationError

from infra.local.files import write_private
from infra.local.settings import Settings
from release.observation import Requests
from release.platforms.local import specs
from release.spec import ReleaseSpec
from release.status import ReleaseStatus
from release.store import Release, StoreError

__all__ = ["LocalStore"]

_log = logging.getLogger(__name__)


class LocalStore:
    """A :class:`release.store.ReleaseStore` of files under the stack's home; every write replaces a file whole."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._written: tuple[int, int] | None = None
        self._specs: dict[str, ReleaseSpec] = {}

    def releases(self) -> Sequence[Release]:
        """See the base. While the specs are wrong, those that were in use go on."""
        self._follow_specs()
        return [
            Release(tenant, tenant, spec, self.status(tenant), self.requests(tenant))
            for tenant, spec in self._specs.items()
        ]

    def save(self, release: Release, status: ReleaseStatus) -> None:
        """See the base."""
        spec = release.spec.model_dump(by_alias=True, mode="json")
        held = {"spec": spec, "status": status.model_dump(by_alias=True, mode="json")}
        try:
            write_private(self._status_file(release.name), json.dumps(held, indent=1))
        except OSError as error:
            raise StoreError(f"{release.name}: the status cannot be written: {error.strerror}") from error

    def status(self, tenant: str) -> ReleaseStatus:
        """Return where a tenant's release stands."""
        held = self._held(tenant)
        return ReleaseStatus() if held is None else held[1]

    def requests(self, tenant: str) -> Requests:
        """Return what people ask of a tenant's release."""
        path = self._settings.requests / f"{tenant}.json"
        try:
            return Requests(**json.loads(path.read_text())) if path.exists() else Requests()
        except (ValueError, TypeError) as error:
            raise StoreError(f"{path} cannot be read ({error}); remove it") from error

    def ask(self, release: Release, **fields: str | bool) -> None:
        """Keep a person's request for the controller to find."""
        asked = replace(self.requests(release.tenant), **fields)  # type: ignore[arg-type] # fields of Requests
        write_private(self._settings.requests / f"{release.tenant}.json", json.dumps(asdict(asked)))

    def _follow_specs(self) -> None:
        path = self._settings.release_specs
        try:
            found = path.stat()
            written = (found.st_mtime_ns, found.st_size)
        except OSError:
            written = (0, 0)
        if written == self._written:
            return
        self._written = written
        try:
            self._specs = specs.read(path)
        except StoreError as error:
            # A controller that has just started has only what it kept beside the statuses.
            self._specs = self._specs or self._last_good()
            _log.error("%s. The last good specs go on.", error)

    def _last_good(self) -> dict[str, ReleaseSpec]:
        tenants = [path.stem for path in sorted(self._settings.releases.glob("*.json"))]
        return {tenant: held[0] for tenant in tenants if (held := self._held(tenant)) is not None}

    def _held(self, tenant: str) -> tuple[ReleaseSpec, ReleaseStatus] | None:
        path = self._status_file(tenant)
        if not path.exists():
            return None
        try:
            held = json.loads(path.read_text())
            return ReleaseSpec.model_validate(held["spec"]), ReleaseStatus.model_validate(held["status"])
        except (ValueError, KeyError, ValidationError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error

    def _status_file(self, tenant: str) -> Path:
        return self._settings.releases / f"{tenant}.json"
