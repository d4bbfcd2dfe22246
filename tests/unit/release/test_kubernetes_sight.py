"""What a release reads from the cluster's objects."""

from __future__ import annotations

from typing import Any

import pytest
from test_kubernetes_objects import OWNER, a_spec

from release.platforms.kubernetes import objects, sight
from release.platforms.kubernetes.gateway import own_errors

READY = {"type": "Ready", "status": "True"}


def a_pod(
    status: dict[str, Any] | None = None, *, leaving: bool = False, conditions: tuple[dict[str, Any], ...] = ()
) -> sight.Pod:
    metadata: dict[str, Any] = {"uid": "u", "labels": {"ferryman.dev/version": "7"}}
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return sight.pod({"metadata": metadata, "status": {"conditions": list(conditions), **(status or {})}})


def ending(container: str, code: int, message: str) -> dict[str, Any]:
    kind = "initContainerStatuses" if container == "storage-initializer" else "containerStatuses"
    ended = {"exitCode": code, "reason": "Error", "message": message}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}
    return {kind: [{"name": container, "state": {"waiting": waiting}, "lastState": {"terminated": ended}}]}


def test_a_container_that_keeps_ending_fails_the_version_with_its_last_words() -> None:
    refused = a_pod(ending("storage-initializer", 1, "refused: … is not what was signed\n"))
    assert sight.failed([refused]) == "storage-initializer: refused: … is not what was signed"
    silent = a_pod(ending("kserve-container", 137, ""))
    assert sight.failed([silent]) == "kserve-container: ended with exit code 137 (Error)"


def test_while_one_pod_is_ready_the_version_has_not_failed() -> None:
    assert sight.failed([a_pod(ending("kserve-container", 1, "")), a_pod(conditions=(READY,))]) is None


def test_an_object_store_that_is_down_and_a_full_node_hold_a_version_up_and_do_not_fail_it() -> None:
    deployment = sight.deployed({"metadata": {}, "spec": {"replicas": 2}})
    down = a_pod(ending("storage-initializer", 3, "refused: … cannot be downloaded"))
    full = a_pod(conditions=({"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient cpu"},))
    for pod, says in ((down, "cannot be downloaded"), (full, "Insufficient cpu")):
        assert sight.failed([pod]) is None
        assert says in str(sight.obstacle(deployment, [pod]))


def test_a_pod_that_leaves_is_not_ready_though_it_still_answers() -> None:
    assert a_pod(conditions=(READY,)).ready
    assert not a_pod(conditions=(READY,), leaving=True).ready


def test_a_quota_that_stops_pods_is_said_in_the_quotas_words() -> None:
    refusal = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: tenant, requested: pods=1"}
    status = {"readyReplicas": 1, "conditions": [{"type": "Available", "status": "True"}, refusal]}
    seen = sight.deployed({"metadata": {"labels": {"ferryman.dev/version": "7"}}, "spec": {}, "status": status})
    assert (seen.version, seen.ready) == (7, 1)
    assert "exceeded quota" in str(sight.obstacle(seen, []))


@pytest.mark.parametrize(
    ("conditions", "accepted"),
    [
        ({"Accepted": ("True", 3), "ResolvedRefs": ("True", 3)}, True),
        ({"Accepted": ("True", 2), "ResolvedRefs": ("True", 3)}, False),
        ({"Accepted": ("True", 3), "ResolvedRefs": ("False", 3)}, False),
        ({}, False),
    ],
)
def test_weights_are_in_force_once_the_gateway_has_taken_up_just_this_route(
    conditions: dict[str, tuple[str, int]], accepted: bool
) -> None:
    route = objects.http_route(a_spec(), OWNER, {7: 95, 8: 5})
    said = [{"type": kind, "status": word, "observedGeneration": at} for kind, (word, at) in conditions.items()]
    route["metadata"]["generation"] = 3
    route["status"] = {"parents": [{"conditions": said}]}
    assert sight.routed(route) == sight.Routed({7: 95, 8: 5}, accepted)


def test_a_route_that_somebody_else_wrote_gives_no_version_anything() -> None:
    route = objects.http_route(a_spec(), OWNER, {7: 100})
    route["spec"]["rules"][-1]["backendRefs"] = [{"name": "shadow", "port": 80}]
    route["metadata"]["generation"] = 1
    said = [{"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "ResolvedRefs")]
    route["status"] = {"parents": [{"conditions": said}]}
    assert sight.routed(route) == sight.Routed({}, True)


def test_only_what_the_gateway_itself_could_not_answer_counts_by_version() -> None:
    def line(code: int, tenant: str, service: str, count: int) -> str:
        route = f"httproute-{tenant}-sentiment-gw-gateway-gateway-ep-web-1-b1875ae9a5e4b1f5d2df"
        labels = (
            f'code="{code}",method="POST",protocol="http",service="{route}-svc-{tenant}-{service}@kubernetesgateway"'
        )
        return f"traefik_service_requests_total{{{labels}}} {count}"

    metrics = "\n".join(
        [
            line(502, "tenant-a", "sentiment-v8-predictor-1", 3),
            line(504, "tenant-a", "sentiment-v8-grpc-1", 1),
            line(500, "tenant-a", "sentiment-v8-predictor-1", 9),
            line(502, "tenant-b", "sentiment-v8-predictor-0", 2),
            'traefik_service_requests_total{code="502",method="GET",protocol="http",service="ping@internal"} 5',
        ]
    )
    assert own_errors(metrics) == {"tenant-a-sentiment-v8": 4, "tenant-b-sentiment-v8": 2}
