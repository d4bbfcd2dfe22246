"""Word 1-2-grams to TF-IDF in two passes, so that memory is bounded by the vocabulary and not by the text.

Pass 1 counts in how many texts each n-gram occurs, pass 2 builds the matrix with a fixed vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer

__all__ = ["TEXT_COLUMN", "count_texts", "features", "transform", "vocabulary"]

TEXT_COLUMN = "text"
# Single characters count as words: "1" and "u" carry opinion in reviews.
_WORD = r"(?u)\b\w+\b"
_MIN_TEXTS = 2
_MOST_FEATURES = 1_000_000
_MOST_COUNTED = 8_000_000
_CHUNK = 5_000

Advance = Callable[[int], None]


def _vectoriser(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        binary=True, ngram_range=(1, 2), token_pattern=_WORD, vocabulary=vocabulary, dtype=np.float32
    )


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield texts[start : start + _CHUNK]


def count_texts(texts: Sequence[str], advance: Advance, most: int = _MOST_COUNTED) -> Counter[str]:
    """Return in how many texts each n-gram occurs.

    Exact while fewer than ``most`` n-grams are known. Beyond that the rarest are forgotten, as in lossy counting
    (Manku and Motwani, VLDB 2002): what remains is counted too low by at most the number of times that happened.
    """
    analyse = _vectoriser().build_analyzer()
    counts: Counter[str] = Counter()
    floor = 1
    for chunk in _chunks(texts):
        for text in chunk:
            counts.update(set(analyse(text)))
        while len(counts) > most:
            counts = Counter({gram: count for gram, count in counts.items() if count > floor})
            floor += 1
        advance(len(chunk))
    return counts


def vocabulary(counts: Counter[str], most: int = _MOST_FEATURES) -> dict[str, int]:
    """Return the column of each n-gram, in alphabetical order: the ``most`` frequent of those in two texts at least."""
    kept = [gram for gram, count in counts.items() if count >= _MIN_TEXTS]
    if len(kept) > most:
        kept = sorted(kept, key=lambda gram: (-counts[gram], gram))[:most]
    return {gram: column for column, gram in enumerate(sorted(kept))}


def features(columns: dict[str, int], counts: Counter[str], texts: int) -> ColumnTransformer:
    """Return a fitted transformer from a table with the column ``text`` to TF-IDF rows of unit length.

    The weights are scikit-learn's smoothed ones, ``ln((1 + n) / (1 + df)) + 1``, taken from the counts of pass 1.
    """
    made = ColumnTransformer([(TEXT_COLUMN, _vectoriser(columns), TEXT_COLUMN)])
    # Fitted on one row for its bookkeeping; the weights that count follow.
    made.fit(pd.DataFrame({TEXT_COLUMN: [next(iter(columns))]}))
    frequencies = np.fromiter((counts[gram] for gram in columns), dtype=np.float64, count=len(columns))
    weights: NDArray[np.float64] = np.log((1 + texts) / (1 + frequencies)) + 1
    made.named_transformers_[TEXT_COLUMN].idf_ = weights.astype(np.float32)
    return made


def transform(made: ColumnTransformer, texts: Sequence[str], advance: Advance) -> sp.csr_matrix:
    """Return the rows of n texts, float32 ``[n, vocabulary]``, built chunk by chunk."""
    parts: Iterable[sp.csr_matrix] = (_rows(made, chunk, advance) for chunk in _chunks(texts))
    return sp.vstack(list(parts), format="csr")


def _rows(made: ColumnTransformer, chunk: Sequence[str], advance: Advance) -> sp.csr_matrix:
    rows = made.transform(pd.DataFrame({TEXT_COLUMN: list(chunk)})).tocsr()
    advance(len(chunk))
    return rows
