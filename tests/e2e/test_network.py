"""Who reaches whom, with real connections; and the same probes where no policy is, which shows that they can fail."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from live import Live
from pods import address, eventually, pod, run, start

from infra.platform.manifests import ROOT

API_SERVER = "kubernetes.default.svc:443"
METADATA = "169.254.169.254:80"
MLFLOW = "mlflow.mlflow.svc:5000"
DATABASE = "postgresql.mlflow.svc:5432"
S3 = "minio.minio.svc:9000"
GATEWAY = "gateway.gateway.svc:80"
DNS = "kube-dns.kube-system.svc:53"


@contextmanager
def _world() -> Iterator[list[str]]:
    """A listener outside of the cluster, where the rig says that its host is; nowhere else."""
    host = os.environ.get("E2E_WORLD")
    if not host:
        yield []
        return
    with socket.create_server((host, 0)) as listener:
        yield [f"{host}:{listener.getsockname()[1]}"]


@pytest.fixture(scope="module")
def probes(serving: Live) -> Iterator[Live]:
    """Pods in tenants, as a predictor and as nothing known."""
    image = serving.images["predictor"]
    made = [
        pod("stranger", "tenant-a", image),
        # It is no version's, so that no Service and no disruption budget counts it.
        pod("like-a-predictor", "tenant-a", image, {"component": "predictor"}),
        pod("like-the-gateway", "gateway", image, {"app.kubernetes.io/name": "gateway", "e2e": "probe"}),
        pod("like-prometheus", "monitoring", image, {"app.kubernetes.io/name": "prometheus", "e2e": "probe"}),
        pod("stranger", "training", image),
        pod("like-training", "training", image, {"app.kubernetes.io/name": "training"}),
    ]
    start(serving.cluster, *made)
    yield serving
    for found in made:
        metadata = found["metadata"]
        serving.cluster.kubectl("delete", "pod", metadata["name"], "--namespace", metadata["namespace"], "--wait=false")


def _predictor(live: Live, tenant: str) -> str:
    return str(live.predictors(tenant)[0]["status"]["podIP"])


def test_a_tenants_pods_reach_dns_and_a_predictor_the_object_store_and_nothing_else(probes: Live) -> None:
    neighbour = address(probes.cluster, "tenant-a", "stranger")
    with _world() as world:
        closed = [
            f"{_predictor(probes, 'tenant-a')}:8080",
            f"{_predictor(probes, 'tenant-b')}:8080",
            f"{_predictor(probes, 'tenant-b')}:8081",
            f"{neighbour}:9999",
            *(MLFLOW, DATABASE, API_SERVER, METADATA, GATEWAY),
            *world,
        ]
        for name, reaches in (("stranger", {DNS}), ("like-a-predictor", {DNS, S3})):
            said = run(probes.cluster, "tenant-a", name, "probe.py", *closed, DNS, S3)
            assert {target for target, is_open in said.items() if is_open} == reaches, name


def test_a_predictor_is_reached_by_the_gateway_and_prometheus_and_nobody_else(probes: Live) -> None:
    rest, rpc = (f"{_predictor(probes, 'tenant-a')}:{port}" for port in (8080, 8081))
    expected = {
        ("gateway", "like-the-gateway"): {rest, rpc},
        ("monitoring", "like-prometheus"): {rest},
        ("e2e", "client"): set(),
        ("training", "like-training"): set(),
    }
    for (namespace, name), reaches in expected.items():
        said = run(probes.cluster, namespace, name, "probe.py", rest, rpc)
        assert {target for target, is_open in said.items() if is_open} == reaches, (namespace, name)


def test_the_registry_is_reached_by_training_and_the_outside_reaches_only_the_gateway(probes: Live) -> None:
    targets = [MLFLOW, DATABASE, S3, GATEWAY]
    for (namespace, name), reaches in {
        ("training", "like-training"): {MLFLOW, S3},
        ("training", "stranger"): set(),
        ("e2e", "client"): {GATEWAY},
    }.items():
        said = run(probes.cluster, namespace, name, "probe.py", *targets)
        assert {target for target, is_open in said.items() if is_open} == reaches, (namespace, name)


def test_prometheus_scrapes_every_predictor(serving: Live) -> None:
    import httpx

    with serving.cluster.forward("monitoring", "prometheus-operated", 9090) as port:

        def up() -> dict[str, int]:
            query = 'count by (tenant) (up{job="predictors"} == 1)'
            url = f"http://127.0.0.1:{port}/api/v1/query"
            found = httpx.get(url, params={"query": query}, trust_env=False).json()["data"]["result"]
            return {series["metric"]["tenant"]: int(series["value"][1]) for series in found}

        eventually(lambda: up().get("tenant-a", 0) >= 2 and up().get("tenant-b", 0) >= 2, seconds=90, pause=2)


@pytest.fixture
def lawless(serving: Live) -> Iterator[str]:
    """A namespace without any policy, with a pod that listens and one that asks."""
    name = "e2e-control"
    image = serving.images["predictor"]
    serving.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}])
    start(serving.cluster, pod("listener", name, image, {}, "listen.py", "8080"), pod("asker", name, image))
    yield name
    serving.cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_without_the_policies_the_same_probes_get_through_and_with_them_no_more(serving: Live, lawless: str) -> None:
    listener = f"{address(serving.cluster, lawless, 'listener')}:8080"
    with _world() as world:
        targets = [listener, API_SERVER, GATEWAY, DNS, *world]

        def reached() -> set[str]:
            said = run(serving.cluster, lawless, "asker", "probe.py", *targets)
            return {target for target, is_open in said.items() if is_open}

        eventually(lambda: reached() == set(targets), seconds=20)
        policies = _policies(ROOT / "kserve" / "base" / "networkpolicies.yaml", lawless)
        serving.cluster.apply(policies)
        eventually(lambda: reached() == {DNS}, seconds=20)


def _policies(file: Path, namespace: str) -> list[dict[str, Any]]:
    found = list(yaml.safe_load_all(file.read_text()))
    for policy in found:
        policy["metadata"]["namespace"] = namespace
    return found
