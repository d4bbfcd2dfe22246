"""Word 1-2-grams to TF-IDF, hashed: no vocabulary is kept, in memory or in the artifact.

A vocabulary of 390,000 n-grams makes a skops file of nearly 1 GB, which takes half a minute to load. Hashed into 2^20
columns the same model is a few megabytes, loads in a moment, and is as accurate (docs/training.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import joblib
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.pipeline import Pipeline

from artifact.names import TEXT_COLUMN

__all__ = ["COLUMNS", "document_frequencies", "entries", "fit_features", "hash_texts", "hasher"]

COLUMNS = 2**20

# Single characters count as words, punctuation too: "?" and "!" carry opinion, "not bad ." differs from "not bad for".
_WORD = r"""\w+|[!?.,;:()"'*/-]"""
_CHUNK = 5_000
_ENTRIES = 4_000_000
# Below this, starting a second process takes longer than it saves.
_PARALLEL_TEXTS = 100_000

Advance = Callable[[int], None]


def hasher() -> HashingVectorizer:
    """Return the vectoriser: which n-grams a text holds, not how often, in columns by MurmurHash3."""
    return HashingVectorizer(
        n_features=COLUMNS,
        ngram_range=(1, 2),
        token_pattern=_WORD,
        binary=True,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )


def hash_texts(texts: Sequence[str], advance: Advance) -> sp.csr_matrix:
    """Return which columns each of n texts has, float32 ones in ``[n, COLUMNS]``.

    Chunk by chunk, and only the columns' numbers are kept on the way: the values are all 1.
    """
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    columns = np.empty(0, dtype=np.int32)
    done = 0
    workers = joblib.Parallel(n_jobs=-1 if len(texts) >= _PARALLEL_TEXTS else 1, return_as="generator")
    for ends, found in workers(joblib.delayed(_hash)(chunk) for chunk in _chunks(texts)):
        size = len(columns)
        starts[done + 1 : done + len(ends) + 1] = size + ends
        # Grown in place: parts that are joined at the end would be there twice.
        columns.resize(size + len(found), refcheck=False)
        columns[size:] = found
        done += len(ends)
        advance(len(ends))
    rows = sp.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, starts), shape=(len(texts), COLUMNS))
    rows.has_sorted_indices = True
    return rows


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield texts[start : start + _CHUNK]


def _hash(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    rows = hasher().transform(texts)
    rows.sort_indices()
    return rows.indptr[1:].astype(np.int64), rows.indices.astype(np.int32)


def entries(rows: sp.csr_matrix) -> Iterator[slice]:
    """Yield slices that together cover ``rows.data`` and ``rows.indices``.

    Counting or looking up by index makes arrays of 8 bytes an index, as much as the matrix itself.
    """
    for first in range(0, rows.nnz, _ENTRIES):
        yield slice(first, min(first + _ENTRIES, rows.nnz))


def document_frequencies(rows: sp.csr_matrix) -> NDArray[np.int64]:
    """Return how many rows have each column, ``[columns]``."""
    counts = np.zeros(rows.shape[1], dtype=np.int64)
    for part in entries(rows):
        counts += np.bincount(rows.indices[part], minlength=len(counts))
    return counts


def fit_features(rows: sp.csr_matrix) -> tuple[ColumnTransformer, sp.csr_matrix]:
    """Return a fitted transformer of a table with the column ``text``, and its TF-IDF values of ``rows``, in place."""
    steps = Pipeline([("hash", hasher()), ("tfidf", TfidfTransformer())])
    made = ColumnTransformer([(TEXT_COLUMN, steps, TEXT_COLUMN)])
    # Fitted on one row for its bookkeeping; the weights that count follow.
    made.fit(pd.DataFrame({TEXT_COLUMN: ["a text"]}))
    weights = made.named_transformers_[TEXT_COLUMN]["tfidf"]
    # What TfidfTransformer.fit computes, to the bit, without its copies of the matrix.
    frequencies = document_frequencies(rows).astype(rows.dtype) + 1
    weights.idf_ = np.log(rows.dtype.type(rows.shape[0] + 1) / frequencies) + 1
    for first in range(0, rows.shape[0], _CHUNK):
        chunk = weights.transform(rows[first : first + _CHUNK])
        rows.data[rows.indptr[first] : rows.indptr[first] + chunk.nnz] = chunk.data
    return made, rows
