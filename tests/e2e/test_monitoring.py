"""The operator's Prometheus loads every rule, and what Kubernetes alone can tell is really there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from live import TENANTS, Live
from pods import eventually

from monitoring.alerts.platform import alerts
from monitoring.config import load
from monitoring.duration import prometheus
from monitoring.rules import rules

CONFIG = load()


@contextmanager
def asked(live: Live) -> Iterator[Any]:
    with live.cluster.forward("monitoring", "prometheus-operated", 9090) as port:

        def ask(path: str, **parameters: str) -> Any:
            url = f"http://127.0.0.1:{port}/api/v1/{path}"
            return httpx.get(url, params=parameters, timeout=10, trust_env=False).json()["data"]

        yield ask


def test_every_rule_is_loaded_and_none_of_them_fails(serving: Live) -> None:
    expected = {each.get("alert") or each["record"] for group in rules(CONFIG)["groups"] for each in group["rules"]}
    with asked(serving) as ask:

        def loaded() -> dict[str, str]:
            return {each["name"]: each["health"] for group in ask("rules")["groups"] for each in group["rules"]}

        eventually(lambda: expected <= set(loaded()), seconds=120, pause=2)
        eventually(lambda: {loaded()[name] for name in expected} == {"ok"}, seconds=60, pause=2)


@pytest.mark.parametrize(
    "metric",
    [
        'container_start_time_seconds{container="kserve-container"}',
        'container_cpu_usage_seconds_total{container="kserve-container"}',
        'container_memory_working_set_bytes{container="kserve-container"}',
        'container_spec_memory_limit_bytes{container="",pod!=""} > 0',
        'container_spec_cpu_quota{container="",pod!=""}',
        'prediction_confidence_count{job="predictors"}',
        "ferryman_release_phase",
    ],
)
def test_each_tenant_has_what_the_alerts_ask_about(serving: Live, metric: str) -> None:
    with asked(serving) as ask:

        def tenants() -> set[str]:
            return {each["metric"].get("tenant", "") for each in ask("query", query=metric)["result"]}

        eventually(lambda: set(TENANTS) <= tenants(), seconds=120, pause=2)


def test_the_memory_of_gateway_and_controller_is_compared_with_their_limits(serving: Live) -> None:
    (alert,) = (each for each in alerts(CONFIG) if each.name == "PlatformMemoryHigh")
    share, _, _ = alert.expr.rpartition(" > ")
    with asked(serving) as ask:

        def pods() -> set[tuple[str, str]]:
            return {
                (each["metric"]["namespace"], each["metric"]["pod"].rsplit("-", 2)[0])
                for each in ask("query", query=share)["result"]
                if 0 < float(each["value"][1]) < 1
            }

        eventually(lambda: pods() == {("gateway", "gateway"), ("release", "release-controller")}, 120, 2, pods)


def test_alertmanager_takes_its_routing(serving: Live) -> None:
    with serving.cluster.forward("monitoring", "alertmanager-operated", 9093) as port:
        status = httpx.get(f"http://127.0.0.1:{port}/api/v2/status", timeout=10, trust_env=False).json()
    assert 'tenant="tenant-a"' in status["config"]["original"]
    assert prometheus(CONFIG.scrape.interval * 2) in status["config"]["original"]
