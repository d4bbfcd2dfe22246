"""The model: NBSVM and logistic regression over the same TF-IDF rows, averaged, calibrated, folded into one classifier.

NBSVM after Wang and Manning (ACL 2012): naive Bayes log-count ratios scale the features of a linear classifier.
Calibration after Platt (1999), on rows that the calibrated model has not learned from. Ratios, average and calibration
are all linear in the features, so the result is one LogisticRegression: serving needs none of this code.
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

from training.vectorise import COLUMNS, document_frequencies, entries

__all__ = [
    "PARAMETERS",
    "Linear",
    "calibrate",
    "common",
    "fit",
    "fit_linear",
    "fold",
    "head",
    "learning_curve",
    "nb_ratios",
]

_NB_C = 10.0
_LR_C = 3.0
_SMOOTHING = 1.0
_ITERATIONS = 200
_MIN_ROWS = 2
_CALIBRATION_SHARE = 0.2
_CURVE_SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4)
_CHUNK = 10_000

PARAMETERS = {
    "model": "mean of NBSVM and logistic regression",
    "features": f"tf-idf, binary word 1-2-grams with punctuation, hashed into {COLUMNS:,} columns",
    "nbsvm.C": _NB_C,
    "nbsvm.smoothing": _SMOOTHING,
    "logistic_regression.C": _LR_C,
    "calibration": f"Platt, {_CALIBRATION_SHARE:.0%} of the training rows held out",
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


def head(rows: sp.csr_matrix, count: int) -> sp.csr_matrix:
    """Return the first ``count`` rows without copying their content."""
    end = int(rows.indptr[count])
    content = (rows.data[:end], rows.indices[:end], rows.indptr[: count + 1])
    return sp.csr_matrix(content, shape=(count, rows.shape[1]), copy=False)


def common(rows: sp.csr_matrix) -> tuple[sp.csr_matrix, NDArray[np.intp]]:
    """Return the rows with only the features that two of them have at least, and which features these are."""
    counts = document_frequencies(rows)
    kept = np.flatnonzero(counts >= _MIN_ROWS)
    place = np.full(rows.shape[1], -1, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    size = int(counts[kept].sum())
    values, columns = np.empty(size, dtype=rows.data.dtype), np.empty(size, dtype=np.int32)
    ends = np.zeros(rows.shape[0] + 1, dtype=np.int64)
    # In chunks, into arrays of their final size: helper arrays as long as the matrix would double the memory.
    for first in range(0, rows.shape[0], _CHUNK):
        pointers = rows.indptr[first : first + _CHUNK + 1]
        part = slice(int(pointers[0]), int(pointers[-1]))
        numbers = place[rows.indices[part]]
        stays = numbers >= 0
        ends[first + 1 : first + len(pointers)] = (
            ends[first] + np.concatenate([[0], np.cumsum(stays, dtype=np.int64)])[pointers[1:] - pointers[0]]
        )
        target = slice(int(ends[first]), int(ends[first + len(pointers) - 1]))
        values[target], columns[target] = rows.data[part][stays], numbers[stays]
    return sp.csr_matrix((values, columns, ends), shape=(rows.shape[0], len(kept))), kept


def nb_ratios(rows: sp.csr_matrix, labels: Labels) -> Vector:
    """Return the smoothed log-ratio of each feature's share among positives to its share among negatives.

    A feature counts once in each row that has it, whatever its weight there.
    """
    size = rows.shape[1]
    positive, both = np.zeros(size), np.zeros(size)
    # In chunks: an array of weights as long as the matrix would be the largest of all.
    for first in range(0, len(labels), _CHUNK):
        here = labels[first : first + _CHUNK]
        pointers = rows.indptr[first : first + len(here) + 1]
        columns = rows.indices[pointers[0] : pointers[-1]]
        both += np.bincount(columns, minlength=size)
        positive += np.bincount(columns, weights=np.repeat(here, np.diff(pointers)), minlength=size)
    shares = [mass / mass.sum() for mass in (positive + _SMOOTHING, both - positive + _SMOOTHING)]
    return np.asarray(np.log(shares[0] / shares[1]), dtype=np.float64)


def fit_linear(rows: sp.csr_matrix, labels: Labels) -> Linear:
    """Fit both classifiers and return their mean.

    Features that one row alone has get no weight: they are half of all, and fitting them takes twice the time.
    One thread for linear algebra: the same rows give the same bits.
    """
    width = rows.shape[1]
    rows, kept = common(rows)
    ratios = nb_ratios(rows, labels)
    with threadpool_limits(1):
        plain = LogisticRegression(C=_LR_C, max_iter=_ITERATIONS).fit(rows, labels)
        # In place: these rows are a copy already, and the plain classifier is done with them.
        factors = ratios.astype(np.float32)
        for part in entries(rows):
            rows.data[part] *= factors[rows.indices[part]]
        scaled = LogisticRegression(C=_NB_C, max_iter=_ITERATIONS).fit(rows, labels)
    weights = np.zeros(width)
    weights[kept] = (plain.coef_[0].astype(np.float64) + scaled.coef_[0].astype(np.float64) * ratios) / 2
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
    """Return the calibrated pipeline for rows ``[n, features]`` of ``made`` and labels 0 or 1, ``[n]``.

    The rows must come in an order that has nothing to do with their labels: the last ones are held out to calibrate.
    """
    kept = round(len(labels) * (1 - _CALIBRATION_SHARE))
    partial = fit_linear(head(rows, kept), labels[:kept])
    slope, offset = calibrate(partial.decide(rows[kept:]), labels[kept:])
    return Pipeline([("features", made), ("classifier", fold(fit_linear(rows, labels), slope, offset))])


def learning_curve(
    rows: sp.csr_matrix, labels: Labels, test_rows: sp.csr_matrix, test_labels: Labels
) -> dict[int, float]:
    """Return the accuracy on the test rows by number of training rows, for parts of them that have both labels.

    The inverse document frequencies are those of all the training rows.
    """
    curve = {}
    for share in _CURVE_SHARES:
        count = int(len(labels) * share)
        if len(np.unique(labels[:count])) == 2:
            right = (fit_linear(head(rows, count), labels[:count]).decide(test_rows) >= 0) == (test_labels == 1)
            curve[count] = float(right.mean())
    return curve
