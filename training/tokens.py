"""The n-grams that weigh most in a hashed linear model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.pipeline import Pipeline

from artifact.names import TEXT_COLUMN
from training.vectorise import COLUMNS, hasher

__all__ = ["heaviest"]

_TEXTS = 10_000
_MIN_TEXTS = 5


def heaviest(pipeline: Pipeline, texts: Sequence[str], most: int) -> list[tuple[str, float]]:
    """Return the ``most`` n-grams with the lowest and the ``most`` with the highest weight, by rising weight.

    The model keeps no words, so the candidates are those that occur in five of these texts at least. A weight is that
    of an n-gram's column times its inverse document frequency: what it adds to the logit, before length counts.
    """
    analyse = hasher().build_analyzer()
    counts: Counter[str] = Counter()
    for text in texts[:_TEXTS]:
        counts.update(set(analyse(text)))
    grams = sorted(gram for gram, count in counts.items() if count >= _MIN_TEXTS)
    if not grams:
        return []
    columns = FeatureHasher(COLUMNS, input_type="string", alternate_sign=False).transform([[gram] for gram in grams])
    idf = pipeline[0].named_transformers_[TEXT_COLUMN]["tfidf"].idf_
    weights = (pipeline[-1].coef_[0] * idf)[columns.indices]
    order = np.argsort(weights, kind="stable")
    chosen = order if len(order) <= 2 * most else np.concatenate([order[:most], order[-most:]])
    return [(grams[each], float(weights[each])) for each in chosen]
