"""The shape of a training table, kept with the model so that the next table can be compared with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

__all__ = ["DataProfile", "ProfileError", "profile"]

_EDGES = (0, *(2**power for power in range(3, 18)))
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class ProfileError(ValueError):
    """The text is not a data profile."""


@dataclass(frozen=True)
class DataProfile:
    """What drift is measured against.

    Attributes:
        rows: number of rows.
        label_share: share of the rows by label, ``{"0": 0.5, "1": 0.5}``.
        length_bins: the n + 1 edges of the histogram of text lengths, in characters, rising.
        length_weights: the n shares of the rows in these bins; they add up to 1.
        length_quantiles: text length in characters by quantile, ``{"0.5": 769.0, …}``, for people to read.
    """

    rows: int
    label_share: Mapping[str, float]
    length_bins: Sequence[float]
    length_weights: Sequence[float]
    length_quantiles: Mapping[str, float]

    def to_json(self) -> str:
        """Return the profile as a JSON object."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DataProfile:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProfileError: the text is not JSON, or lacks a field, or its histogram is not one.
        """
        try:
            fields = json.loads(text)
            read = cls(
                rows=int(fields["rows"]),
                label_share={str(label): float(share) for label, share in fields["label_share"].items()},
                length_bins=[float(edge) for edge in fields["length_bins"]],
                length_weights=[float(weight) for weight in fields["length_weights"]],
                length_quantiles={str(at): float(value) for at, value in fields["length_quantiles"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProfileError(f"not a data profile: {error!r}") from error
        rising = all(low < high for low, high in zip(read.length_bins, read.length_bins[1:], strict=False))
        whole = all(abs(sum(shares) - 1) < 1e-6 for shares in (read.length_weights, read.label_share.values()))
        if not rising or not whole or len(read.length_bins) != len(read.length_weights) + 1:
            raise ProfileError("not a data profile: the bins must rise, one more than weights, and shares add up to 1")
        return read


def profile(frame: pd.DataFrame) -> DataProfile:
    """Measure a frame with the columns ``text`` and ``label``, both without nulls.

    The bins of the histogram double in width: what a text's length says about its kind, it says on this scale.

    Raises:
        ValueError: the frame has no rows.
    """
    if frame.empty:
        raise ValueError("a table without rows has no profile")
    lengths = frame["text"].str.len().to_numpy(dtype=np.float64)
    # A longer text than the predictor takes counts into the last bin, so that the weights add up to 1.
    weights = np.histogram(np.minimum(lengths, _EDGES[-1]), bins=np.asarray(_EDGES, dtype=np.float64))[0] / len(frame)
    shares = frame["label"].astype("int64").value_counts(normalize=True).sort_index()
    return DataProfile(
        rows=len(frame),
        label_share={str(label): float(share) for label, share in shares.items()},
        length_bins=[float(edge) for edge in _EDGES],
        length_weights=[float(weight) for weight in weights],
        length_quantiles={str(at): float(np.quantile(lengths, at)) for at in _QUANTILES},
    )
