"""From a text to its row of features, number for number as scikit-learn 1.9 computes it.

A row is a pair: column numbers, ascending ``[k]``, and their values ``[k]``, or None where all are 1. Values are
rounded to single precision where scikit-learn's are: the answer would differ by 1e-8 otherwise.

Short rows are lists of Python's own floats. numpy is quicker from some hundred features on; for a short text the code
that it runs through leaves nothing else in the processor's caches, and an answer takes half as long again.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from operator import mul
from typing import Any, Protocol

import mmh3
import numpy as np
from numpy.typing import NDArray

from inference.analysers import Analyser, Occurrence

__all__ = [
    "Chain",
    "Features",
    "Hashed",
    "Normalise",
    "Row",
    "Stage",
    "Table",
    "TfIdf",
    "Union",
    "Vocabulary",
    "product",
]

Floats = NDArray[np.floating[Any]]
Row = tuple[list[int], Sequence[float] | Floats | None]
Stage = Callable[[Row], Row]
_hash = mmh3.hash
_MANY = 256


class Table:
    """A number for each column, ``[width]``, single or double precision."""

    def __init__(self, values: Floats) -> None:
        self._values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        self._one = self._values.data.__getitem__
        self.single = values.dtype.itemsize == 4

    def at(self, columns: list[int]) -> list[float] | Floats:
        """Return the numbers of some columns, of many as an array."""
        if len(columns) < _MANY:
            return list(map(self._one, columns))
        return self._values.take(columns)


def _rounded(values: Iterable[float] | Floats, *, single: bool) -> Sequence[float] | Floats:
    if isinstance(values, np.ndarray):
        return values.astype(np.float32 if single else np.float64, copy=False)
    return array("f", values) if single else list(values)


def product(values: Sequence[float] | Floats, weights: Sequence[float] | Floats) -> Iterable[float] | Floats:
    """Return values times weights, one by one: an array if the weights are one."""
    return np.asarray(values) * weights if isinstance(weights, np.ndarray) else map(mul, values, weights)


class Features(Protocol):
    """What turns a text into a row of ``width`` columns, in single or double precision."""

    @property
    def width(self) -> int:
        """The number of columns."""

    @property
    def single(self) -> bool:
        """Whether values are of single precision."""

    def row(self, text: str) -> Row:
        """Return a text's row."""

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places, where they can be told."""


@dataclass(frozen=True)
class Hashed:
    """HashingVectorizer without its norm: MurmurHash3 (x86, 32 bits, seed 0) of the token, modulo the width."""

    analyser: Analyser
    width: int
    binary: bool
    alternate_sign: bool
    single: bool

    def row(self, text: str) -> Row:
        """Return a text's row."""
        width = self.width
        codes = map(_hash, self.analyser.tokens(text))
        if self.binary:
            # scikit-learn sets what a column holds to 1, even where signs cancelled.
            return sorted({abs(code) % width for code in codes}), None
        sums: dict[int, int] = {}
        for code in codes:
            column = abs(code) % width
            sums[column] = sums.get(column, 0) + (-1 if self.alternate_sign and code < 0 else 1)
        return _row(sums)

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        return {token: [abs(_hash(token)) % self.width] for token in self.analyser.tokens(text)}

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return self.analyser.occurrences(text)


@dataclass(frozen=True)
class Vocabulary:
    """CountVectorizer: a column for each token that was seen in training, others are left out."""

    analyser: Analyser
    known: dict[str, int]
    binary: bool
    single: bool

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.known)

    def row(self, text: str) -> Row:
        """Return a text's row."""
        known = self.known
        found = [known[token] for token in self.analyser.tokens(text) if token in known]
        if self.binary:
            return sorted(set(found)), None
        return _row(Counter(found))

    def columns(self, text: str) -> dict[str, list[int]]:
        """Return the columns that each token of a text falls into."""
        return {token: [self.known[token]] for token in self.analyser.tokens(text) if token in self.known}

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens of a text with their places."""
        return self.analyser.occurrences(text)


def _row(sums: dict[int, int]) -> Row:
    columns = sorted(sums)
    return columns, [float(sums[column]) for column in columns]


@dataclass(frozen=True)
class Union:
    """ColumnTransformer or FeatureUnion: the parts' columns, one part after the other."""

    parts: Sequence[Features]

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(part.width for part in self.parts)

    @property
    def single(self) -> bool:
        """Only if every part is."""
        return all(part.single for part in self.parts)

    def row(self, text: str) -> Row:
        """Return a text's row."""
        columns: list[int] = []
        values: list[float] = []
        offset = 0
        for part in self.parts:
            found, weights = part.row(text)
            columns += [column + offset for column in found]
            # Plain floats: numpy's singles would make every product with them a single.
            values += [1.0] * len(found) if weights is None else map(float, weights)
            offset += part.width
        return columns, values

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
    def single(self) -> bool:
        """As the first features."""
        return self.first.single

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
    """TfidfTransformer without its norm: 1 + log of the count if ``sublinear``, times ``idf`` if any."""

    idf: Table | None
    sublinear: bool
    single: bool

    def __call__(self, row: Row) -> Row:
        """Return the row, weighted."""
        columns, values = row
        if self.sublinear and values is not None:
            # numpy's own logarithm, for scikit-learn takes that, in single precision too.
            kind = np.float32 if self.single else np.float64
            values = (np.log(np.array(values, dtype=kind)) + kind(1)).tolist()
        if self.idf is not None:
            weights = self.idf.at(columns)
            if values is None and self.idf.single == self.single:
                # One times a weight is the weight: nothing to round.
                return columns, weights
            values = _rounded(weights if values is None else product(values, weights), single=self.single)
        return columns, values


@dataclass(frozen=True)
class Normalise:
    """A norm of 1 for each row: ``l1`` or ``l2``."""

    norm: str
    single: bool

    def __call__(self, row: Row) -> Row:
        """Return the row, divided by its norm."""
        columns, values = row
        if values is None:
            values = [1.0] * len(columns)
        if self.norm == "l2":
            total = _sum(_rounded(product(values, values), single=self.single))
        else:
            total = _sum(np.abs(values) if isinstance(values, np.ndarray) else map(abs, values))
        if total == 0:
            return columns, values
        divisor = sqrt(total) if self.norm == "l2" else total
        if isinstance(values, np.ndarray):
            # A scalar of numpy's makes the division one in double precision, a float of Python's would not.
            return columns, _rounded(values / np.float64(divisor), single=self.single)
        return columns, _rounded([value / divisor for value in values], single=self.single)


def _sum(sizes: Iterable[float] | Floats) -> float:
    """Add in double precision, one after the other as scikit-learn does: the libraries' sums pair or compensate."""
    if isinstance(sizes, np.ndarray):
        return float(sizes.cumsum(dtype=np.float64)[-1])
    total = 0.0
    for size in sizes:
        total += size
    return total
