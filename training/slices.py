"""The parts of a table on which a model is measured by itself."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["slices"]

_NEGATION = re.compile(r"\b(?:not|no|never|nothing|nobody|neither|nor|cannot|without)\b|n't\b", re.IGNORECASE)

# A column of user names is not a set of parts to measure.
_MOST_SOURCES = 20

Mask = NDArray[np.bool_]


def slices(frame: pd.DataFrame) -> dict[str, Mask]:
    """Return a mask ``[n]`` for each part: length quartile, source (the 20 largest), negation present or not.

    Args:
        frame: columns ``text`` and ``source``, n rows.
    """
    lengths = frame["text"].str.len().to_numpy()
    edges = np.quantile(lengths, (0.25, 0.5, 0.75))
    quartile = np.searchsorted(edges, lengths, side="left")
    negated = frame["text"].map(lambda text: _NEGATION.search(text) is not None).to_numpy(dtype=bool)
    found = {f"length_q{number + 1}": quartile == number for number in range(4)}
    for source in frame["source"].value_counts().index[:_MOST_SOURCES]:
        found[f"source_{re.sub(r'[^A-Za-z0-9_.-]+', '_', str(source))}"] = (frame["source"] == source).to_numpy()
    return {**found, "negation_yes": negated, "negation_no": ~negated}
