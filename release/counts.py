"""What is counted of one version's answers: the figures that an analysis compares."""

from __future__ import annotations

from pydantic import Field

from release.model import Document

__all__ = ["BUCKET_BOUNDS", "Counts"]

BUCKET_BOUNDS: tuple[float, ...] = (*(0.00025 * 2**step for step in range(16)), 10.0)
"""Upper bounds in seconds of the predictor's latency buckets; one more bucket holds what took longer."""


class Counts(Document):
    """``requests`` that were answered or failed by the predictor's own fault, ``errors`` among them.

    A caller's 4xx is in neither. ``latency`` holds the requests of each bucket, not cumulated,
    ``[len(BUCKET_BOUNDS) + 1]`` or empty; ``labels`` the predictions by label. Where counts are added up, a
    request with many texts has one vote, so labels may be fractions there.
    """

    requests: int = 0
    errors: int = 0
    latency: tuple[int, ...] = ()
    labels: dict[str, float] = Field(default_factory=dict)
