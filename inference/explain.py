"""Exact token attributions of a linear model: contribution = weight x value; with the bias they add up to the logit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from inference.errors import RequestError
from inference.scoring import TEXT_COLUMN, class_names
from inference.tokens import Namer, namer

__all__ = ["Explainer"]


class Explainer:
    """Attributions towards the second class (``positive``) of a pipeline that ends in a linear classifier."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._features = pipeline[:-1]
        self._classifier = pipeline[-1]
        self._towards = class_names(pipeline)[-1]

    def explain(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return for each text its bias, logit, and tokens by falling size of contribution.

        Raises:
            RequestError: 501 when the classifier is not linear, or its features have no names.
        """
        coefficients = getattr(self._classifier, "coef_", None)
        if coefficients is None:
            raise RequestError(501, "this model is not linear: it has no exact explanation")
        # A ColumnTransformer gives a dense table where more than its threshold of the training cells was filled.
        rows = csr_matrix(self._features.transform(pd.DataFrame({TEXT_COLUMN: list(texts)})))
        bias = float(self._classifier.intercept_[0])
        explanations = []
        for row, text in enumerate(texts):
            span = slice(rows.indptr[row], rows.indptr[row + 1])
            contributions = coefficients[0][rows.indices[span]] * rows.data[span]
            order = np.argsort(-np.abs(contributions), kind="stable")
            tokens = self._namer(text, rows.indices[span][order])
            explanations.append(
                {
                    "towards": self._towards,
                    "bias": bias,
                    "logit": bias + float(contributions.sum()),
                    "tokens": [
                        {"token": token, "contribution": float(contribution)}
                        for token, contribution in zip(tokens, contributions[order], strict=True)
                    ],
                }
            )
        return explanations

    @cached_property
    def _namer(self) -> Namer:
        return namer(self._features)
