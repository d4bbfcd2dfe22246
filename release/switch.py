"""Bringing one tenant to one published artifact: start new, check, move the route, drain old."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from artifact import PublishedArtifact
from release.platforms.local import LocalPlatform, PlatformError
from release.record import Phase, Record, Serving

__all__ = ["restore", "switch"]

_log = logging.getLogger(__name__)


def switch(platform: LocalPlatform, record: Record, to: PublishedArtifact, keep: Callable[[Record], None]) -> Record:
    """Return the tenant's record after the switch; the old predictor answers until the new one has answered.

    A new predictor that fails leaves everything as it was, and the record says why.
    """
    record = record.at(Phase.PROMOTING, f"starting version {to.version}", to.version)
    keep(record)
    try:
        endpoint = platform.start(record.tenant, to)
        platform.route(record.tenant, to, endpoint)
    except PlatformError as error:
        _log.error("%s: version %d rejected: %s", record.tenant, to.version, error)
        record = restore(platform, record)
        record = record.at(Phase.REJECTED, f"version {to.version}: {error}", to.version)
        keep(record)
        return record
    record = replace(record, stable=Serving(to.version, to.uri, endpoint))
    record = record.at(Phase.STABLE, f"serves version {to.version}")
    keep(record)
    platform.keep_only(record.tenant, to.version)
    _log.info("%s: serves version %d", record.tenant, to.version)
    return record


def restore(platform: LocalPlatform, record: Record) -> Record:
    """Make what is recorded as stable true again: after a start, a crash, or a switch that failed half-way.

    Raises:
        PlatformError: the stable version itself does not come up.
    """
    if record.stable is None:
        platform.keep_only(record.tenant, None)
        return record
    artifact = PublishedArtifact.parse(record.stable.uri)
    endpoint = record.stable.endpoint
    if not platform.running(record.tenant, artifact, endpoint):
        endpoint = platform.start(record.tenant, artifact)
    platform.route(record.tenant, artifact, endpoint)
    platform.keep_only(record.tenant, artifact.version)
    return replace(record, stable=replace(record.stable, endpoint=endpoint))
