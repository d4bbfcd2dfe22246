"""A pipeline that is not recognised, scored by scikit-learn itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from artifact import ArtifactError
from artifact.model import load_pipeline
from artifact.names import TEXT_COLUMN
from inference.errors import RequestError
from inference.scoring import Scores, class_names

__all__ = ["PipelineScorer", "load"]


class PipelineScorer:
    """A fitted two-class pipeline over a table with one column, ``text``."""

    reference = None

    def __init__(self, pipeline: Pipeline) -> None:
        """Take a pipeline after it scored two texts: one that cannot is refused at start, not at the first call.

        Raises:
            ArtifactError: the pipeline gives no probabilities of two classes for a column ``text``.
        """
        self._pipeline = pipeline
        try:
            shape = np.shape(self._probabilities(["", "a"]))
        except Exception as error:
            raise ArtifactError(f"the model cannot score a text ({type(error).__name__})") from error
        if shape != (2, 2):
            raise ArtifactError(f"the model gives probabilities of shape {list(shape)} for two texts, expected [2, 2]")
        first, second = class_names(pipeline.classes_)
        self.classes = (first, second)

    def seconds(self, characters: int) -> float:
        """Return about how long scoring one request with so many characters takes."""
        return 0.002 + characters / 1_000_000

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts."""
        return Scores(self.classes, np.asarray(self._probabilities(texts), dtype=np.float64)[:, 1].tolist())

    def explain(self, texts: Sequence[str], top: int | None) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            RequestError: 501, always.
        """
        raise RequestError(501, "this model is not a linear one over tokens: it has no exact explanation")

    def _probabilities(self, texts: Sequence[str]) -> Any:
        return self._pipeline.predict_proba(pd.DataFrame({TEXT_COLUMN: list(texts)}))


def load(folder: Path) -> PipelineScorer:
    """Load a model folder's pipeline.

    Raises:
        ArtifactError: it may not or cannot be loaded, or does not score texts.
    """
    return PipelineScorer(load_pipeline(folder))
