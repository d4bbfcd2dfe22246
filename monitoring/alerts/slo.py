"""Error budgets that burn too fast (Google's SRE workbook, chapter 5: multiple windows, multiple burn rates)."""

from __future__ import annotations

from collections.abc import Callable

from monitoring.alert import Alert
from monitoring.config import Config, Severity
from monitoring.recording import error_ratio, requests, slow_ratio

__all__ = ["alerts"]


def alerts(config: Config) -> list[Alert]:
    """Return a fast and a slow alert for each of the two promises."""
    slo = config.slo
    failed = "of the requests of {{ $labels.tenant }} fail: more than its error budget allows"
    slow = (
        f"of the answers to {{{{ $labels.tenant }}}} take longer than {slo.latency_seconds} s: "
        "more than its latency budget allows"
    )
    return [
        Alert(
            name,
            _burns(config, config.alerts[name].severity, ratio, 1 - target),
            f"{{{{ $value | humanizePercentage }}}} {text}",
            "tenant",
        )
        for name, ratio, target, text in (
            ("AvailabilityBurnsFast", error_ratio, slo.availability, failed),
            ("AvailabilityBurnsSlowly", error_ratio, slo.availability, failed),
            ("LatencyBurnsFast", slow_ratio, slo.latency, slow),
            ("LatencyBurnsSlowly", slow_ratio, slo.latency, slow),
        )
    ]


def _burns(config: Config, severity: Severity, ratio: Callable[[float], str], budget: float) -> str:
    pairs = []
    for burn in config.slo.burn:
        if burn.severity == severity:
            limit = round(burn.factor * budget, 6)
            enough = f"{requests(burn.long)} * {burn.long:g} >= {config.slo.requests}"
            pairs.append(f"({ratio(burn.long)} > {limit} and {ratio(burn.short)} > {limit} and {enough})")
    return "\nor\n".join(pairs)
