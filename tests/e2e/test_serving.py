"""Both tenants answer through the gateway, over every protocol."""

from __future__ import annotations

import pytest
from live import TENANTS, Live
from pods import eventually


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_answers_over_v1_v2_grpc_and_the_seed_api_through_the_gateway(serving: Live, tenant: str) -> None:
    said = serving.ask(tenant)
    version = next(iter(serving.served(tenant)))
    assert said["v1"] == [200, version, "positive"]
    assert said["v2"] == [200, version, "positive"]
    assert said["grpc"] == [200, version, "positive"]
    assert said["seed"] == [200, version, "positive", tenant]


def test_a_hostname_that_is_no_tenants_is_answered_by_nobody(serving: Live) -> None:
    said = serving.ask("nobody")
    assert all(answer[0] in (0, 404) for answer in said.values()), said


def test_the_initializer_leaves_what_it_verified_beside_the_model(serving: Live) -> None:
    found = serving.predictors("tenant-a")[0]
    name = found["metadata"]["name"]
    said = serving.cluster.kubectl(
        "exec", "--namespace=tenant-a", name, "--container=kserve-container", "--", "cat", "/mnt/models/verified.json"
    )
    uri = found["metadata"]["annotations"]["internal.serving.kserve.io/storage-initializer-sourceuri"]
    assert f'"storageUri": "{uri}"' in said
    assert '"digest": "' + uri.rstrip("/").rsplit("-", 1)[1] in said


def test_predictors_have_two_replicas_a_disruption_budget_and_no_token(serving: Live) -> None:
    found = serving.predictors("tenant-a")
    assert len(found) >= 2
    assert all(not any("projected" in volume for volume in pod["spec"]["volumes"]) for pod in found)
    eventually(
        lambda: serving.cluster.get("poddisruptionbudget", "sentiment", "tenant-a")["status"]["currentHealthy"] >= 2
    )


def test_an_altered_artifact_is_refused_and_the_inference_service_says_why_in_one_line(serving: Live) -> None:
    served = serving.cluster.find("inferenceservice", "ferryman.dev/model=sentiment", "tenant-b")[0]
    old = served["spec"]["predictor"]["model"]["storageUri"].removeprefix("s3://released/")
    new = f"{old[:-13]}000000000000/"
    with serving.s3("release", "publisher") as s3:
        for found in s3.list_objects_v2(Bucket="released", Prefix=old)["Contents"]:
            body = s3.get_object(Bucket="released", Key=found["Key"])["Body"].read()
            body += b" " * found["Key"].endswith("/MLmodel")
            s3.put_object(Bucket="released", Key=found["Key"].replace(old, new), Body=body)
    predictor = served["spec"]["predictor"] | {"minReplicas": 1}
    predictor["model"] = predictor["model"] | {"storageUri": f"s3://released/{new}"}
    annotations = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "external"}
    made = {
        "apiVersion": served["apiVersion"],
        "kind": served["kind"],
        "metadata": {"name": "refused", "namespace": "tenant-b", "annotations": annotations},
        "spec": {"predictor": predictor},
    }
    serving.cluster.apply([made])
    try:

        def reason() -> str:
            status = serving.cluster.get("inferenceservice", "refused", "tenant-b")["status"]
            return str(status["modelStatus"]["lastFailureInfo"]["message"]).strip()

        eventually(lambda: reason().startswith("refused: "), seconds=60)
        assert "is not what was signed" in reason()
        assert len(reason().splitlines()) == 1
    finally:
        serving.cluster.kubectl("delete", "inferenceservice", "refused", "--namespace=tenant-b")
