"""Copying the bytes of a version, once verified, to the immutable place that tenants read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from artifact import ArtifactError, PublishedArtifact, Reason, RefusedError, Trust, verify_signed
from artifact.address import ReleasedStore
from artifact.digest import artifact_files
from artifact.signature import SignatureFiles
from registry.client import RegisteredVersion, Registry
from registry.download import downloaded
from registry.tags import GATE_REASON, SIGNATURE_KEY

__all__ = ["Publication", "PublishRefusedError", "StorageUnreachableError", "publish", "refusal"]

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


class PublishRefusedError(RuntimeError):
    """This version may not be released: one word, and a message that says why. Trying again will not help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StorageUnreachableError(RuntimeError):
    """The object store does not answer, or refuses the publisher."""


@dataclass(frozen=True)
class Publication:
    """Where tenants read a version, and its full digest, 64 hex digits."""

    place: PublishedArtifact
    digest: str


def refusal(version: RegisteredVersion) -> str | None:
    """Return why a version cannot be released as far as its tags say, or None.

    A hint that costs nothing. Tags are not signed: only :func:`publish` and ``registry.download.verify`` know.
    """
    hint = _hint(version)
    return hint[1] if hint else None


def _hint(version: RegisteredVersion) -> tuple[Reason, str] | None:
    name = f"{version.model} version {version.version}"
    if SIGNATURE_KEY in version.tags:
        return None
    if not version.gate_passed:
        reason = version.tags.get(GATE_REASON, "the gate never measured it")
        return Reason.GATE_NOT_PASSED, f"{name} did not pass the gate: {reason}"
    return Reason.UNSIGNED, f"{name} is not signed: nothing proves that it passed the gate"


def publish(registry: Registry, s3: Any, version: RegisteredVersion, trust: Trust) -> Publication:
    """Download a version once, verify its signature, and copy just those bytes to ``released/``.

    A second time copies nothing but a signature with another key.

    Raises:
        PublishRefusedError: the signature does not allow it, or other bytes lie in its place already.
        RegistryUnreachableError: MLflow does not answer.
        StorageUnreachableError: the object store does not answer.
    """
    hint = _hint(version)
    if hint:
        raise PublishRefusedError(*hint)
    try:
        with downloaded(registry, version) as (folder, place):
            verified = verify_signed(folder, place, trust)
            _copy(s3, folder, place, verified.keys)
    except RefusedError as error:
        raise PublishRefusedError(error.reason, str(error)) from error
    except ArtifactError as error:
        raise PublishRefusedError(
            Reason.ALTERED, f"{version.model} version {version.version}: {str(error).rsplit(': ', 1)[-1]}"
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise StorageUnreachableError(f"the object store does not take {place.uri}: {error}") from error
    return Publication(place, verified.statement.digest)


def _copy(s3: Any, folder: Path, place: PublishedArtifact, keys: tuple[str, ...]) -> None:
    """Write each file where none is yet, the signatures last: an artifact that is half there is unsigned."""
    for name, path in artifact_files(folder):
        object_key, body = place.prefix + name, path.read_bytes()
        if not _create(s3, object_key, body) and _read(s3, object_key) != body:
            raise PublishRefusedError(Reason.PLACE_TAKEN, f"{place.uri}{name} holds other bytes already")
    for key in keys:
        files = SignatureFiles.of(folder, key)
        for path in (files.bundle, files.statement):
            # One that is there was verified when it came; two signatures of the same bytes are never alike.
            _create(s3, place.prefix + path.relative_to(folder).as_posix(), path.read_bytes())


def _create(s3: Any, key: str, body: bytes) -> bool:
    """Write an object unless there is one, and return whether there was none."""
    try:
        store = ReleasedStore.from_environment()
        s3.put_object(Bucket=store.bucket, Key=store.root + key, Body=body, IfNoneMatch="*")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _TAKEN:
            raise
        return False
    return True


def _read(s3: Any, key: str) -> bytes:
    store = ReleasedStore.from_environment()
    return bytes(s3.get_object(Bucket=store.bucket, Key=store.root + key)["Body"].read())
