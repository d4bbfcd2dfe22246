from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from inference.metrics import Metrics
from inference.scoring import Scores
from release.counts import BUCKET_BOUNDS
from release.metrics_reader import parse_counts


def test_what_a_predictor_exposes_is_read_over_all_protocols_without_the_callers_own_faults() -> None:
    metrics = Metrics("sentiment", "7", ("negative", "positive"), None)
    for protocol, code, seconds in (
        ("v1", "200", 0.0004),
        ("grpc", "OK", 0.0004),
        ("v1", "400", 0.0001),
        ("grpc", "INVALID_ARGUMENT", 0.0001),
        ("v2", "500", 3.0),
        ("grpc", "INTERNAL", 60.0),
        ("grpc", "UNAVAILABLE", 60.0),
    ):
        metrics.answered(protocol, code, seconds, trace="")
    metrics.predicted(["a", "b", "c"], Scores(("negative", "positive"), [0.1, 0.8, 0.7]))
    exposed = CollectorRegistry()
    exposed.register(metrics)
    counts = parse_counts(generate_latest(exposed).decode())
    assert (counts.requests, counts.errors) == (5, 3)
    assert len(counts.latency) == len(BUCKET_BOUNDS) + 1
    assert (counts.latency[0], counts.latency[1], counts.latency[-1], sum(counts.latency)) == (2, 2, 2, 7)
    assert counts.labels == {"negative": 1, "positive": 2}


def test_buckets_that_no_analysis_knows_are_not_guessed_at() -> None:
    text = (
        '# TYPE inference_request_duration_seconds histogram\ninference_request_duration_seconds_bucket{le="0.3"} 1\n'
    )
    with pytest.raises(ValueError, match=r"0\.3"):
        parse_counts(text)
