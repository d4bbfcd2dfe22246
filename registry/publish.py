"""Copying the bytes of a version, once verified, to the immutable place that tenants read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from artifact import ArtifactError, DigestMismatchError, PublishedArtifact, verify_folder
from artifact.address import RELEASED_BUCKET
from artifact.digest import artifact_files
from registry.client import RegisteredVersion, Registry
from registry.tags import ARTIFACT_DIGEST, GATE_REASON

__all__ = ["PublishRefusedError", "StorageUnreachableError", "publish", "refusal"]

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


class PublishRefusedError(RuntimeError):
    """This version may not be released; the message says why. Trying again will not help."""


class StorageUnreachableError(RuntimeError):
    """The object store does not answer, or refuses the publisher."""


def refusal(version: RegisteredVersion) -> str | None:
    """Return why a version may not be released, or None when it may."""
    name = f"{version.model} version {version.version}"
    if not version.gate_passed:
        reason = version.tags.get(GATE_REASON, "the gate never measured it")
        return f"{name} did not pass the gate: {reason}"
    if len(version.tags.get(ARTIFACT_DIGEST, "")) != 64:
        return f"{name} has no {ARTIFACT_DIGEST} tag: nothing says which bytes passed the gate"
    return None


def publish(registry: Registry, s3: Any, version: RegisteredVersion) -> PublishedArtifact:
    """Verify a version's bytes against its digest and copy just those to ``released/``. A second time copies nothing.

    Raises:
        PublishRefusedError: the gate did not pass, the bytes are not the ones that passed it, or other bytes lie
            in their place already.
        RegistryUnreachableError: MLflow does not answer.
        StorageUnreachableError: the object store does not answer.
    """
    reason = refusal(version)
    if reason:
        raise PublishRefusedError(reason)
    digest = version.tags[ARTIFACT_DIGEST]
    place = PublishedArtifact.of(version.model, version.version, digest)
    with tempfile.TemporaryDirectory(prefix="ferryman-publish-") as scratch:
        folder = registry.download(version, Path(scratch))
        try:
            verify_folder(folder, digest)
        except ArtifactError as error:
            raise PublishRefusedError(
                f"{version.model} version {version.version}: the artifact is not what passed the gate ({_plain(error)})"
            ) from error
        try:
            _copy(s3, folder, place)
        except (BotoCoreError, ClientError) as error:
            raise StorageUnreachableError(f"the object store does not take {place.uri}: {error}") from error
    return place


def _copy(s3: Any, folder: Path, place: PublishedArtifact) -> None:
    """Write each file where none is yet; compare where one is."""
    for name, path in artifact_files(folder):
        key, body = place.prefix + name, path.read_bytes()
        try:
            s3.put_object(Bucket=RELEASED_BUCKET, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _TAKEN:
                raise
            if s3.get_object(Bucket=RELEASED_BUCKET, Key=key)["Body"].read() != body:
                raise PublishRefusedError(f"{place.uri}{name} holds other bytes already") from error


def _plain(error: ArtifactError) -> str:
    """Leave the scratch folder's path out of a message that is kept."""
    return str(error).rsplit(": ", 1)[-1] if isinstance(error, DigestMismatchError) else type(error).__name__
