"""The one implementation of an artifact's digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DOWNLOAD_NOTE", "SIGNATURES", "ArtifactError", "artifact_files", "tree_digest"]

DOWNLOAD_NOTE = "registered_model_meta"
"""MLflow writes it into every download; it is no part of the artifact."""

SIGNATURES = "signatures"
"""The folder of the signatures, one subfolder a key. A signature cannot sign itself."""

# Anything else in that folder counts: nothing that is not a signature travels unsigned.
_EXCLUDED = re.compile(rf"{DOWNLOAD_NOTE}|{SIGNATURES}/[0-9a-f]{{16}}/(model\.sig|statement\.dsse\.json)")


class ArtifactError(ValueError):
    """The folder is not an artifact that may be used."""


def artifact_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield ``(relative POSIX path, path)`` of every file that the digest covers, sorted by name.

    Raises:
        ArtifactError: the folder does not exist, holds no file, or holds a link (its target could change
            after the digest was taken).
    """
    if not folder.is_dir():
        raise ArtifactError(f"{folder}: no such artifact folder")
    found: dict[str, Path] = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ArtifactError(f"{path}: an artifact may not hold symbolic links")
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _EXCLUDED.fullmatch(name):
            found[name] = path
    if not found:
        raise ArtifactError(f"{folder}: the artifact folder is empty")
    for name in sorted(found):
        yield name, found[name]


def tree_digest(folder: Path) -> str:
    r"""Return the SHA-256, as 64 hex digits, over the sorted lines ``relpath\0sha256\n`` of the folder's files.

    Raises:
        ArtifactError: see :func:`artifact_files`.
    """
    tree = hashlib.sha256()
    for name, path in artifact_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        tree.update(f"{name}\0{content}\n".encode())
    return tree.hexdigest()
