"""How far the texts of the last quarter of an hour lie from those that the model was tested on.

The population stability index (PSI) of two histograms is the sum of (found - expected) x ln(found / expected) over
their shares; below 0.1 is taken for no drift and above 0.25 for much (Siddiqi, Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifact.reference import MEASURES, Reference
from inference.scoring import Scores

__all__ = ["TEXTS", "Drift", "psi"]

TEXTS = 500
"""So many texts are needed on both sides: with fewer, chance alone comes near 0.1 (its mean is bins x (1/n + 1/m))."""

_WINDOW = 15
_SLOT_SECONDS = 60
_FRESH = 1_000

Counts = NDArray[np.int64]


class Drift:
    """Counts what is answered, a slot of the window at a time. Call it from the event loop alone."""

    def __init__(self, reference: Reference, clock: Callable[[], float] = time.monotonic) -> None:
        held = [reference.distributions[name] for name in MEASURES]
        self._edges = [np.array(each.edges) for each in held]
        self._expected = [np.array(each.counts) for each in held]
        self._enough = reference.texts >= TEXTS
        self._clock = clock
        self._fresh: list[tuple[tuple[float, float], int, float]] = []
        self._slots: deque[tuple[int, list[Counts]]] = deque(maxlen=_WINDOW)

    def add(self, texts: Sequence[str], scores: Scores) -> None:
        """Take in n texts and what was said of them.

        Their numbers are only kept here; counting a thousand at once costs a tenth of counting each.
        """
        self._fresh.extend(zip(scores.probabilities, map(len, texts), scores.unknown, strict=True))
        if len(self._fresh) >= _FRESH:
            self._count()

    def _count(self) -> None:
        now = int(self._clock() / _SLOT_SECONDS)
        while self._slots and self._slots[0][0] <= now - _WINDOW:
            self._slots.popleft()
        if self._fresh:
            if not self._slots or self._slots[-1][0] != now:
                self._slots.append((now, [np.zeros_like(each) for each in self._expected]))
            pairs, lengths, unknown = zip(*self._fresh, strict=True)
            positive = [share for _, share in pairs]
            values = {"score": positive, "class": positive, "length": lengths, "oov": unknown}
            for name, held, edges in zip(MEASURES, self._slots[-1][1], self._edges, strict=True):
                held += np.bincount(np.searchsorted(edges, values[name]), minlength=len(held))  # noqa: PLW2901
            self._fresh.clear()

    def psi(self) -> dict[str, float]:
        """Return the index of each measure, or nothing while there are too few texts."""
        self._count()
        found = [sum(slot) for slot in zip(*(held for _, held in self._slots), strict=True)]
        if not self._enough or not found or np.sum(found[0]) < TEXTS:
            return {}
        return {name: psi(*pair) for name, *pair in zip(MEASURES, self._expected, found, strict=True)}


def psi(expected: Any, found: Any) -> float:
    """Return the population stability index of two histograms of the same n bins, counts ``[n]`` and ``[n]``.

    Half a count is added to each bin (Jeffreys), so that an empty one has a logarithm.
    """
    shares = [(np.asarray(counts) + 0.5) / (np.sum(counts) + 0.5 * len(counts)) for counts in (expected, found)]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
