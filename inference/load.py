"""From a published address to a pipeline: download, check the digest, and only then deserialise."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from sklearn.pipeline import Pipeline

from artifact import PublishedArtifact, verify_folder
from artifact.model import load_pipeline

__all__ = ["DownloadError", "load"]


class DownloadError(RuntimeError):
    """The object store does not answer, or does not hold the artifact."""


def load(place: PublishedArtifact, folder: Path | None) -> Pipeline:
    """Return the pipeline at ``place``, from ``folder`` if somebody downloaded it already.

    Raises:
        DownloadError: it cannot be downloaded.
        artifact.ArtifactError: the bytes are not the published ones, or not a model that may be loaded.
    """
    if folder is not None:
        verify_folder(folder, place.digest12)
        return load_pipeline(folder)
    with tempfile.TemporaryDirectory(prefix="ferryman-artifact-") as scratch:
        _download(place, scratch)
        verify_folder(Path(scratch), place.digest12)
        return load_pipeline(Path(scratch))


def _download(place: PublishedArtifact, destination: str) -> None:
    # The SDK's own defaults let a process that cannot start wait for minutes.
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "2")
    from kserve_storage import Storage

    logging.getLogger("kserve_storage").setLevel(logging.WARNING)
    try:
        Storage.download(place.uri, destination)
    except Exception as error:
        raise DownloadError(f"{place.uri} cannot be downloaded: {type(error).__name__}: {error}") from error
