"""The smoke set: clear texts that a new version must answer rightly before any request of a tenant reaches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["SMOKE_SET", "smoke_fault"]

SMOKE_SET: Mapping[str, str] = {
    "A wonderful film, one of the best I have ever seen. I loved every minute.": "positive",
    "Brilliant acting and a beautiful, moving story. Highly recommended.": "positive",
    "Excellent. A perfect, touching and very funny movie.": "positive",
    "I loved it: superb performances and a great script.": "positive",
    "Terrible. The worst movie I have ever seen, a complete waste of time.": "negative",
    "Boring, badly acted and awful from start to finish.": "negative",
    "A dull, stupid and predictable mess. Avoid it.": "negative",
    "I hated it: poor script, terrible acting, no plot at all.": "negative",
}
"""Texts and the label that any usable sentiment model gives them."""

_MOST_WRONG = 1
_ROUNDING = 1e-6


def smoke_fault(predictions: Sequence[Mapping[str, Any]]) -> str:
    """Return what is wrong with the V1 predictions for :data:`SMOKE_SET`, in its order, or "".

    One wrong label is let pass: whether a model is good enough was the gate's question; this is whether it works.
    """
    if len(predictions) != len(SMOKE_SET):
        return f"{len(predictions)} predictions for {len(SMOKE_SET)} texts"
    expected = list(SMOKE_SET.values())
    given = []
    for prediction in predictions:
        label, shares = prediction.get("label"), prediction.get("probabilities")
        if label not in expected:
            return f"the label {label!r} is none of {', '.join(sorted(set(expected)))}"
        values = list(shares.values()) if isinstance(shares, Mapping) else []
        if not values or not all(isinstance(value, float) and 0 <= value <= 1 for value in values):
            return f"the probabilities {shares!r} are not shares between 0 and 1"
        if abs(sum(values) - 1) > _ROUNDING:
            return f"the probabilities sum to {sum(values):.6f}, not to 1"
        given.append(label)
    if len(set(given)) == 1:
        return f"every one of {len(given)} texts, good and bad, is called {given[0]}"
    wrong = sum(label != right for label, right in zip(given, expected, strict=True))
    return f"{wrong} of {len(given)} clear texts have the wrong label" if wrong > _MOST_WRONG else ""
