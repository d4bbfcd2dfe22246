"""From a text to its row of features, number for number as scikit-learn 1.9 computes it.

A row is a pair: column numbers, ascending ``[k]``, and their values ``[k]``, or None where all are 1. Values are
float32 where scikit-learn's are, and are rounded where it rounds: the answer would differ by 1e-8 otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any, Protocol

import mmh3
import numpy as np
from numpy.typing import NDArray

from inference.analysers import Analyser, Occurrence

__all__ = ["Chain", "Features", "Hashed", "Normalise", "Row", "Stage", "TfIdf", "Union", "Vocabulary"]

Floats = NDArray[Any]
Row = tuple[NDArray[np.intp], Floats | None]
Stage = Callable[[Row], Row]
_REMEMBERED = 2**16
_LONG = 64


class Features(Protocol):
    """What turns a text into a row of ``width`` columns of type ``dtype``."""

    @property
    def width(self) -> int:
        """The number of columns."""

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """float32 or float64."""

    def row(self, text: str) -> Row:
        """Return a text's row."""

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places, where they can be told."""


class _Columns(dict[str, int]):
    """The columns of tokens that were met, as many as fit into some 15 MB: looking up takes half as long as hashing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def __missing__(self, token: str) -> int:
        column: int = abs(mmh3.hash(token)) % self._width
        if len(self) < _REMEMBERED and len(token) < _LONG:
            self[token] = column
        return column


@dataclass(frozen=True)
class Hashed:
    """HashingVectorizer without its norm: MurmurHash3 (x86, 32 bits, seed 0) of the token, modulo the width."""

    analyser: Analyser
    width: int
    binary: bool
    alternate_sign: bool
    dtype: type[np.floating[Any]]

    @cached_property
    def _column(self) -> Callable[[str], int]:
        return _Columns(self.width).__getitem__

    def row(self, text: str) -> Row:
        """Return a text's row."""
        tokens = self.analyser.tokens(text)
        if self.binary:
            # scikit-learn sets what a column holds to 1, even where signs cancelled.
            return np.array(sorted(set(map(self._column, tokens))), dtype=np.intp), None
        if not self.alternate_sign:
            return _row(Counter(map(self._column, tokens)), self.dtype)
        sums: dict[int, int] = {}
        for token in tokens:
            column = self._column(token)
            sums[column] = sums.get(column, 0) + (-1 if mmh3.hash(token) < 0 else 1)
        return _row(sums, self.dtype)

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        return {token: [self._column(token)] for token in self.analyser.tokens(text)}

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return self.analyser.occurrences(text)


@dataclass(frozen=True)
class Vocabulary:
    """CountVectorizer: a column for each token that was seen in training, others are left out."""

    analyser: Analyser
    known: dict[str, int]
    binary: bool
    dtype: type[np.floating[Any]]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.known)

    def row(self, text: str) -> Row:
        """Return a text's row."""
        known = self.known
        found = [known[token] for token in self.analyser.tokens(text) if token in known]
        if self.binary:
            return np.array(sorted(set(found)), dtype=np.intp), None
        return _row(Counter(found), self.dtype)

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        return {token: [self.known[token]] for token in self.analyser.tokens(text) if token in self.known}

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return self.analyser.occurrences(text)


def _row(sums: dict[int, int], dtype: type[np.floating[Any]]) -> Row:
    columns = sorted(sums)
    return np.array(columns, dtype=np.intp), np.array([sums[column] for column in columns], dtype=dtype)


@dataclass(frozen=True)
class Union:
    """ColumnTransformer or FeatureUnion: the parts' columns, one part after the other."""

    parts: Sequence[Features]

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(part.width for part in self.parts)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """float32 only if every part is."""
        return np.float32 if all(part.dtype is np.float32 for part in self.parts) else np.float64

    def row(self, text: str) -> Row:
        """Return a text's row."""
        columns, values, offset = [], [], 0
        for part in self.parts:
            found, weights = part.row(text)
            columns.append(found + offset)
            values.append(np.ones(len(found), dtype=part.dtype) if weights is None else weights)
            offset += part.width
        return np.concatenate(columns), np.concatenate(values)

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        merged: dict[str, list[int]] = {}
        offset = 0
        for part in self.parts:
            for token, columns in part.columns(text).items():
                merged.setdefault(token, []).extend(column + offset for column in columns)
            offset += part.width
        return merged

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return [found for part in self.parts for found in part.occurrences(text)]


@dataclass(frozen=True)
class Chain:
    """Features, and what is then done to a row's values."""

    first: Features
    stages: Sequence[Stage]

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.first.width

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """The first features' own."""
        return self.first.dtype

    def row(self, text: str) -> Row:
        """Return a text's row."""
        row = self.first.row(text)
        for stage in self.stages:
            row = stage(row)
        return row

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        return self.first.columns(text)

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return self.first.occurrences(text)


@dataclass(frozen=True)
class TfIdf:
    """TfidfTransformer without its norm: 1 + log of the count if ``sublinear``, times ``idf`` ``[width]`` if any."""

    idf: Floats | None
    sublinear: bool
    dtype: type[np.floating[Any]]

    def __call__(self, row: Row) -> Row:
        """Return the row, weighted."""
        columns, values = row
        if self.sublinear and values is not None:
            values = np.log(values) + self.dtype(1)
        if self.idf is not None:
            weights = self.idf.take(columns)
            values = weights if values is None else values * weights
            if values.dtype != self.dtype:
                values = values.astype(self.dtype)
        return columns, values


@dataclass(frozen=True)
class Normalise:
    """A norm of 1 for each row: ``l1`` or ``l2``."""

    norm: str
    dtype: type[np.floating[Any]]

    def __call__(self, row: Row) -> Row:
        """Return the row, divided by its norm."""
        columns, values = row
        if not len(columns):
            return row
        if values is None:
            values = np.ones(len(columns), dtype=self.dtype)
        # One after the other and in double precision, as scikit-learn's loop adds them: numpy's sum pairs them.
        sizes = values * values if self.norm == "l2" else np.abs(values)
        total = float(sizes.cumsum(dtype=np.float64)[-1])
        if total == 0:
            return columns, values
        # A scalar of numpy's makes the division one in double precision, a float of Python's would not.
        values = values / np.float64(sqrt(total) if self.norm == "l2" else total)
        return columns, values if self.dtype is np.float64 else values.astype(self.dtype)
