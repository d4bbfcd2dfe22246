"""What the model is called, its files, and the column that its pipeline reads: written by training, read by serving."""

__all__ = ["MODEL", "MODEL_FILE", "REFERENCE_FILE", "TEXT_COLUMN"]

MODEL = "sentiment"
"""The registered model's name, which is also its name in every address of the API."""

TEXT_COLUMN = "text"
"""The one column of the table that the pipeline takes."""

MODEL_FILE = "model.skops"
"""What MLflow calls a scikit-learn model that was saved by skops."""

REFERENCE_FILE = "drift_reference.json"
"""The distributions that a predictor measures drift against (:mod:`artifact.reference`)."""
