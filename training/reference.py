"""What a predictor measures drift against: the rows that were held out, as the model scores them.

Not the rows that it learned from: it is surer of those than of any text that comes later, and no n-gram in them is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from artifact.reference import Distribution, Reference

__all__ = ["reference"]

# Ten bins that hold as many rows each: the population stability index's usual ones.
_QUANTILES = np.arange(1, 10) / 10

Vector = NDArray[np.float64]


def reference(texts: Sequence[str], rows: sp.csr_matrix, weights: Vector, positive: Vector) -> Reference:
    """Measure n texts that the model has not learned from.

    Args:
        texts: ``[n]``.
        rows: their features, ``[n, features]``.
        weights: the model's, ``[features]``; 0 for a feature that too few training rows had to learn one.
        positive: the probability of label 1, ``[n]``.
    """
    unknown = sp.csr_matrix((weights[rows.indices] == 0, rows.indices, rows.indptr), shape=rows.shape).sum(axis=1)
    values: Mapping[str, Vector] = {
        "score": positive,
        "length": np.array([len(text) for text in texts], dtype=np.float64),
        "oov": np.asarray(unknown, dtype=np.float64).ravel() / np.maximum(np.diff(rows.indptr), 1),
    }
    distributions = {name: Distribution.of(held.tolist(), _edges(held)) for name, held in values.items()}
    distributions["class"] = Distribution.of(positive.tolist(), [0.5])
    return Reference(distributions)


def _edges(values: Vector) -> list[float]:
    return [float(edge) for edge in np.unique(np.quantile(values, _QUANTILES))]
