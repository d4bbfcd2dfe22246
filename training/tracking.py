"""The job's side of MLflow: one run, what is logged to it, and the registered version."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.utils.logging_utils import MLFLOW_LOGGING_STREAM
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from artifact import tree_digest
from artifact.names import REFERENCE_FILE
from artifact.reference import Reference
from registry.client import Registry
from registry.faults import translated
from registry.gate import GateResult
from registry.signing import SigningKey, sign_passed
from registry.tags import ARTIFACT_DIGEST, GATE_PASSED, GATE_PREFIX, GATE_REASON, GIT_COMMIT
from training import provenance
from training.card import card
from training.pipeline import PARAMETERS
from training.plots import figures
from training.source import Table
from training.split import TEST_SHARE

__all__ = ["Run", "run"]

_SIGNATURE = ModelSignature(inputs=Schema([ColSpec("string", "text")]), outputs=Schema([ColSpec("long")]))


class Run:
    """The active run."""

    def __init__(self, active: mlflow.ActiveRun, model: str, scratch: Path) -> None:
        self._id = active.info.run_id
        self._model = model
        self._folder = scratch / "model"
        base = mlflow.get_tracking_uri().rstrip("/")
        self.url = f"{base}/#/experiments/{active.info.experiment_id}/runs/{self._id}"
        self._client = MlflowClient()
        self._commit = provenance.commit()
        self._client.set_tag(self._id, GIT_COMMIT, self._commit.sha)
        self._client.set_tag(self._id, "git.dirty", str(self._commit.dirty).lower())
        mlflow.log_text(provenance.environment(), "environment.txt")

    def log_settings(self, table: Table, sample: int | None) -> None:
        """Log what the job was asked to do."""
        asked = {"data": table.name, "data.digest": table.digest, "sample": sample or "all", "test_share": TEST_SHARE}
        mlflow.log_params({**asked, **PARAMETERS})

    def log_text(self, text: str, name: str) -> None:
        """Keep a text as an artifact."""
        mlflow.log_text(text, name)

    def log_data(self, table: Table, train: pd.DataFrame, test: pd.DataFrame) -> None:
        """Log both sides of the split as datasets: name, digest and shape, not the rows."""
        for side, rows in (("train", train), ("test", test)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dataset = from_pandas(
                    rows[["text", "label"]].astype({"label": "int64"}),
                    source=table.name,
                    name=f"{table.name} {table.digest[:12]} {side}",
                    targets="label",
                )
            mlflow.log_input(dataset, context=side)
            mlflow.log_metric(f"rows_{side}", len(rows))

    def log_results(
        self, uri: str, metrics: Mapping[str, float], by_slice: Mapping[str, Mapping[str, float]], gate: GateResult
    ) -> None:
        """Log metrics of the model at this address, overall and ``slice.metric``, and the gate's verdict."""
        sliced = {f"{part}.{name}": value for part, found in by_slice.items() for name, value in found.items()}
        mlflow.log_metrics({**metrics, **sliced}, model_id=uri.removeprefix("models:/"))
        verdict = {"passed": gate.passed, "reason": gate.reason, **gate.numbers}
        mlflow.log_text(json.dumps(verdict, indent=2), "gate.json")

    def log_figures(
        self,
        labels: NDArray[np.int64],
        positive: NDArray[np.float64],
        curve: Mapping[int, float],
        tokens: Sequence[tuple[str, float]],
    ) -> None:
        """Draw and keep the plots (see :func:`training.plots.figures`)."""
        for name, figure in figures(labels, positive, curve, tokens):
            mlflow.log_figure(figure, f"plots/{name}.png")

    def log_card(
        self,
        table: Table,
        metrics: Mapping[str, float],
        by_slice: Mapping[str, Mapping[str, float]],
        gate: GateResult,
        *,
        rows: tuple[int, int],
    ) -> None:
        """Write the model card (see :func:`training.card.card`)."""
        mlflow.log_text(card(self._model, table, metrics, by_slice, gate, rows=rows), "model_card.md")

    def log_model(self, pipeline: Pipeline, train: pd.DataFrame, reference: Reference) -> str:
        """Save the pipeline as skops and the reference beside it, log that folder, return its ``models:/m-…`` address.

        ``mlflow.sklearn.log_model`` keeps no copy. The gate signs the folder that was written here, not what MLflow
        gives back: somebody may have written there in between.
        """
        logged = mlflow.initialize_logged_model(
            "model", source_run_id=self._id, params=self._client.get_run(self._id).data.params
        )
        mlflow.sklearn.save_model(
            pipeline,
            str(self._folder),
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=self._id,
                model_id=logged.model_id,
                model_uuid=logged.model_id,
            ),
            serialization_format="skops",
            signature=_SIGNATURE,
            input_example=pd.DataFrame({"text": [str(train["text"].iloc[0])[:200]]}),
            pip_requirements=provenance.requirements(),
        )
        (self._folder / REFERENCE_FILE).write_text(reference.to_json())
        self._client.log_model_artifacts(logged.model_id, str(self._folder))
        self._client.log_outputs(self._id, [LoggedModelOutput(logged.model_id, step=0)])
        mlflow.finalize_logged_model(logged.model_id, "READY")
        return str(logged.model_uri)

    def register(
        self,
        registry: Registry,
        uri: str,
        digests: Mapping[str, str],
        metrics: Mapping[str, float],
        gate: GateResult,
        *,
        key: SigningKey,
    ) -> int:
        """Register the model, sign it if the gate let it pass, tag it, and return its version.

        A job that dies halfway leaves an unsigned version, which nobody may release.
        """
        # What it has to say goes past its own logger's level; errors are raised.
        MLFLOW_LOGGING_STREAM.enabled = False
        try:
            version = int(mlflow.register_model(uri, self._model).version)
        finally:
            MLFLOW_LOGGING_STREAM.enabled = True
        self._client.update_model_version(
            self._model, str(version), f"Accuracy {metrics['accuracy']:.4f}. Gate: {gate.reason}."
        )
        digest = tree_digest(self._folder)
        numbers = {f"{GATE_PREFIX}{name}": f"{value:.6g}" for name, value in gate.numbers.items()}
        verdict = {GATE_REASON: gate.reason, GATE_PASSED: str(gate.passed).lower()}
        tags = {ARTIFACT_DIGEST: digest, GIT_COMMIT: self._commit.sha, **digests, **numbers, **verdict}
        registry.set_tags(self._model, version, tags)
        if gate.passed:
            sign_passed(registry, registry.get(self._model, version), self._folder, gate, key)
        return version


@contextmanager
def run(model: str) -> Iterator[Run]:
    """Open a run in the experiment of the model's name; it ends FAILED when the body raises.

    Raises:
        RegistryError: MLflow, or the object store behind it, does not answer or refuses, now or in the body.
    """
    _quiet()
    with translated():
        mlflow.set_experiment(model)
        # Or the UI takes it for an application of a language model, and shows that one's menus.
        mlflow.set_experiment_tag("mlflow.experimentKind", "custom_model_development")
        active = mlflow.start_run()
        status = "FAILED"
        try:
            with tempfile.TemporaryDirectory(prefix="ferryman-train-") as scratch:
                yield Run(active, model, Path(scratch))
            status = "FINISHED"
        finally:
            # The server may be what failed: the first error is the one to report.
            with suppress(MlflowException), redirect_stdout(StringIO()):
                mlflow.end_run(status)


def _quiet() -> None:
    """Keep MLflow's hints off the terminal; its errors stay."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    mlflow.autolog(disable=True, silent=True)
