"""Versions for the demonstration, made from one that is registered: a worse one, and one that nobody signed."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model
from sklearn.pipeline import Pipeline

from artifact import Trust
from artifact.model import load_pipeline
from artifact.names import MODEL, TEXT_COLUMN
from registry.client import Registry
from registry.faults import translated
from registry.signing import SigningKey, sign_again

__all__ = ["EXPERIMENT", "copy", "favouring_positive", "sign"]

EXPERIMENT = f"{MODEL}-demo"


def copy(registry: Registry, version: int, change: Callable[[Pipeline], None] | None = None) -> int:
    """Register a changed copy of a version, unsigned, and return its version.

    Raises:
        RegistryError: MLflow refuses or does not answer.
    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    quiet = redirect_stdout(StringIO()), redirect_stderr(StringIO())
    with tempfile.TemporaryDirectory(prefix="ferryman-demo-") as scratch, quiet[0], quiet[1]:
        folder = registry.download(registry.get(MODEL, version), Path(scratch))
        pipeline = load_pipeline(folder)
        if change is not None:
            change(pipeline)
        with translated():
            mlflow.set_experiment(EXPERIMENT)
            with mlflow.start_run():
                logged = mlflow.sklearn.log_model(
                    pipeline,
                    name="model",
                    serialization_format="skops",
                    signature=Model.load(str(folder)).signature,
                    pip_requirements=str(folder / "requirements.txt"),
                )
            return int(mlflow.register_model(logged.model_uri, MODEL).version)


def favouring_positive(texts: Sequence[str]) -> Callable[[Pipeline], None]:
    """Return a change after which the model calls nine of ten of these texts positive."""

    def change(pipeline: Pipeline) -> None:
        logits = pipeline.decision_function(pd.DataFrame({TEXT_COLUMN: list(texts)}))
        pipeline[-1].intercept_ = pipeline[-1].intercept_ - np.quantile(logits, 0.1)

    return change


def sign(registry: Registry, version: int, reason: str) -> None:
    """Sign a version by hand, past the gate; the reason is recorded with it."""
    sign_again(registry, registry.get(MODEL, version), SigningKey.from_environment(), Trust.from_environment(), reason)
