"""A version's artifact in a scratch folder that nobody else may read or write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artifact import PublishedArtifact, Trust, Verified, tree_digest, verify_signed
from registry.client import RegisteredVersion, Registry

__all__ = ["downloaded", "verify"]


@contextmanager
def downloaded(registry: Registry, version: RegisteredVersion) -> Iterator[tuple[Path, PublishedArtifact]]:
    """Download a version once and yield its folder and the address that these bytes would be published at.

    Raises:
        artifact.ArtifactError: there is no such artifact, or its name cannot be published.
        RegistryUnreachableError: MLflow does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="ferryman-artifact-") as scratch:
        folder = registry.download(version, Path(scratch))
        yield folder, PublishedArtifact.of(version.model, version.version, tree_digest(folder))


def verify(registry: Registry, version: RegisteredVersion, trust: Trust) -> Verified:
    """Download a version and verify its signature, for a person to know.

    Raises:
        artifact.RefusedError: it may not be released.
    """
    with downloaded(registry, version) as (folder, place):
        return verify_signed(folder, place, trust)
