"""What an alert is: a condition, and what people read when it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["PLATFORM", "Alert", "rule"]

PLATFORM = "platform"
"""The ``tenant`` of what concerns every tenant."""


@dataclass(frozen=True)
class Alert:
    """One alert; its severity and durations are in the configuration.

    Attributes:
        name: as in ``config.toml`` and of its runbook.
        expr: PromQL, with a label ``tenant`` unless ``everybody``.
        summary: what is broken, and for whom; a template of Prometheus.
        dashboard: the one that shows it.
        everybody: it concerns every tenant.
    """

    name: str
    expr: str
    summary: str
    dashboard: str
    everybody: bool = False


def rule(alert: Alert, config: Config) -> dict[str, Any]:
    """Return an alert in the form of Prometheus' rule files."""
    numbers = config.alerts[alert.name]
    labels = {"severity": numbers.severity} | ({"tenant": PLATFORM} if alert.everybody else {})
    variables = "" if alert.everybody else "?var-tenant={{ $labels.tenant }}"
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": prometheus(numbers.hold),
        "labels": labels,
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{config.links.runbooks}/{alert.name}.md",
            "dashboard_url": f"{config.links.dashboards}/{alert.dashboard}{variables}",
        },
    }
