"""Checking a folder against the digest that its address carries."""

from __future__ import annotations

from pathlib import Path

from artifact.digest import ArtifactError, tree_digest

__all__ = ["DigestMismatchError", "verify_folder"]


class DigestMismatchError(ArtifactError):
    """The bytes are not the ones that the digest names."""


def verify_folder(folder: Path, expected: str) -> str:
    """Return the folder's digest after comparing it with ``expected``, a full digest or its first 12 digits.

    Raises:
        DigestMismatchError: the folder holds other bytes.
        ArtifactError: the folder is missing, empty, or holds links.
    """
    if len(expected) not in (12, 64):
        raise ArtifactError(f"{expected!r} is not a digest: expected 12 or 64 hex digits")
    digest = tree_digest(folder)
    if digest[: len(expected)] != expected:
        raise DigestMismatchError(f"{folder}: digest is {digest[: len(expected)]}, expected {expected}")
    return digest
