"""What is computed once and used by alerts and dashboards: each tenant's requests, errors and slow answers."""

from __future__ import annotations

from typing import Any

from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["answered", "error_ratio", "groups", "requests", "slow_ratio", "slower_than"]

# What the release controller counts as an error, too: a caller's 4xx is the caller's. Gateways answer 502 and 504 by
# themselves, our predictors never.
_FAILED = 'inference_requests_total{code=~"5..|INTERNAL|UNAVAILABLE"}'
_UNANSWERED = 'traefik_service_requests_total{tenant!="",code=~"502|504"}'
# As clients see it: a predictor's own clock starts when it takes a request up.
_DURATION = "traefik_service_request_duration_seconds"
_HISTOGRAM = "inference_request_duration_seconds"


def requests(window: float) -> str:
    """Return the name of each tenant's requests a second over a window."""
    return f"tenant:inference_requests:rate{prometheus(window)}"


def error_ratio(window: float) -> str:
    """Return the name of the share of them that failed."""
    return f"tenant:inference_errors:ratio_rate{prometheus(window)}"


def slow_ratio(window: float) -> str:
    """Return the name of the share of its answers that took longer than promised."""
    return f"tenant:inference_slow:ratio_rate{prometheus(window)}"


def slower_than(seconds: float, over: str) -> str:
    """Return the PromQL for each tenant's share of answers that took longer than a bound of the gateway's histogram."""
    # Prometheus 3 writes a whole bound with a decimal, 2 as it was scraped.
    bound = f'le=~"{seconds:g}(.0)?"' if seconds == int(seconds) else f'le="{seconds:g}"'
    in_time = f'sum by (tenant) (rate({_DURATION}_bucket{{tenant!="",{bound}}}[{over}]))'
    return f"1 - {in_time} / ({answered(over)} > 0)"


def answered(over: str) -> str:
    """Return the PromQL for each tenant's answers a second, as the gateway counts them."""
    return f'sum by (tenant) (rate({_DURATION}_count{{tenant!=""}}[{over}]))'


def groups(config: Config) -> list[dict[str, Any]]:
    """Return the groups of recording rules."""
    windows = {*config.windows(), config.alerts["PredictorErrors"].window}
    per_tenant = [each for window in sorted(windows) for each in _of_window(window, config.slo.latency_seconds)]
    return [{"name": "tenants", "rules": per_tenant}, {"name": "fastapi", "rules": _fastapi()}]


def _of_window(window: float, bound: float) -> list[dict[str, str]]:
    over = prometheus(window)
    return [
        {
            "record": requests(window),
            "expr": f"sum by (tenant) (rate(inference_requests_total[{over}]) or rate({_UNANSWERED}[{over}]))",
        },
        {
            "record": error_ratio(window),
            "expr": f"(sum by (tenant) (rate({_FAILED}[{over}]) or rate({_UNANSWERED}[{over}]))"
            f" or 0 * {requests(window)}) / ({requests(window)} > 0)",
        },
        {"record": slow_ratio(window), "expr": slower_than(bound, over)},
    ]


def _fastapi() -> list[dict[str, str]]:
    """The names that dashboards of plain FastAPI services ask for."""
    histogram = [
        {"record": f"fastapi_request_duration_seconds_{part}", "expr": f"{_HISTOGRAM}_{part}"}
        for part in ("bucket", "sum", "count")
    ]
    return [{"record": "fastapi_requests_total", "expr": "inference_requests_total"}, *histogram]
