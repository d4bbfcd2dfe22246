"""What is computed once and used by alerts and dashboards: each tenant's requests, errors and slow answers."""

from __future__ import annotations

from typing import Any

from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["error_ratio", "groups", "requests", "slow_ratio"]

# What the release controller counts as an error, too: a caller's 4xx is the caller's. Gateways answer 502 and 504 by
# themselves, our predictors never.
_FAILED = 'inference_requests_total{code=~"5..|INTERNAL|UNAVAILABLE"}'
_UNANSWERED = 'traefik_service_requests_total{tenant!="",code=~"502|504"}'
_DURATION = "inference_request_duration_seconds"


def requests(window: float) -> str:
    """Return the name of each tenant's requests a second over a window."""
    return f"tenant:inference_requests:rate{prometheus(window)}"


def error_ratio(window: float) -> str:
    """Return the name of the share of them that failed."""
    return f"tenant:inference_errors:ratio_rate{prometheus(window)}"


def slow_ratio(window: float) -> str:
    """Return the name of the share of the predictors' answers that took longer than promised."""
    return f"tenant:inference_slow:ratio_rate{prometheus(window)}"


def groups(config: Config) -> list[dict[str, Any]]:
    """Return the groups of recording rules."""
    windows = {*config.windows(), config.alerts["PredictorErrors"].window}
    per_tenant = [each for window in sorted(windows) for each in _of_window(window, config.slo.latency_seconds)]
    return [{"name": "tenants", "rules": per_tenant}, {"name": "fastapi", "rules": _fastapi()}]


def _of_window(window: float, bound: float) -> list[dict[str, str]]:
    over = prometheus(window)
    answered = f"sum by (tenant) (rate({_DURATION}_count[{over}]))"
    in_time = f'sum by (tenant) (rate({_DURATION}_bucket{{le="{bound}"}}[{over}]))'
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
        {"record": slow_ratio(window), "expr": f"1 - {in_time} / ({answered} > 0)"},
    ]


def _fastapi() -> list[dict[str, str]]:
    """The names that dashboards of plain FastAPI services ask for."""
    histogram = [
        {"record": f"fastapi_request_duration_seconds_{part}", "expr": f"{_DURATION}_{part}"}
        for part in ("bucket", "sum", "count")
    ]
    return [{"record": "fastapi_requests_total", "expr": "inference_requests_total"}, *histogram]
