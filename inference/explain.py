"""Exact token attributions of a linear model: contribution = weight x value; with the bias they add up to the logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from inference.errors import RequestError
from inference.scoring import TEXT_COLUMN, class_names

__all__ = ["Explainer"]


class Explainer:
    """Attributions towards the second class (``positive``) of a pipeline that ends in a linear classifier."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._features = pipeline[:-1]
        self._classifier = pipeline[-1]
        self._towards = class_names(pipeline)[-1]
        self._names: list[str] | None = None

    def explain(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return for each text its bias, logit, and tokens by falling weight of contribution.

        Raises:
            RequestError: 501 when the classifier is not linear, or its features have no names.
        """
        coefficients = getattr(self._classifier, "coef_", None)
        if coefficients is None or np.shape(coefficients) != (1, self._width()):
            raise RequestError(501, "this model is not linear: it has no exact explanation")
        # A ColumnTransformer gives a dense table where more than its threshold of the training cells was filled.
        rows = csr_matrix(self._features.transform(pd.DataFrame({TEXT_COLUMN: list(texts)})))
        names, weights = self._token_names(), coefficients[0]
        bias = float(self._classifier.intercept_[0])
        explanations = []
        for row in range(len(texts)):
            span = slice(rows.indptr[row], rows.indptr[row + 1])
            columns = rows.indices[span]
            contributions = weights[columns] * rows.data[span]
            order = np.argsort(-np.abs(contributions), kind="stable")
            explanations.append(
                {
                    "towards": self._towards,
                    "bias": bias,
                    "logit": bias + float(contributions.sum()),
                    "tokens": [{"token": names[columns[i]], "contribution": float(contributions[i])} for i in order],
                }
            )
        return explanations

    def _width(self) -> int:
        return int(getattr(self._classifier, "n_features_in_", -1))

    def _token_names(self) -> list[str]:
        if self._names is None:
            try:
                names = self._features.get_feature_names_out()
            except AttributeError as error:
                raise RequestError(501, "this model's features have no names: it has no explanation") from error
            self._names = [name.split("__", 1)[-1] for name in names]
        return self._names
