"""What the registry holds, in MLflow's own words: registered model, version, alias, tag."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import RestException

from registry.faults import RegistryError, RegistryUnreachableError, translated
from registry.tags import GATE_PASSED

__all__ = ["CHAMPION", "RegisteredVersion", "Registry", "RegistryError", "RegistryUnreachableError", "mlflow_client"]

CHAMPION = "champion"

_MODELS = "models:/"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a registered model."""

    model: str
    version: int
    run_id: str
    tags: Mapping[str, str]

    @property
    def gate_passed(self) -> bool:
        """Whether the gate measured this version and let it pass. Absent means no."""
        return self.tags.get(GATE_PASSED) == "true"


def _registered(found: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(found.name, int(found.version), found.run_id or "", dict(found.tags))


def mlflow_client() -> MlflowClient:
    """Return a client of the server that ``MLFLOW_TRACKING_URI`` names.

    Raises:
        RegistryUnreachableError: it names none.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        # MLflow would begin a database of its own in the current folder.
        raise RegistryUnreachableError("MLFLOW_TRACKING_URI is not set: no registry to ask")
    # MLflow's own defaults let a caller wait for minutes before it hears that the server is down.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Otherwise files come from the object store by the name that the server has for it, which may mean nothing here.
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


class Registry:
    """A thin adapter over :class:`mlflow.MlflowClient`.

    The server is the one that ``MLFLOW_TRACKING_URI`` names. Every method raises :class:`RegistryUnreachableError` when
    it does not answer.
    """

    def __init__(self) -> None:
        self._client = mlflow_client()

    def by_alias(self, model: str, alias: str) -> RegisteredVersion | None:
        """Return the version that the alias names, or None when the alias or the model is not there."""
        with translated(), _absent_is_none():
            return _registered(self._client.get_model_version_by_alias(model, alias))
        return None

    def aliases(self) -> dict[str, dict[str, int]]:
        """Return the version that each alias of each registered model names; one call for up to 1,000 models."""
        found: dict[str, dict[str, int]] = {}
        token = None
        with translated():
            while True:
                page = self._client.search_registered_models(max_results=1000, page_token=token)
                for model in page:
                    found[model.name] = {alias: int(version) for alias, version in model.aliases.items()}
                token = page.token
                if not token:
                    return found

    def get(self, model: str, version: int) -> RegisteredVersion:
        """Return one version.

        Raises:
            RegistryError: there is no such version.
        """
        with translated(), _absent_is_none():
            return _registered(self._client.get_model_version(model, str(version)))
        raise RegistryError(f"{model} has no version {version}")

    def versions(self, model: str) -> list[RegisteredVersion]:
        """Return every version of the model, newest first; empty when the model is not registered."""
        with translated(), _absent_is_none():
            found = map(_registered, self._client.search_model_versions(f"name = '{model}'"))
            return sorted(found, key=lambda version: version.version, reverse=True)
        return []

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Move the alias."""
        with translated():
            self._client.set_registered_model_alias(model, alias, str(version))

    def set_tags(self, model: str, version: int, tags: Mapping[str, str]) -> None:
        """Write tags on one version."""
        with translated():
            for key, value in tags.items():
                self._client.set_model_version_tag(model, str(version), key, value)

    def download(self, version: RegisteredVersion, destination: Path) -> Path:
        """Download the model folder of a version into ``destination`` and return the folder."""
        uri = f"models:/{version.model}/{version.version}"
        with translated():
            return Path(download_artifacts(artifact_uri=uri, dst_path=str(destination)))

    def attach(self, version: RegisteredVersion, folder: Path) -> None:
        """Add a folder of files to the artifact of a version, under the folder's own name.

        Raises:
            RegistryError: the version was not registered from a logged model.
        """
        with translated():
            source = self._client.get_model_version(version.model, str(version.version)).source or ""
            if not source.startswith(f"{_MODELS}m-"):
                raise RegistryError(
                    f"{version.model} version {version.version} was not registered from a logged model "
                    "(models:/m-…): nothing can be added to it"
                )
            self._client.log_model_artifacts(source.removeprefix(_MODELS), str(folder), folder.name)


@contextmanager
def _absent_is_none() -> Iterator[None]:
    """Go on after the body when the registry says that there is no such thing."""
    try:
        yield
    except RestException as error:
        if error.error_code not in _ABSENT:
            raise
