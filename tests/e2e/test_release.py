"""The release controller on the cluster: an alias moves in MLflow, and the tenant follows, or does not."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from live import TENANTS, Live
from pods import eventually, load, load_of_the_node
from processes import kill, stand_still
from trial import NAME, Trial, negative, trial

from infra.gitops.argo import apply

on_this_machine = pytest.mark.skipif(
    not os.environ.get("E2E_RESTART"), reason="kills processes of the node, which is not this machine"
)
CONTROLLER = "release.platforms.kubernetes.daemon"


@pytest.fixture(scope="module")
def moving(serving: Live) -> Iterator[Trial]:
    with trial(serving) as made:
        yield made


def test_an_alias_moved_in_mlflow_becomes_a_canary_and_is_promoted_without_a_failed_request(moving: Trial) -> None:
    before, version = moving.settle(), moving.copy()
    with load(moving.host) as counted:
        begun = time.time()
        moving.move(version)
        eventually(lambda: moving.stable(version), 120)
    assert counted.lost == 0, counted.faults
    assert counted.first[str(version)] - begun < 20, "from the alias to the first request"
    assert moving.phases(version) == ["Verifying", *["Canary"] * 3, "Promoting", "Stable"]
    assert moving.status["previous"]["version"] == before
    said = {found["reason"] for found in _events(moving)}
    assert {"AliasMoved", "Verified", "SmokePassed", "Successful", "Promoted"} <= said
    owned = moving.live.cluster.kubectl(
        *("get", "inferenceservice,service,hpa,httproute", "--namespace", NAME, "--output"),
        "jsonpath={.items[?(@.metadata.ownerReferences[0].kind=='ModelRelease')].metadata.name}",
    )
    name = f"sentiment-v{version}"
    assert set(owned.split()) >= {name, f"{name}-grpc", "sentiment"}


def test_the_version_before_comes_back_within_seconds_as_a_change_of_weights(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    with load(moving.host):
        moving.move(version)
        eventually(lambda: moving.stable(version), 120)
    begun = time.monotonic()
    moving.move(moving.base)
    eventually(lambda: moving.live.served(NAME) == {str(moving.base)}, 20, 0.2)
    assert time.monotonic() - begun < 10


def test_a_model_whose_every_answer_is_wrong_gets_no_request_twenty_seconds_after_its_first(moving: Trial) -> None:
    before, version = moving.settle(), moving.copy(negative)
    with load(moving.host) as counted:
        moving.move(version)
        eventually(lambda: moving.rejected(version), 120)
        time.sleep(2)
    assert counted.last[str(version)] - counted.first[str(version)] < 20
    assert moving.status["rejected"]["reason"] == "PredictionsShifted"
    assert moving.live.served(NAME) == {str(before)}
    # It stays, without a pod, for who wants to look at it.
    eventually(lambda: moving.live.replicas(NAME, version) == 0)
    assert moving.get("inferenceservice", f"sentiment-v{version}")


@on_this_machine
def test_a_canary_that_dies_is_rolled_back_by_the_gateways_own_errors_and_no_client_notices(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    with load(moving.host) as counted:
        moving.move(version)
        eventually(lambda: moving.canary(version) == 10, 120, 0.1)
        begun = time.monotonic()
        while not moving.rejected(version) and time.monotonic() - begun < 60:
            for found in moving.live.cluster.find("pod", f"ferryman.dev/version={version}", NAME):
                kill("inference", found["metadata"]["uid"])
            time.sleep(0.2)
    assert moving.status["rejected"]["reason"] == "GatewayErrors"
    assert time.monotonic() - begun < 20
    assert counted.lost == 0, counted.faults


def test_an_unsigned_version_is_refused_and_no_pod_of_it_ever_starts(moving: Trial) -> None:
    before, version = moving.settle(), moving.copy(signed=False)
    moving.move(version)
    eventually(lambda: moving.rejected(version), 60)
    assert moving.status["rejected"]["reason"] == "GateNotPassed"
    verified = next(each for each in moving.status["conditions"] if each["type"] == "Verified")
    assert verified["status"] == "False"
    assert moving.get("inferenceservice", f"sentiment-v{version}") is None
    assert not [found for found in _events(moving) if f"sentiment-v{version}-" in found["involvedObject"]["name"]]
    assert moving.live.served(NAME) == {str(before)}


def test_a_forced_gitops_apply_during_a_canary_changes_nothing(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    in_git = moving.in_git()

    def generations() -> list[int]:
        objects = [("inferenceservice", f"sentiment-v{version}"), ("httproute", "sentiment")]
        return [moving.get(kind, name)["metadata"]["generation"] for kind, name in objects]

    with load(moving.host):
        moving.live.cluster.kubectl(
            *("annotate", "modelrelease", "sentiment", "--namespace", NAME, "ferryman.dev/pause=true")
        )
        try:
            moving.move(version)
            eventually(lambda: "PausedByRequest" in str(moving.status["conditions"]), 30)
            moving.live.cluster.kubectl(
                *("annotate", "modelrelease", "sentiment", "--namespace", NAME, "ferryman.dev/pause-")
            )
            eventually(lambda: moving.canary(version) == 10, 120, 0.1)
            before = generations(), moving.phases(version)
            for _ in range(2):
                apply(moving.live.cluster, in_git)
            assert moving.canary(version) in (10, 50)
            assert generations()[0] == before[0][0]
            eventually(lambda: moving.stable(version), 120)
        finally:
            moving.live.cluster.kubectl(
                *("annotate", "modelrelease", "sentiment", "--namespace", NAME, "ferryman.dev/pause-")
            )
    assert moving.phases(version) == ["Verifying", *["Canary"] * 3, "Promoting", "Stable"]


def test_a_quota_that_stops_the_canary_pauses_it_with_that_reason_and_it_goes_on_when_lifted(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    # Room for stable alone: the version that was kept goes as the next one comes, and would leave its place.
    quota = f'{{"spec": {{"hard": {{"pods": "{moving.ready(moving.base)}"}}}}}}'
    moving.live.cluster.kubectl("patch", "resourcequota", "tenant", "--namespace", NAME, "--type=merge", f"-p={quota}")
    # The ReplicaSet tries ever more rarely, also once it could: the later it is lifted, the longer that takes.
    sooner = '{"spec": {"analysis": {"progressDeadline": "30s"}}}'
    moving.live.cluster.kubectl(
        "patch", "modelrelease", "sentiment", "--namespace", NAME, "--type=merge", f"-p={sooner}"
    )
    try:
        moving.move(version)
        eventually(lambda: moving.status["phase"] == "Paused", 150)
        assert moving.status["reason"] == "Blocked"
        assert "exceeded quota" in moving.status["message"]
    finally:
        moving.reapply()
    with load(moving.host) as counted:
        eventually(lambda: moving.stable(version), 180)
    assert counted.lost == 0, counted.faults


def test_a_scaled_stable_version_is_promoted_under_load_without_losing_capacity_or_a_request(moving: Trial) -> None:
    before, version = moving.settle(), moving.copy()
    scaler = f"sentiment-v{before}"
    more = '{"spec": {"minReplicas": 3}}'
    moving.live.cluster.kubectl("patch", "hpa", scaler, "--namespace", NAME, "--type=merge", f"-p={more}")
    eventually(lambda: moving.ready(before) == 3, 180)
    seen: list[tuple[set[str], int, int]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            seen.append((moving.live.served(NAME), moving.ready(before), moving.ready(version)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with load(moving.host) as counted:
            moving.move(version)
            eventually(lambda: moving.stable(version), 180)
    finally:
        over.set()
        watcher.join()
    assert counted.lost == 0, counted.faults
    for served, old, new in seen:
        assert str(before) not in served or old >= 3, seen
        assert served != {str(version)} or new >= 3, seen


def test_a_canary_whose_metrics_cannot_be_read_waits_and_is_promoted_once_they_can(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    with load(moving.host) as counted:
        moving.move(version)
        eventually(lambda: moving.canary(version) == 10, 120, 0.1)
        # Nobody but the gateway may ask a predictor.
        closed = '[{"op": "remove", "path": "/spec/ingress/1"}]'
        moving.live.cluster.kubectl(
            *("patch", "networkpolicy", "predictor", "--namespace", NAME, "--type=json", f"-p={closed}")
        )
        try:
            eventually(lambda: "MetricsUnavailable" in str(moving.status["conditions"]), 30)
            weight = moving.canary(version)
            time.sleep(10)
            assert moving.canary(version) == weight > 0
        finally:
            moving.reapply()
        eventually(lambda: moving.stable(version), 120)
    assert counted.lost == 0, counted.faults


# Before those that kill: what died often just before is started anew ever later.
@on_this_machine
def test_an_api_server_that_stands_still_for_a_minute_delays_a_canary_and_no_tenant_notices(moving: Trial) -> None:
    with _a_canary_that_is_promoted(moving):
        stand_still(60, "bin/kube-apiserver", "--etcd-servers")


@on_this_machine
def test_a_controller_killed_at_every_state_goes_on_and_does_nothing_twice(moving: Trial) -> None:
    moving.settle()
    version = moving.copy()
    states: list[str] = []
    with load(moving.host) as counted:
        moving.move(version)
        deadline = time.monotonic() + 240
        while not moving.stable(version) and time.monotonic() < deadline:
            held = moving.status
            state = f"{held['phase']} {held.get('canary', {}).get('step', '')}"
            if held.get("target") == version and state not in states:
                states.append(state)
                assert kill(CONTROLLER, moving.leader()) == 1
            time.sleep(0.05)
    assert moving.phases(version) == ["Verifying", *["Canary"] * 3, "Promoting", "Stable"], states
    assert len(states) >= 4
    assert counted.lost == 0, counted.faults
    told = [found["reason"] for found in _events(moving) if f"version {version} gets" in found["message"]]
    assert len(told) == len(set(told)) or told.count("Successful") <= 2


@on_this_machine
def test_an_api_server_and_etcd_that_restart_during_a_canary_delay_it_and_no_tenant_notices(moving: Trial) -> None:
    with _a_canary_that_is_promoted(moving):
        assert kill("bin/etcd", "--data-dir") == 1
        assert kill("bin/kube-apiserver", "--etcd-servers") == 1


def test_the_controller_reads_no_secret_and_writes_nowhere_but_in_tenants(moving: Trial) -> None:
    account = "--as=system:serviceaccount:release:release-controller"

    def may(verb: str, resource: str, *place: str) -> bool:
        with_resource = moving.live.cluster
        try:
            return with_resource.kubectl("auth", "can-i", verb, resource, account, *place).strip() == "yes"
        except Exception as error:  # kubectl says no by its exit code
            return "yes" in str(error)

    assert may("create", "inferenceservices.serving.kserve.io", "--namespace", NAME)
    assert may("update", "modelreleases.ferryman.dev", "--subresource=status", "--namespace", NAME)
    for verb in ("get", "list"):
        for namespace in (NAME, "release", "mlflow", "minio", "training"):
            assert not may(verb, "secrets", "--namespace", namespace)
    for resource in ("inferenceservices.serving.kserve.io", "services", "httproutes.gateway.networking.k8s.io"):
        for namespace in ("default", "gateway", "release", "mlflow"):
            assert not may("create", resource, "--namespace", namespace)
    assert not may("update", "modelreleases.ferryman.dev", "--namespace", NAME)
    assert not may("create", "pods", "--namespace", NAME)


@on_this_machine
def test_a_node_that_restarts_during_a_canary_goes_on_with_it_and_brings_everything_back(moving: Trial) -> None:
    live = moving.live
    moving.settle()
    version = moving.copy()
    before = {tenant: live.served(tenant) for tenant in TENANTS}
    with load(moving.host):
        moving.move(version)
        eventually(lambda: moving.canary(version) == 10, 120, 0.1)
    subprocess.run(shlex.split(os.environ["E2E_RESTART"]), check=True, timeout=300)
    eventually(lambda: moving.ready(version) and moving.ready(moving.base), 180, 1)
    with load(moving.host) as counted:
        eventually(lambda: moving.stable(version), 180)
    assert moving.phases(version) == ["Verifying", *["Canary"] * 3, "Promoting", "Stable"]
    assert counted.versions[str(version)] > 0
    for tenant in TENANTS:
        eventually(lambda name=tenant: len(live.predictors(name)) >= 2, 180, 2)
        eventually(lambda name=tenant: all(answer[0] == 200 for answer in live.ask(name).values()), 120, 2)
    assert {tenant: live.served(tenant) for tenant in TENANTS} == before
    for namespace, workload in (
        ("mlflow", "deployment/mlflow"),
        ("mlflow", "statefulset/postgresql"),
        ("minio", "statefulset/minio"),
    ):
        live.cluster.kubectl("rollout", "status", workload, "--namespace", namespace, "--timeout=180s", seconds=190)
    # The registry and the object store still hold what they held.
    live.rollout(min(int(found) for found in before["tenant-a"]), "tenant-a")


@contextmanager
def _a_canary_that_is_promoted(moving: Trial) -> Iterator[None]:
    """Under load: it has a tenth of the requests when the block begins, and whatever that does costs no request."""
    moving.settle()
    version = moving.copy()
    gateway = moving.live.cluster.get("service", "gateway", "gateway")["spec"]["clusterIP"]
    with load_of_the_node(gateway, moving.host) as counted:
        moving.move(version)
        eventually(lambda: moving.canary(version) == 10, 120, 0.1)
        yield
        eventually(lambda: moving.stable(version), 180)
    assert moving.phases(version) == ["Verifying", *["Canary"] * 3, "Promoting", "Stable"]
    assert counted.lost == 0, counted.faults


def _events(moving: Trial) -> list[dict[str, object]]:
    said = moving.live.cluster.kubectl("get", "events", "--namespace", NAME, "--output=json")
    return list(json.loads(said)["items"])
