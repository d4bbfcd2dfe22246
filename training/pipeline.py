"""The model: NBSVM and logistic regression over the same TF-IDF rows, averaged, calibrated, folded into one classifier.

NBSVM after Wang and Manning (ACL 2012): naive Bayes log-count ratios scale the features of a linear classifier.
Calibration after Platt (1999), on a fold that the calibrated model has not learned from. Ratios, average and
calibration are all linear in the features, so the result is one LogisticRegression: serving needs none of this code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

__all__ = ["PARAMETERS", "Linear", "calibrate", "fit", "fit_linear", "fold", "nb_ratios"]

_NB_C = 10.0
_LR_C = 5.0
_SMOOTHING = 1.0
_ITERATIONS = 300
_CALIBRATION_FOLD = 5

PARAMETERS = {
    "model": "mean of NBSVM and logistic regression",
    "features": "tf-idf, binary word 1-2-grams",
    "nbsvm.C": _NB_C,
    "nbsvm.smoothing": _SMOOTHING,
    "logistic_regression.C": _LR_C,
    "calibration": f"Platt, every {_CALIBRATION_FOLD}th row held out",
}

Labels = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """A decision function: ``rows @ weights + bias``, weights ``[features]``, in logits."""

    weights: Vector
    bias: float

    def decide(self, rows: sp.csr_matrix) -> Vector:
        """Return the logits of n rows, ``[n]``."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float64)


def nb_ratios(rows: sp.csr_matrix, labels: Labels) -> Vector:
    """Return the smoothed log-ratio of each feature's share among positives to its share among negatives."""
    shares = []
    for label in (1, 0):
        mass = _SMOOTHING + np.asarray(rows[labels == label].sum(axis=0, dtype=np.float64)).ravel()
        shares.append(mass / mass.sum())
    return np.asarray(np.log(shares[0] / shares[1]), dtype=np.float64)


def fit_linear(rows: sp.csr_matrix, labels: Labels) -> Linear:
    """Fit both classifiers and return their mean. ``rows`` are scaled in place for a while and given back as they were.

    One thread for linear algebra: the same rows give the same bits.
    """
    with threadpool_limits(1):
        plain = LogisticRegression(C=_LR_C, max_iter=_ITERATIONS).fit(rows, labels)
        ratios = nb_ratios(rows, labels)
        values = rows.data
        rows.data = values * ratios.astype(np.float32)[rows.indices]
        try:
            scaled = LogisticRegression(C=_NB_C, max_iter=_ITERATIONS).fit(rows, labels)
        finally:
            rows.data = values
    weights = (plain.coef_[0].astype(np.float64) + scaled.coef_[0].astype(np.float64) * ratios) / 2
    return Linear(weights, float(plain.intercept_[0] + scaled.intercept_[0]) / 2)


def calibrate(logits: Vector, labels: Labels) -> tuple[float, float]:
    """Return slope and offset of Platt's sigmoid for logits ``[n]`` of rows that the model has not learned from."""
    sigmoid = LogisticRegression(C=1e6).fit(logits.reshape(-1, 1), labels)
    return float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])


def fold(model: Linear, slope: float, offset: float) -> LogisticRegression:
    """Return the calibrated model as a fitted classifier of scikit-learn's own."""
    made = LogisticRegression()
    made.classes_ = np.array([0, 1])
    made.coef_ = (model.weights * slope).reshape(1, -1)
    made.intercept_ = np.array([model.bias * slope + offset])
    made.n_features_in_ = len(model.weights)
    made.n_iter_ = np.array([_ITERATIONS], dtype=np.int32)
    return made


def fit(made: ColumnTransformer, rows: sp.csr_matrix, labels: Labels) -> Pipeline:
    """Return the calibrated pipeline for rows ``[n, features]`` of ``made`` and labels 0 or 1, ``[n]``."""
    held_out = np.arange(len(labels)) % _CALIBRATION_FOLD == 0
    partial = fit_linear(rows[~held_out], labels[~held_out])
    slope, offset = calibrate(partial.decide(rows[held_out]), labels[held_out])
    return Pipeline([("features", made), ("classifier", fold(fit_linear(rows, labels), slope, offset))])
