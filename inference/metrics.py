"""What the predictor counts: the design's metrics, with labels that no caller can multiply.

Counted in plain numbers on the event loop, and made into prometheus_client's families when they are asked for: its own
counters take a lock and look labels up at each call, 7 us a request where an answer takes 50.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from artifact.reference import Reference
from inference.drift import Drift
from inference.scoring import Scores

__all__ = ["Metrics"]

# 0.25 ms to 10 s, each twice the one before: the library's own begin at 5 ms, where this predictor has long answered.
_SECONDS = (*(0.00025 * 2**step for step in range(16)), 10.0)
_SHARES = tuple(share / 20 for share in range(10, 21))


class _Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, trace: str = "") -> None:
        bucket = bisect_left(self._bounds, value)
        self._counts[bucket] += 1
        self._sum += value
        if trace:
            self._exemplars[bucket] = Exemplar({"trace_id": trace}, value, time.time())

    def add_to(self, family: HistogramMetricFamily, labels: list[str]) -> None:
        total = 0
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        names = [*(repr(float(bound)) for bound in self._bounds), "+Inf"]
        for name, count, exemplar in zip(names, self._counts, self._exemplars, strict=True):
            total += count
            buckets.append((name, total, exemplar) if exemplar else (name, total))
        family.add_metric(labels, buckets, self._sum)


class Metrics(Collector):
    """The counters of one model version. Call it from the event loop alone."""

    def __init__(self, model: str, version: str, classes: Iterable[str], reference: Reference | None) -> None:
        self._drift = Drift(reference) if reference else None
        self._labels = [model, version]
        self._requests: dict[tuple[str, str], int] = {}
        self._durations: dict[str, _Histogram] = {}
        self._predictions = dict.fromkeys(classes, 0)
        self._confidence = _Histogram(_SHARES)

    def answered(self, protocol: str, code: str, seconds: float, trace: str) -> None:
        """Count one request: ``code`` is an HTTP status or a gRPC code's name, ``trace`` a W3C trace id or empty."""
        key = protocol, code
        self._requests[key] = self._requests.get(key, 0) + 1
        if protocol not in self._durations:
            self._durations[protocol] = _Histogram(_SECONDS)
        self._durations[protocol].observe(seconds, trace)

    def predicted(self, texts: Sequence[str], scores: Scores) -> None:
        """Count n texts and their predictions."""
        if self._drift is not None:
            self._drift.add(texts, scores)
        for label, share in zip(scores.labels, scores.confidences, strict=True):
            self._predictions[label] += 1
            self._confidence.observe(share)

    def collect(self) -> Iterator[Metric]:
        """Return what was counted so far."""
        own = ["model", "version"]
        requests = CounterMetricFamily(
            "inference_requests", "Requests, refused ones included.", labels=[*own, "protocol", "code"]
        )
        for (protocol, code), count in self._requests.items():
            requests.add_metric([*self._labels, protocol, code], count)
        yield requests
        durations = HistogramMetricFamily(
            "inference_request_duration_seconds", "From the request's arrival to its answer.", labels=[*own, "protocol"]
        )
        for protocol, histogram in self._durations.items():
            histogram.add_to(durations, [*self._labels, protocol])
        yield durations
        predictions = CounterMetricFamily("predictions", "Texts by the label they were given.", labels=[*own, "label"])
        for label, count in self._predictions.items():
            predictions.add_metric([*self._labels, label], count)
        yield predictions
        confidence = HistogramMetricFamily(
            "prediction_confidence", "The probability of the label that was given.", labels=own
        )
        self._confidence.add_to(confidence, self._labels)
        yield confidence
        if self._drift is not None:
            drift = GaugeMetricFamily(
                "prediction_drift_psi",
                "Population stability index of the last 15 minutes' texts against the held-out ones; below 0.1: none.",
                labels=[*own, "measure"],
            )
            for measure, value in self._drift.psi().items():
                drift.add_metric([*self._labels, measure], value)
            yield drift
