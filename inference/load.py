"""From a published address to a pipeline: download, check the digest, and only then deserialise."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from sklearn.pipeline import Pipeline

from artifact import ArtifactError, PublishedArtifact, verify_folder
from artifact.model import load_pipeline

__all__ = ["DownloadError", "load"]

_CONNECT_SECONDS = 5


class DownloadError(RuntimeError):
    """The object store does not answer, or does not hold the artifact."""


def load(place: PublishedArtifact, folder: Path | None) -> Pipeline:
    """Return the pipeline at ``place``, from ``folder`` if somebody downloaded it already.

    Raises:
        DownloadError: it cannot be downloaded.
        artifact.ArtifactError: the bytes are not the published ones, or not a model that may be loaded.
    """
    if folder is not None:
        return _checked(folder, place)
    with tempfile.TemporaryDirectory(prefix="ferryman-artifact-") as scratch:
        _download(place, scratch)
        return _checked(Path(scratch), place)


def _checked(folder: Path, place: PublishedArtifact) -> Pipeline:
    try:
        verify_folder(folder, place.digest12)
        return load_pipeline(folder)
    except ArtifactError:
        raise
    except Exception as error:  # an unreadable file, or one written by libraries that do not fit ours
        raise ArtifactError(f"{folder}: cannot be loaded: {_line(error)}") from error


def _download(place: PublishedArtifact, destination: str) -> None:
    # kserve-storage knows AWS_ENDPOINT_URL only; its own time-outs let a predictor that cannot start wait for a minute.
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        _reach(endpoint, place)
    os.environ.setdefault("S3_CONNECT_TIMEOUT", str(_CONNECT_SECONDS))
    os.environ.setdefault("S3_MAX_ATTEMPTS", "2")
    from kserve_storage import Storage

    # kserve-storage logs what it then raises, and the caller prints that.
    logging.getLogger("storage.initializer").setLevel(logging.CRITICAL)
    try:
        Storage.download(place.uri, destination)
    except Exception as error:
        raise DownloadError(f"{place.uri} cannot be downloaded: {_line(error)}") from error


def _reach(endpoint: str, place: PublishedArtifact) -> None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise DownloadError(f"{place.uri} cannot be downloaded: {endpoint} does not answer: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
