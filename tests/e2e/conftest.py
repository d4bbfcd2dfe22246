"""One platform on one live cluster for all tests: KUBECONFIG says which, IMAGES names the file of images."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from live import TENANTS, Live, command
from pods import Load, eventually, load, pod, start

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.manifests import ROOT, read_images
from infra.platform.tenant import apply_tenant, delete_tenant, write_overlay

RESULTS = Path(os.environ.get("E2E_RESULTS", ROOT / "e2e-results"))
# What needs the least comes first; what stops parts of the cluster comes last.
ORDER = (
    "serving",
    "tls",
    "scale_out",
    "admission",
    "access",
    "benchmarks",
    "object_store",
    "network",
    "tenants",
    "scale_in",
    "rollout",
    "backup",
    "release",
    "monitoring",
    "alerts",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        topic = item.path.stem.removeprefix("test_")
        return ORDER.index(topic) if topic in ORDER else len(ORDER)

    items.sort(key=place)


@pytest.fixture(scope="session")
def live() -> Live:
    """The platform and both tenants, installed, and a client outside of them."""
    file = os.environ.get("IMAGES")
    if not os.environ.get("KUBECONFIG") or not file:
        pytest.exit("KUBECONFIG and IMAGES say which cluster and images; make e2e-cluster sets both", returncode=2)
    command("infra.platform", "install", "--images", file)
    found = Live(read_images(Path(file)))
    for tenant in TENANTS:
        # A small node has no room for the version before, for ten minutes, beside what the tests start.
        kept = '{"spec": {"strategy": {"blueGreen": {"keepPrevious": "30s"}}}}'
        patch = ("patch", "modelrelease", "sentiment", f"--namespace={tenant}", "--type=merge", f"-p={kept}")
        found.cluster.kubectl(*patch)
    found.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e2e"}}])
    start(found.cluster, pod("client", "e2e", found.images["predictor"]))
    return found


@pytest.fixture(scope="session")
def serving(live: Live) -> Live:
    """Both tenants serve a version that was trained in the cluster."""
    if not all(live.predictors(tenant) and live.routed(tenant) for tenant in TENANTS):
        live.rollout(live.train("--sample", "4000"))
        # The gateway accepts a first route a moment before it follows it.
        eventually(lambda: all(live.ask(tenant)["v1"][0] == 200 for tenant in TENANTS), seconds=20)
    return live


@pytest.fixture(scope="session")
def scaled_out(serving: Live) -> Load:
    """A load under which tenant-a's autoscaler added predictors, and which is over."""
    (version,) = serving.served("tenant-a")

    def measured() -> bool:
        found = serving.cluster.get("horizontalpodautoscaler", f"sentiment-v{version}", "tenant-a")
        return any(c["type"] == "ScalingActive" and c["status"] == "True" for c in found["status"]["conditions"])

    eventually(measured, seconds=90, pause=2)
    eventually(lambda: serving.replicas("tenant-a", version) == 2, seconds=150, pause=2)
    with load(serving.host("tenant-a"), threads=4, texts=200, pause=0.05) as counted:
        eventually(lambda: serving.replicas("tenant-a", version) > 2, seconds=120, pause=2)
        eventually(lambda: len(serving.predictors("tenant-a")) > 2, seconds=90, pause=2)
    return counted


@pytest.fixture
def third(live: Live) -> Iterator[str]:
    """A third tenant, made by the generator and gone afterwards."""
    name = "tenant-e2e"
    write_overlay(name)
    try:
        apply_tenant(live.cluster, name)
        yield name
    finally:
        delete_tenant(live.cluster, name, files=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        _keep(RESULTS / re.sub(r"[^\w.-]+", "_", item.nodeid.removeprefix("tests/e2e/")))
    return report


def _keep(folder: Path) -> None:
    """Keep what a person needs to find out why a test failed."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster()
    kinds = "pods,deployments,inferenceservices,httproutes,horizontalpodautoscalers"
    asked = {
        "objects.txt": ["get", kinds, "--all-namespaces", "--output=wide"],
        "events.txt": ["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"],
        "services.yaml": ["get", "modelreleases,inferenceservices,httproutes", "--all-namespaces", "--output=yaml"],
    }
    for namespace in (*TENANTS, "mlflow", "minio", "gateway", "kserve", "training", "release"):
        asked[f"pods-{namespace}.txt"] = ["describe", "pods", "--namespace", namespace]
        logs = ["logs", "--namespace", namespace, "--selector=", "--all-containers", "--prefix", "--tail=200"]
        asked[f"log-{namespace}.txt"] = [*logs, "--ignore-errors", "--max-log-requests=50"]
    for name, arguments in asked.items():
        with contextlib.suppress(PlatformError, OSError):
            (folder / name).write_text(cluster.kubectl(*arguments, seconds=30))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was proved, in sentences, with its seconds."""
    terminalreporter.section("what was proved on the cluster")
    total = 0.0
    for outcome, mark in (("passed", "yes"), ("failed", "NO "), ("error", "NO "), ("skipped", "not run")):
        for report in terminalreporter.stats.get(outcome, []):
            name = report.nodeid.split("::")[-1].removeprefix("test_").replace("_", " ")
            seconds = sum(
                other.duration for other in terminalreporter.stats.get("", []) if other.nodeid == report.nodeid
            ) + getattr(report, "duration", 0.0)
            total += seconds
            terminalreporter.write_line(f"{mark:8}{seconds:7.1f} s  {name}")
    terminalreporter.write_line(f"{'':8}{total:7.1f} s  in all; logs of what failed: {RESULTS}")
