"""Scoring and explaining by a linear model: the features' row times its weights, without scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np

from artifact.reference import Reference
from inference.errors import RequestError
from inference.features import Features, Row, Table, product
from inference.scoring import Scores

__all__ = ["Linear", "LinearModel"]


@dataclass(frozen=True)
class Linear:
    """``row @ weights + bias`` in logits; a feature that too few training texts had has the weight 0."""

    weights: Table
    bias: float

    def logit(self, row: Row) -> tuple[float, float]:
        """Return a row's logit, and the share of its columns that have no weight."""
        columns, values = row
        weights = self.weights.at(columns)
        found = weights if values is None else product(values, weights)
        logit = float(found.sum() if isinstance(found, np.ndarray) else sum(found)) + self.bias
        unknown = weights.count(0.0) if isinstance(weights, list) else len(columns) - np.count_nonzero(weights)
        return logit, unknown / (len(columns) or 1)


@dataclass(frozen=True)
class LinearModel:
    """Features and one linear classifier, or several whose probabilities are averaged (cross-validated calibration).

    Attributes:
        classes: the classes' names; logits and contributions speak for the second.
        reference: how held-out texts were scored, if the artifact says so.
    """

    classes: tuple[str, str]
    features: Features
    linears: Sequence[Linear]
    reference: Reference | None = None

    def seconds(self, characters: int) -> float:
        """Return about how long scoring one request with so many characters takes: half of the speed measured."""
        return characters / 2_000_000

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts."""
        found = [self._scored(text) for text in texts]
        return Scores(self.classes, [positive for positive, _ in found], [unknown for _, unknown in found])

    def _scored(self, text: str) -> tuple[float, float]:
        row = self.features.row(text)
        logit, unknown = self.linears[0].logit(row)
        if len(self.linears) == 1:
            return _sigmoid(logit), unknown
        return sum(_sigmoid(linear.logit(row)[0]) for linear in self.linears) / len(self.linears), unknown

    def explain(self, texts: Sequence[str], top: int | None = None) -> list[dict[str, Any]]:
        """Return for each text its bias, logit, and tokens by falling size of contribution (= weight x value).

        Bias and contributions add up to the logit. With ``top``, so many tokens; ``rest`` holds what the others add.
        Tokens that a hashed model holds in one column are one entry, joined by a bar. ``spans`` are the places of a
        token in the text, in characters, for vectorisers that cut words.

        Raises:
            RequestError: 501 for a mean of several classifiers: its logit is no sum over tokens.
        """
        if len(self.linears) > 1:
            raise RequestError(501, "this model is a mean of several classifiers: it has no exact explanation")
        return [self._explained(text, top) for text in texts]

    def _explained(self, text: str, top: int | None) -> dict[str, Any]:
        linear = self.linears[0]
        columns, values = self.features.row(text)
        weights = linear.weights.at(columns)
        contributions = [float(each) for each in (weights if values is None else product(values, weights))]
        behind = self._behind(text)
        places = self._places(text)
        order = sorted(range(len(columns)), key=lambda at: -abs(contributions[at]))
        explained: dict[str, Any] = {
            "towards": self.classes[1],
            "bias": linear.bias,
            "logit": linear.bias + sum(contributions),
            "tokens": [
                {
                    "token": " | ".join(behind[columns[at]]),
                    "contribution": contributions[at],
                    "spans": sorted(span for token in behind[columns[at]] for span in places.get(token, ())),
                }
                for at in order[:top]
            ],
        }
        if top is not None:
            explained["rest"] = sum((contributions[at] for at in order[top:]), 0.0)
        return explained

    def _behind(self, text: str) -> dict[int, list[str]]:
        behind: dict[int, list[str]] = {}
        for token, columns in sorted(self.features.columns(text).items()):
            for column in columns:
                behind.setdefault(column, []).append(token)
        return behind

    def _places(self, text: str) -> dict[str, list[list[int]]]:
        places: dict[str, list[list[int]]] = {}
        for token, begin, end in set(self.features.occurrences(text)):
            places.setdefault(token, []).append([begin, end])
        return places


def _sigmoid(logit: float) -> float:
    if logit >= 0:
        return 1 / (1 + exp(-logit))
    raised = exp(logit)
    return raised / (1 + raised)
