"""From texts to labels and probabilities, by the pipeline itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from artifact import ArtifactError
from artifact.names import TEXT_COLUMN

__all__ = ["TEXT_COLUMN", "Scorer", "Scores", "class_names"]

_NAMES = {"0": "negative", "1": "positive"}


@dataclass(frozen=True)
class Scores:
    """What the model says of n texts: probabilities are FP64 ``[n, 2]``, confidence is the label's own probability."""

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @property
    def winners(self) -> NDArray[np.intp]:
        """The column of each text's most probable class, ``[n]``."""
        return np.asarray(np.argmax(self.probabilities, axis=1), dtype=np.intp)

    @property
    def labels(self) -> list[str]:
        """Each text's most probable class."""
        return [self.classes[winner] for winner in self.winners]

    @property
    def confidences(self) -> NDArray[np.float64]:
        """Each text's highest probability, ``[n]``."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)


def class_names(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of the classes in the order of the probabilities' columns: 0 is negative, 1 is positive."""
    return tuple(_NAMES.get(str(each), str(each)) for each in pipeline.classes_)


class Scorer:
    """A fitted two-class pipeline over a table with one column, ``text``."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Take a pipeline after it scored one text: a model that cannot is refused at start, not at the first call.

        Raises:
            ArtifactError: the pipeline gives no probabilities of two classes for a column ``text``.
        """
        self._pipeline = pipeline
        try:
            self.classes = class_names(pipeline)
            shape = self.score([""]).probabilities.shape
        except Exception as error:
            raise ArtifactError(f"the model cannot score a text ({type(error).__name__})") from error
        if shape != (1, 2):
            raise ArtifactError(f"the model gives probabilities of shape {list(shape)} for one text, expected [1, 2]")

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts."""
        table = pd.DataFrame({TEXT_COLUMN: list(texts)})
        return Scores(self.classes, np.asarray(self._pipeline.predict_proba(table), dtype=np.float64))
