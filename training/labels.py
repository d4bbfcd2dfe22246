"""What people write for negative and positive, as 0 and 1."""

from __future__ import annotations

from collections import Counter

import pandas as pd

__all__ = ["LABELS", "NAMES", "LabelError", "map_labels"]

NAMES = {0: "negative", 1: "positive"}
"""The two classes, as the predictor answers them."""

LABELS = {
    "0": 0,
    "-1": 0,
    "neg": 0,
    "negative": 0,
    "false": 0,
    "1": 1,
    "+1": 1,
    "pos": 1,
    "positive": 1,
    "true": 1,
}
"""Every spelling that is understood, after trimming, case folding and dropping a trailing ``.0``.

Scales with more than two steps (stars, 1 and 2, neutral) are left out on purpose: where negative ends is their owner's
decision.
"""

_SHOWN = 5


class LabelError(ValueError):
    """A label column holds values that do not say negative or positive."""


def _spelling(value: object) -> str:
    return str(value).strip().casefold().removesuffix(".0")


def map_labels(values: pd.Series) -> pd.Series:
    """Return the labels as a nullable ``Int64`` series of 0 and 1 on the same index; nulls and blanks stay null.

    Raises:
        LabelError: some values are in no known spelling (it counts them and shows the commonest), or the column
            mixes -1 and 0, so that 0 may mean neutral.
    """
    codes, distinct = pd.factorize(values.astype(object))
    spellings = [_spelling(value) for value in distinct]
    unknown = {code for code, spelling in enumerate(spellings) if spelling and spelling not in LABELS}
    if unknown:
        counts = Counter(code for code in codes.tolist() if code in unknown)
        shown = ", ".join(f"{str(distinct[code])[:40]!r} ({rows} rows)" for code, rows in counts.most_common(_SHOWN))
        more = f" and {len(counts) - _SHOWN} more values" if len(counts) > _SHOWN else ""
        raise LabelError(
            f"{counts.total()} of {len(values)} labels are not understood: {shown}{more}; known are {', '.join(LABELS)}"
        )
    if {"-1", "0"} <= set(spellings):
        raise LabelError("the labels hold both -1 and 0, so 0 may mean neutral: drop or rename one of them")
    mapped = pd.array([LABELS.get(spelling) for spelling in spellings] + [None], dtype="Int64")
    # Code -1 is pandas' mark for a null; it picks the None at the end.
    return pd.Series(mapped.take(codes), index=values.index, name=values.name)
