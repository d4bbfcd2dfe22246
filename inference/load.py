"""From a published address to a model: download, check the digest, and only then read it."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from artifact import ArtifactError, PublishedArtifact, verify_folder
from artifact.names import MODEL_FILE, REFERENCE_FILE
from artifact.reference import Reference, ReferenceFormatError
from inference import age
from inference.recognise import NotRecognisedError, recognise
from inference.scoring import Scorer
from inference.skops_file import UnreadableError, read

__all__ = ["DownloadError", "load"]

_CONNECT_SECONDS = 5
_log = logging.getLogger("inference")


class DownloadError(RuntimeError):
    """The object store does not answer, or does not hold the artifact."""


def load(place: PublishedArtifact, folder: Path | None) -> Scorer:
    """Return the model at ``place``, from ``folder`` if somebody downloaded it already.

    Raises:
        DownloadError: it cannot be downloaded.
        artifact.ArtifactError: the bytes are not the published ones, or not a model that may be loaded.
    """
    if folder is not None:
        return _checked(folder, place)
    with tempfile.TemporaryDirectory(prefix="ferryman-artifact-") as scratch:
        _download(place, scratch)
        return _checked(Path(scratch), place)


def _checked(folder: Path, place: PublishedArtifact) -> Scorer:
    verify_folder(folder, place.digest12)
    age.expose(folder, place)
    try:
        return replace(recognise(read(folder / MODEL_FILE)), reference=_reference(folder))
    except (NotRecognisedError, UnreadableError) as error:
        reason = str(error)
    except Exception as error:  # a model file of our own format, but with other content than any training writes
        reason = type(error).__name__
    try:
        from inference.fallback import load as load_pipeline

        loaded = load_pipeline(folder)
    except ArtifactError:
        raise
    except Exception as error:  # an unreadable file, or one written by libraries that do not fit ours
        raise ArtifactError(f"{folder}: cannot be loaded: {_line(error)}") from error
    _log.warning("this model is scored by scikit-learn itself, slowly and without explanations: %s", reason)
    return loaded


def _reference(folder: Path) -> Reference | None:
    file = folder / REFERENCE_FILE
    if not file.is_file():
        return None
    try:
        return Reference.from_json(file.read_text())
    except (ReferenceFormatError, UnicodeDecodeError) as error:
        _log.warning("drift is not measured: %s: %s", REFERENCE_FILE, error)
        return None


def _download(place: PublishedArtifact, destination: str) -> None:
    # kserve-storage knows AWS_ENDPOINT_URL only; its own time-outs let a predictor that cannot start wait for a minute.
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    environment = {"S3_CONNECT_TIMEOUT": str(_CONNECT_SECONDS), "S3_MAX_ATTEMPTS": "2", **os.environ}
    if endpoint:
        environment["AWS_ENDPOINT_URL"] = endpoint
        _reach(endpoint, place)
    # In a process of its own: the clouds' clients would stay in this one's memory for good.
    command = [sys.executable, "-m", "inference.download", place.uri, destination]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise DownloadError(f"{place.uri} cannot be downloaded: {lines[-1]}")


def _reach(endpoint: str, place: PublishedArtifact) -> None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise DownloadError(f"{place.uri} cannot be downloaded: {endpoint} does not answer: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
