"""The history of releases, kept in MLflow: one run a registered model, in it one file a tenant that only grows."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from registry.client import RegistryUnreachableError, mlflow_client

__all__ = ["AB_TESTS", "EXPERIMENT", "ReleaseHistory"]

EXPERIMENT = "ferryman-releases"
AB_TESTS = "ab-tests"
_MODEL_TAG = "ferryman.model"
_making = threading.Lock()

Line = dict[str, Any]


class ReleaseHistory:
    """Appends and reads lines; each is a JSON object with a ``number`` and a ``time``, by which it is known.

    Every method raises :class:`registry.client.RegistryUnreachableError` when MLflow, or its artifact store, does not
    answer. Only one process may append at a time.
    """

    def __init__(self) -> None:
        self._client = mlflow_client()
        self._runs: dict[str, str] = {}

    def append(self, model: str, tenant: str, lines: Sequence[Line]) -> None:
        """Add those lines that are not there yet."""
        try:
            run = self._run(model)
            held = self._read(run, tenant)
            there = {_identity(line) for line in held}
            new = [line for line in lines if _identity(line) not in there]
            if new:
                text = "".join(json.dumps(line) + "\n" for line in [*held, *new])
                self._client.log_text(run, text, _file(tenant))
        except (MlflowException, OSError) as error:
            raise RegistryUnreachableError(f"the release history cannot be written: {error}") from error

    def read(self, model: str, tenant: str) -> list[Line]:
        """Return every line of a tenant, oldest first."""
        try:
            return self._read(self._run(model), tenant)
        except (MlflowException, OSError) as error:
            raise RegistryUnreachableError(f"the release history cannot be read: {error}") from error

    def attach(self, model: str, files: Mapping[str, str]) -> None:
        """Keep these files, text by name, beside the history; one of the same name is replaced."""
        try:
            run = self._run(model)
            for name, text in files.items():
                self._client.log_text(run, text, f"{AB_TESTS}/{name}")
        except (MlflowException, OSError) as error:
            raise RegistryUnreachableError(f"{', '.join(files)} cannot be written: {error}") from error

    def attached(self, model: str, name: str) -> str:
        """Return such a file.

        Raises:
            KeyError: there is none of this name.
        """
        try:
            return self._text(self._run(model), f"{AB_TESTS}/{name}")
        except (MlflowException, OSError) as error:
            raise RegistryUnreachableError(f"{name} cannot be read: {error}") from error

    def _read(self, run: str, tenant: str) -> list[Line]:
        try:
            return [json.loads(line) for line in self._text(run, _file(tenant)).splitlines()]
        except KeyError:
            return []

    def _text(self, run: str, path: str) -> str:
        if path not in {each.path for each in self._client.list_artifacts(run, path.rpartition("/")[0])}:
            raise KeyError(path)
        with tempfile.TemporaryDirectory(prefix="ferryman-history-") as scratch:
            place = download_artifacts(
                run_id=run, artifact_path=path, dst_path=scratch, tracking_uri=self._client.tracking_uri
            )
            return Path(place).read_text()

    def _run(self, model: str) -> str:
        with _making:
            if model not in self._runs:
                experiment = self._client.get_experiment_by_name(EXPERIMENT)
                identifier = experiment.experiment_id if experiment else self._client.create_experiment(EXPERIMENT)
                found = self._client.search_runs([identifier], f"tags.`{_MODEL_TAG}` = '{model}'", max_results=1)
                made = found or [self._client.create_run(identifier, tags={_MODEL_TAG: model}, run_name=model)]
                self._runs[model] = made[0].info.run_id
            return self._runs[model]


def _file(tenant: str) -> str:
    return f"releases/{tenant}.jsonl"


def _identity(line: Line) -> tuple[object, object]:
    return line["number"], line["time"]
