"""Reading a predictor's own ``/metrics`` (Prometheus text format) into what an analysis compares."""

from __future__ import annotations

from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from release.counts import BUCKET_BOUNDS, Counts

__all__ = ["parse_counts"]

_GRPC_ERRORS = {"INTERNAL", "UNAVAILABLE"}


def parse_counts(text: str) -> Counts:
    """Return the counters of one predictor since its start, over all protocols.

    The latency histogram knows no codes, so a caller's 4xx is in ``latency`` though not in ``requests``.

    Raises:
        ValueError: the text is not in Prometheus' format, or its buckets are not those of the contract.
    """
    requests = errors = 0
    labels: Counter[str] = Counter()
    below: dict[float, int] = dict.fromkeys((*BUCKET_BOUNDS, float("inf")), 0)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            value = int(sample.value)
            if sample.name == "inference_requests_total":
                code = sample.labels["code"]
                failed = code.startswith("5") or code in _GRPC_ERRORS
                errors += value if failed else 0
                requests += value if failed or code == "OK" or code.startswith("2") else 0
            elif sample.name == "predictions_total":
                labels[sample.labels["label"]] += value
            elif sample.name == "inference_request_duration_seconds_bucket":
                bound = float(sample.labels["le"])
                if bound not in below:
                    raise ValueError(f"a latency bucket of {bound} s, which no analysis knows")
                below[bound] += value
    cumulated = list(below.values())
    latency = tuple(high - low for high, low in zip(cumulated, [0, *cumulated], strict=False))
    return Counts(requests=requests, errors=errors, latency=latency, labels=dict(labels))
