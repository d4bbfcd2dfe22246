"""What the predictor counts: the design's metrics, with labels that no caller can multiply."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from inference.scoring import Scores

__all__ = ["Metrics"]

# 0.25 ms to 10 s, each twice the one before: the library's own begin at 5 ms, where this predictor has long answered.
_SECONDS = (*(0.00025 * 2**step for step in range(16)), 10.0)
_SHARES = tuple(share / 20 for share in range(10, 21))

_REQUESTS = Counter("inference_requests", "Requests, refused ones included.", ["model", "version", "protocol", "code"])
_DURATION = Histogram(
    "inference_request_duration_seconds",
    "From the request's arrival to its answer.",
    ["model", "version", "protocol"],
    buckets=_SECONDS,
)
_PREDICTIONS = Counter("predictions", "Texts by the label they were given.", ["model", "version", "label"])
_CONFIDENCE = Histogram(
    "prediction_confidence", "The probability of the label that was given.", ["model", "version"], buckets=_SHARES
)


@dataclass(frozen=True)
class Metrics:
    """The counters of one model version."""

    model: str
    version: str

    def answered(self, protocol: str, code: str, seconds: float) -> None:
        """Count one request: ``code`` is an HTTP status or a gRPC code's name."""
        _REQUESTS.labels(self.model, self.version, protocol, code).inc()
        _DURATION.labels(self.model, self.version, protocol).observe(seconds)

    def predicted(self, scores: Scores) -> None:
        """Count n predictions."""
        confidence = _CONFIDENCE.labels(self.model, self.version)
        for label, share in zip(scores.labels, scores.confidences.tolist(), strict=True):
            _PREDICTIONS.labels(self.model, self.version, label).inc()
            confidence.observe(share)
