"""How held-out texts and their scores were distributed: kept beside the model, for a predictor to measure drift."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

__all__ = ["MEASURES", "Distribution", "Reference", "ReferenceFormatError"]

MEASURES = ("score", "class", "length", "oov")
"""What is measured of a text: the probability of the second class, the class (the score, cut at one half), the number
of characters, and the share of its columns to which the model gives no weight."""


class ReferenceFormatError(ValueError):
    """The text is not a reference."""


@dataclass(frozen=True)
class Distribution:
    """How many numbers fell between n rising ``edges``: ``counts`` ``[n + 1]``; a number on an edge lies below it."""

    edges: Sequence[float]
    counts: Sequence[int]

    @classmethod
    def of(cls, values: Iterable[float], edges: Sequence[float]) -> Distribution:
        """Count values."""
        counts = [0] * (len(edges) + 1)
        for value in values:
            counts[bisect_left(edges, value)] += 1
        return cls(edges, counts)


@dataclass(frozen=True)
class Reference:
    """A distribution for each of :data:`MEASURES`, over the same texts."""

    distributions: Mapping[str, Distribution]

    @property
    def texts(self) -> int:
        """How many texts were measured."""
        return sum(self.distributions[MEASURES[0]].counts)

    def to_json(self) -> str:
        """Return the reference as a JSON object: edges and counts by measure."""
        return json.dumps({name: asdict(held) for name, held in self.distributions.items()}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Reference:
        """Read what :meth:`to_json` wrote.

        Raises:
            ReferenceFormatError: it is not JSON, lacks a measure, or its edges and counts are not those of one sample.
        """
        try:
            fields = json.loads(text)
            read = {
                name: Distribution(
                    [float(edge) for edge in fields[name]["edges"]], [int(count) for count in fields[name]["counts"]]
                )
                for name in MEASURES
            }
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ReferenceFormatError(f"not a reference: {error!r}") from error
        for name, held in read.items():
            rising = all(low < high for low, high in zip(held.edges, held.edges[1:], strict=False))
            if not rising or len(held.counts) != len(held.edges) + 1 or min(held.counts) < 0:
                raise ReferenceFormatError(
                    f"not a reference: the edges of {name} do not rise, or its counts do not fit"
                )
        if len({sum(held.counts) for held in read.values()}) != 1:
            raise ReferenceFormatError("not a reference: the measures were taken of different texts")
        return cls(read)
