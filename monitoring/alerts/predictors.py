"""Predictors that are slow, fail, restart, are not ready, or run out of what they were given."""

from __future__ import annotations

from monitoring.alert import Alert
from monitoring.config import Config
from monitoring.duration import prometheus
from monitoring.limits import cpu_used, memory_used
from monitoring.recording import answered, error_ratio, requests, slower_than

__all__ = ["alerts"]

# KServe's name for the container that serves.
_CONTAINER = 'container="kserve-container"'
# Beyond the 95th percentile.
_SLOWEST = 0.05


def alerts(config: Config) -> list[Alert]:
    """Return the six alerts that every tenant has had from the beginning, and one for its autoscaler."""
    return [
        _latency(config),
        _restarts(config),
        _errors(config),
        Alert(
            "PredictorNotReady",
            'sum by (tenant) (ferryman_release_condition{type="Ready",status="False",reason="NotReady"})\n'
            'or\ncount by (tenant) (up{job="predictors"} == 0)',
            "A predictor of {{ $labels.tenant }} is not ready",
            "tenant",
        ),
        _cpu(config),
        _memory(config),
        Alert(
            "PredictorsAtMaximum",
            "count by (tenant, model, version) (prediction_confidence_count)"
            f" > {config.alerts['PredictorsAtMaximum'].above:g}",
            "{{ $labels.tenant }} runs {{ $value }} predictors of {{ $labels.model }} version {{ $labels.version }}: "
            "its autoscaler can add no more",
            "tenant",
        ),
    ]


def _latency(config: Config) -> Alert:
    numbers = config.alerts["PredictorLatencyHigh"]
    over = prometheus(numbers.window)
    return Alert(
        "PredictorLatencyHigh",
        f"{slower_than(numbers.above, over)} > {_SLOWEST}\n"
        f"and {answered(over)} * {numbers.window:g} >= {numbers.requests}",
        f"{{{{ $value | humanizePercentage }}}} of the answers to {{{{ $labels.tenant }}}} "
        f"take longer than {numbers.above:g} s",
        "tenant",
    )


def _restarts(config: Config) -> Alert:
    numbers = config.alerts["PredictorRestarting"]
    over = prometheus(numbers.window)
    return Alert(
        "PredictorRestarting",
        f"max by (tenant) (changes(container_start_time_seconds{{{_CONTAINER}}}[{over}])"
        f' or changes(process_start_time_seconds{{job="predictors"}}[{over}])) > {numbers.above:g}',
        "A predictor of {{ $labels.tenant }} restarted {{ $value }} times in " + over,
        "tenant",
    )


def _errors(config: Config) -> Alert:
    numbers = config.alerts["PredictorErrors"]
    return Alert(
        "PredictorErrors",
        f"{error_ratio(numbers.window)} > {numbers.above:g}\n"
        f"and {requests(numbers.window)} * {numbers.window:g} >= {numbers.requests}",
        "{{ $value | humanizePercentage }} of the requests of {{ $labels.tenant }} fail",
        "tenant",
    )


def _cpu(config: Config) -> Alert:
    numbers = config.alerts["PredictorCpuHigh"]
    return Alert(
        "PredictorCpuHigh",
        f"{cpu_used('tenant, pod', _CONTAINER, prometheus(numbers.window))} > {numbers.above:g}",
        "{{ $labels.pod }} of {{ $labels.tenant }} uses {{ $value | humanizePercentage }} of the CPU that it may",
        "tenant",
    )


def _memory(config: Config) -> Alert:
    numbers = config.alerts["PredictorMemoryHigh"]
    return Alert(
        "PredictorMemoryHigh",
        f"{memory_used('tenant, pod', _CONTAINER)} > {numbers.above:g}",
        "{{ $labels.pod }} of {{ $labels.tenant }} uses {{ $value | humanizePercentage }} of the memory that it may: "
        "at all of it the kernel kills it",
        "tenant",
    )
