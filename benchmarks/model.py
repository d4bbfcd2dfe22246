"""The artifact that every server in the benchmark serves: the default model, trained on the default data."""

from __future__ import annotations

from pathlib import Path

import mlflow.sklearn
import numpy as np
import skops.io
from sklearn.pipeline import Pipeline

from training.normalise import deduplicate, with_key
from training.pipeline import fit
from training.source import load
from training.split import split
from training.vectorise import fit_features, hash_texts

__all__ = ["ensure"]


def ensure(folder: Path) -> Path:
    """Return the model's MLflow folder, after making it if it is not there."""
    if not (folder / "model.skops").is_file():
        mlflow.sklearn.save_model(
            _fitted(), folder, serialization_format="skops", pyfunc_predict_fn="predict_proba", pip_requirements=[]
        )
    return folder


def _fitted() -> Pipeline:
    rows = split(deduplicate(with_key(load(None).frame)))
    rows = rows[rows["split"] == "train"].sort_values("key", ignore_index=True)
    made, features = fit_features(hash_texts(rows["text"].tolist(), lambda _: None))
    return fit(made, features, rows["label"].to_numpy(np.int64))


def pipeline(folder: Path) -> Pipeline:
    """Return the pipeline itself."""
    return skops.io.load(folder / "model.skops", trusted=[])
