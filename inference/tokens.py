"""Which token of a text stands behind each column of its features: by vocabulary, or by hashing the text again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import Pipeline

from inference.errors import RequestError

__all__ = ["Namer", "namer"]

Namer = Callable[[str, NDArray[Any]], list[str]]
"""From a text and the columns that it fills, ``[k]``, to the k tokens behind them."""


def namer(features: Pipeline) -> Namer:
    """Return how a fitted pipeline's columns are named, without its classifier.

    Raises:
        RequestError: 501 when the columns have no names and come from no hashed text.
    """
    try:
        names = features.get_feature_names_out()
    except AttributeError:
        return _hashed(_hashing_vectoriser(features))
    # A ColumnTransformer puts its part's name in front.
    tokens = [name.split("__", 1)[-1] for name in names]
    return lambda _, columns: [tokens[column] for column in columns]


def _hashed(vectoriser: HashingVectorizer) -> Namer:
    analyse = vectoriser.build_analyzer()
    # What HashingVectorizer hashes with, here token by token. The sign says nothing about the column.
    hasher = FeatureHasher(vectoriser.n_features, input_type="string", alternate_sign=False)

    def named(text: str, columns: NDArray[Any]) -> list[str]:
        tokens = sorted(set(analyse(text)))
        behind: dict[int, list[str]] = defaultdict(list)
        if tokens:
            for token, column in zip(tokens, hasher.transform([[token] for token in tokens]).indices, strict=True):
                behind[int(column)].append(token)
        # Tokens that share a column share its weight: they are one feature to the model.
        return [" | ".join(behind[int(column)]) for column in columns]

    return named


def _hashing_vectoriser(features: Pipeline) -> HashingVectorizer:
    """Return the vectoriser of a pipeline whose one table column is hashed into all of the features."""
    first = features[0]
    parts = first.transformers_ if isinstance(first, ColumnTransformer) else []
    found = parts[0][1] if len(parts) == 1 else None
    if isinstance(found, Pipeline):
        found = found[0]
    if not isinstance(found, HashingVectorizer):
        raise RequestError(501, "this model's features have no names: it has no explanation")
    return found
