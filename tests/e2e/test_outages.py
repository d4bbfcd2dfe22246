"""What goes on answering while parts are down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from live import TENANTS, Live
from pods import eventually, load
from processes import kill


@contextmanager
def _down(live: Live, namespace: str, workload: str) -> Iterator[None]:
    """Scale a workload to nothing while the block runs, and wait for it to come back."""
    live.cluster.kubectl("scale", workload, "--namespace", namespace, "--replicas=0")
    try:
        name = workload.split("/")[1]
        eventually(lambda: not live.cluster.find("pod", f"app.kubernetes.io/name={name}", namespace), seconds=90)
        yield
    finally:
        live.cluster.kubectl("scale", workload, "--namespace", namespace, "--replicas=1")
        live.cluster.kubectl("rollout", "status", workload, "--namespace", namespace, "--timeout=180s", seconds=190)


def test_with_the_registry_down_a_predictor_that_is_rescheduled_starts(serving: Live) -> None:
    with _down(serving, "mlflow", "deployment/mlflow"):
        gone = serving.predictors("tenant-a")[0]["metadata"]["name"]
        serving.cluster.kubectl("delete", "pod", gone, "--namespace=tenant-a")

        def back() -> bool:
            names = [found["metadata"]["name"] for found in serving.predictors("tenant-a")]
            return len(names) >= 2 and gone not in names

        eventually(back, seconds=90)
        assert serving.ask("tenant-a")["v1"][0] == 200


def test_with_the_object_store_down_running_predictors_answer(serving: Live) -> None:
    with _down(serving, "minio", "statefulset/minio"):
        for tenant in TENANTS:
            assert all(answer[0] == 200 for answer in serving.ask(tenant).values())
    eventually(lambda: serving.cluster.find("pod", "app.kubernetes.io/name=minio", "minio"))


def test_a_predictor_killed_under_load_loses_no_request(serving: Live) -> None:
    """Killed without notice: what was in flight is asked again by the gateway, of the other predictor."""
    victim = serving.predictors("tenant-a")[0]["metadata"]
    with load(serving.host("tenant-a"), threads=8, pause=0) as counted:
        time.sleep(2)
        _kill(serving, victim)
        time.sleep(1)
        eventually(lambda: len(serving.predictors("tenant-a")) >= 2, seconds=90)
    assert counted.total > 50
    assert counted.lost == 0, counted.faults


def _kill(live: Live, pod: dict[str, Any]) -> None:
    """SIGKILL where the node is this machine; elsewhere the pod is deleted without grace."""
    if not kill("inference", pod["uid"]):
        live.cluster.kubectl("delete", "pod", pod["name"], "--namespace=tenant-a", "--grace-period=0", "--force")
