"""The one implementation of an artifact's digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["EXCLUDED_NAMES", "ArtifactError", "artifact_files", "tree_digest"]

# MLflow writes `registered_model_meta` into every download; the signature cannot sign itself.
EXCLUDED_NAMES = frozenset({"registered_model_meta", "model.sig"})


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
        if path.is_file() and name not in EXCLUDED_NAMES:
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
