"""The rule file of Prometheus, and the same as a PrometheusRule for its operator."""

from __future__ import annotations

from typing import Any

from monitoring import recording
from monitoring.alert import rule
from monitoring.alerts import by_group
from monitoring.config import Config

__all__ = ["prometheus_rule", "rules"]


def rules(config: Config) -> dict[str, Any]:
    """Return every recording rule and alert."""
    alerting = [
        {"name": name, "rules": [rule(each, config) for each in alerts]} for name, alerts in by_group(config).items()
    ]
    return {"groups": [*recording.groups(config), *alerting]}


def prometheus_rule(config: Config) -> dict[str, Any]:
    """Return the object that prometheus-operator loads."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "ferryman"},
        "spec": rules(config),
    }
