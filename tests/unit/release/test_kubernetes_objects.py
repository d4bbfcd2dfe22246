"""One version's objects, and the route over several."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from artifact import PublishedArtifact
from release.platforms.kubernetes.objects import name_of, route, version_objects, version_of

ARTIFACT = PublishedArtifact.of("sentiment", 7, "a" * 64)
LABELS = {"ferryman.dev/model": "sentiment", "ferryman.dev/tenant": "tenant-a"}


@pytest.fixture
def template() -> list[dict[str, Any]]:
    def made(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        return {"kind": kind, "metadata": {"name": "sentiment", "labels": dict(LABELS)}, "spec": spec}

    return [
        made("Service", {"selector": {"app": "isvc.sentiment-predictor"}}),
        made("HorizontalPodAutoscaler", {"minReplicas": 2, "scaleTargetRef": {"name": "sentiment-predictor"}}),
        made("HTTPRoute", {"hostnames": ["tenant-a.example.com"], "parentRefs": [{"name": "gateway"}]}),
        made("InferenceService", {"predictor": {"minReplicas": 2, "model": {"runtime": "ferryman"}}}),
    ]


def test_every_object_of_a_version_has_its_name_label_and_target(template: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(template)
    service, scaler, inference = version_objects(template, ARTIFACT, 0)
    assert service["metadata"]["name"] == "sentiment-v7-grpc"
    assert service["spec"]["selector"] == {"app": "isvc.sentiment-v7-predictor"}
    assert scaler["spec"]["scaleTargetRef"]["name"] == "sentiment-v7-predictor"
    assert inference["metadata"]["name"] == scaler["metadata"]["name"] == name_of("sentiment", 7) == "sentiment-v7"
    assert inference["spec"]["predictor"]["model"]["storageUri"] == ARTIFACT.uri
    assert {version_of(found) for found in (service, scaler, inference)} == {7}
    assert template == before, "the template was changed"


@pytest.mark.parametrize(("serving", "expected"), [(0, 2), (2, 2), (6, 6)])
def test_a_version_begins_with_as_many_replicas_as_serve_now(
    template: list[dict[str, Any]], serving: int, expected: int
) -> None:
    _, scaler, inference = version_objects(template, ARTIFACT, serving)
    assert scaler["spec"]["minReplicas"] == inference["spec"]["predictor"]["minReplicas"] == expected


def test_a_route_weighs_rest_and_grpc_alike(template: list[dict[str, Any]]) -> None:
    made = route(template, "sentiment", {8: 5, 7: 95})
    grpc, rest = made["spec"]["rules"]
    assert grpc["matches"][0]["path"]["value"] == "/inference.GRPCInferenceService"
    weights = [(backend["name"], backend["port"], backend["weight"]) for backend in grpc["backendRefs"]]
    assert weights == [("sentiment-v7-grpc", 8081, 95), ("sentiment-v8-grpc", 8081, 5)]
    weights = [(backend["name"], backend["port"], backend["weight"]) for backend in rest["backendRefs"]]
    assert weights == [("sentiment-v7-predictor", 80, 95), ("sentiment-v8-predictor", 80, 5)]
    assert made["spec"]["hostnames"] == ["tenant-a.example.com"]
