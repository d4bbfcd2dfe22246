"""Quantiles from the predictor's latency buckets, each bound twice the one before.

Inside a bucket, requests are taken as spread evenly over the logarithm of their time. A quantile's position inside its
bucket is therefore an assumption; it is the same one for both versions, so versions that answer alike are never told
apart by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from release.counts import BUCKET_BOUNDS

__all__ = ["slower_than"]

_EDGES = (BUCKET_BOUNDS[0] / 2, *BUCKET_BOUNDS, BUCKET_BOUNDS[-1] * 2)


def slower_than(latency: Sequence[float], count: float) -> float:
    """Return the seconds that ``count`` of the requests in these buckets took longer than.

    Args:
        latency: requests by bucket, ``[len(BUCKET_BOUNDS) + 1]``.
        count: between 0 (the slowest edge with any request) and their sum (the fastest).
    """
    above = 0.0
    for bucket in range(len(latency) - 1, -1, -1):
        held = latency[bucket]
        if held > 0 and above + held >= count:
            low, high = _EDGES[bucket], _EDGES[bucket + 1]
            return high * math.pow(low / high, (count - above) / held)
        above += held
    return _EDGES[0]
