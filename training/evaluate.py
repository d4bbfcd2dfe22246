"""How good probabilities are, overall and by slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, f1_score, log_loss, precision_score, recall_score, roc_auc_score

__all__ = ["expected_calibration_error", "measure", "measure_slices"]

_BINS = 10


def expected_calibration_error(labels: NDArray[np.int64], positive: NDArray[np.float64], bins: int = _BINS) -> float:
    """Return the mean distance between confidence and accuracy over equal-width bins of confidence, weighted by rows.

    Guo et al., On Calibration of Modern Neural Networks (ICML 2017), equation 3.

    Args:
        labels: 0 or 1, ``[n]``.
        positive: the probability of label 1, ``[n]``.
        bins: bins between confidence 0.5 and 1.
    """
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.minimum(((confidence - 0.5) * 2 * bins).astype(int), bins - 1)
    error = 0.0
    for each in range(bins):
        inside = place == each
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)


def measure(labels: NDArray[np.int64], positive: NDArray[np.float64]) -> dict[str, float]:
    """Return the metrics of n probabilities of label 1, shares in 0..1; both labels must occur."""
    predicted = (positive >= 0.5).astype(np.int64)
    return {
        "accuracy": float((predicted == labels).mean()),
        "precision": float(precision_score(labels, predicted, zero_division=0)),
        "recall": float(recall_score(labels, predicted, zero_division=0)),
        "f1": float(f1_score(labels, predicted, zero_division=0)),
        "roc_auc": float(roc_auc_score(labels, positive)),
        "log_loss": float(log_loss(labels, positive, labels=[0, 1])),
        "brier": float(brier_score_loss(labels, positive)),
        "ece": expected_calibration_error(labels, positive),
    }


def measure_slices(
    labels: NDArray[np.int64], positive: NDArray[np.float64], parts: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, float]]:
    """Return rows, accuracy and calibration error of each slice that has rows."""
    return {
        name: {
            "rows": float(mask.sum()),
            "accuracy": float(((positive[mask] >= 0.5) == (labels[mask] == 1)).mean()),
            "ece": expected_calibration_error(labels[mask], positive[mask]),
        }
        for name, mask in parts.items()
        if mask.any()
    }
