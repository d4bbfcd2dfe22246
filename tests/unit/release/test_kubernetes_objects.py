"""What a release owns on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from release.platforms.base import PlatformError
from release.platforms.kubernetes import names, objects
from release.spec import ReleaseSpec
from release.status import VersionRef

OWNER = {"apiVersion": "ferryman.dev/v1alpha1", "kind": "ModelRelease", "name": "sentiment", "uid": "u"}
ARTIFACT = VersionRef(version=7, digest="a" * 64, storage_uri="s3://released/sentiment/7-aaaaaaaaaaaa/")


def a_spec(**predictor: Any) -> ReleaseSpec:
    served = {"minReplicas": 2, "maxReplicas": 10, "model": {"runtime": "ferryman"}} | predictor
    return ReleaseSpec.model_validate(
        {
            "model": "sentiment",
            "route": {
                "hostnames": ["tenant-a.example.com"],
                "parentRefs": [{"name": "gateway", "namespace": "gateway"}],
            },
            "strategy": {"blueGreen": {}},
            "template": {"spec": {"predictor": served}},
        }
    )


def test_every_object_of_a_version_has_its_name_its_labels_and_the_release_as_its_owner() -> None:
    spec = a_spec()
    service = objects.inference_service(spec, OWNER, ARTIFACT)
    grpc = objects.grpc_service(spec, OWNER, 7)
    scaler = objects.autoscaler(spec, OWNER, 7, None)
    assert [made["metadata"]["name"] for made in (service, grpc, scaler)] == [
        "sentiment-v7",
        "sentiment-v7-grpc",
        "sentiment-v7",
    ]
    for made in (service, grpc, scaler):
        assert made["metadata"]["labels"] == {names.MODEL: "sentiment", names.VERSION: "7"}
        assert made["metadata"]["ownerReferences"] == [OWNER]
    assert service["spec"]["predictor"]["model"] == {"runtime": "ferryman", "storageUri": ARTIFACT.storage_uri}
    assert scaler["spec"]["scaleTargetRef"]["name"] == "sentiment-v7-predictor"
    assert grpc["spec"]["selector"] == {"app": "isvc.sentiment-v7-predictor"}
    assert spec == a_spec(), "the template was changed"


@pytest.mark.parametrize(("asked", "least"), [(None, 2), (1, 2), (6, 6), (99, 10)])
def test_a_version_has_as_many_replicas_as_serve_now_within_the_templates_bounds(asked: int | None, least: int) -> None:
    scaler = objects.autoscaler(a_spec(), OWNER, 7, asked)["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (least, 10)


def test_a_route_weighs_rest_and_grpc_alike_and_leaves_out_who_gets_nothing() -> None:
    made = objects.http_route(a_spec(), OWNER, {8: 5, 7: 95, 6: 0})
    grpc, rest = made["spec"]["rules"]
    assert grpc["matches"][0]["path"]["value"] == "/inference.GRPCInferenceService"
    assert [(b["name"], b["port"], b["weight"]) for b in grpc["backendRefs"]] == [
        ("sentiment-v7-grpc", 8081, 95),
        ("sentiment-v8-grpc", 8081, 5),
    ]
    assert [(b["name"], b["port"], b["weight"]) for b in rest["backendRefs"]] == [
        ("sentiment-v7-predictor", 80, 95),
        ("sentiment-v8-predictor", 80, 5),
    ]
    assert made["spec"]["hostnames"] == ["tenant-a.example.com"]
    assert made["metadata"]["ownerReferences"] == [OWNER]


def test_a_template_without_a_model_names_the_field() -> None:
    spec = a_spec().model_copy(update={"template": {"spec": {}}})
    with pytest.raises(PlatformError, match=r"spec\.template\.spec\.predictor\.model"):
        objects.inference_service(spec, OWNER, ARTIFACT)
