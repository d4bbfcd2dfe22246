"""What a model is asked and what it answers, however it computes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from artifact.reference import Reference

__all__ = ["Scorer", "Scores", "class_names"]

_NAMES = {"0": "negative", "1": "positive"}


class Scores:
    """What the model says of n texts.

    Attributes:
        classes: the classes' names.
        probabilities: each text's probabilities in the classes' order, ``[n, 2]``.
        labels: each text's most probable class; the first one's in a tie.
        confidences: each text's highest probability.
        unknown: the share of each text's features to which the model gives no weight; empty where nobody knows.
    """

    __slots__ = ("classes", "confidences", "labels", "probabilities", "unknown")

    def __init__(self, classes: tuple[str, str], positive: Iterable[float], unknown: Sequence[float] = ()) -> None:
        """Take the texts' probabilities of the second class, and their shares of unknown features."""
        first, second = classes
        self.classes = classes
        self.unknown = unknown
        self.probabilities = [(1 - share, share) for share in positive]
        self.labels = [second if share > other else first for other, share in self.probabilities]
        self.confidences = [max(pair) for pair in self.probabilities]


class Scorer(Protocol):
    """A model of two classes."""

    @property
    def classes(self) -> tuple[str, str]:
        """The classes' names; logits and contributions speak for the second."""

    @property
    def reference(self) -> Reference | None:
        """How held-out texts were scored, if the artifact says so and drift can be measured against it."""

    def seconds(self, characters: int) -> float:
        """Return about how long scoring one request with so many characters takes."""

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts."""

    def explain(self, texts: Sequence[str], top: int | None) -> list[dict[str, Any]]:
        """Return the token attributions of n texts, the ``top`` largest of each or all.

        Raises:
            inference.errors.RequestError: 501 when the model has no exact explanation.
        """


def class_names(classes: Iterable[object]) -> tuple[str, ...]:
    """Return the names of the classes in the order of the probabilities' columns: 0 is negative, 1 is positive."""
    return tuple(_NAMES.get(str(each), str(each)) for each in classes)
