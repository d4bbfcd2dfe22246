"""Loading the scikit-learn pipeline of an artifact: skops with an allow-list of our own, never pickle."""

from __future__ import annotations

from pathlib import Path

import skops.io
from sklearn.pipeline import Pipeline

from artifact.digest import ArtifactError
from artifact.names import MODEL_FILE

__all__ = ["TRUSTED_TYPES", "UntrustedTypeError", "load_pipeline"]

# What skops does not trust by itself and we do. The list in an artifact's own MLmodel is its author's claim: not read.
TRUSTED_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
)


class UntrustedTypeError(ArtifactError):
    """The file names a type outside the allow-list, or is no skops file at all."""


def load_pipeline(folder: Path) -> Pipeline:
    """Load the pipeline of an MLflow model folder.

    Raises:
        ArtifactError: there is no ``model.skops`` in the folder.
        UntrustedTypeError: the file is not skops' format, names other types, or holds something else than a Pipeline.
    """
    file = folder / MODEL_FILE
    if not file.is_file():
        raise ArtifactError(f"{folder}: no {MODEL_FILE}; models are served from skops files only")
    try:
        untrusted = sorted(set(skops.io.get_untrusted_types(file=file)) - set(TRUSTED_TYPES))
    except Exception as error:
        raise UntrustedTypeError(f"{file}: not a readable skops file ({type(error).__name__})") from error
    if untrusted:
        raise UntrustedTypeError(f"{file}: types outside the allow-list: {', '.join(untrusted)}")
    model = skops.io.load(file, trusted=list(TRUSTED_TYPES))
    if not isinstance(model, Pipeline):
        raise UntrustedTypeError(f"{file}: holds a {type(model).__name__}, expected a scikit-learn Pipeline")
    return model
