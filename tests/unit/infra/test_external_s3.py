"""The platform on a bucket of AWS, made from the manifests as they are."""

from __future__ import annotations

import json
import shutil
from typing import Any

import kubernetes_validate
import pytest

from infra.platform.__main__ import main
from infra.platform.errors import PlatformError
from infra.platform.external_s3 import ExternalS3, with_external_s3
from infra.platform.manifests import ROOT, build

S3 = ExternalS3("ferryman-models", "eu-central-1", ("52.219.0.0/16", "3.5.134.0/23"))
SPEAKING = {
    ("mlflow", "mlflow"),
    ("release", "release-controller"),
    ("tenant-a", "predictor"),
    ("training", "training"),
}

Objects = list[dict[str, Any]]

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")


@pytest.fixture(scope="module")
def objects() -> Objects:
    """The platform and a tenant."""
    return with_external_s3(build(ROOT / "infra/platform") + build(ROOT / "kserve/tenants/tenant-a"), S3)


def _one(objects: Objects, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    [found] = [
        each
        for each in objects
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
        and namespace in (None, each["metadata"].get("namespace"))
    ]
    return found


def _container(objects: Objects, name: str) -> dict[str, Any]:
    [container] = _one(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]
    return dict(container)


@needs_kubectl
def test_nothing_of_minio_is_left(objects: Objects) -> None:
    left = [each for each in objects if '"minio' in json.dumps(each) or "minio.minio" in json.dumps(each)]
    assert [f"{each['kind']} {each['metadata']['name']}" for each in left] == []
    before = build(ROOT / "infra/platform")
    assert any("minio.minio" in json.dumps(each) for each in before)


@needs_kubectl
def test_pods_reach_s3_and_their_nodes_agent_instead_of_minio(objects: Objects) -> None:
    ways = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["spec"]["egress"]
        for each in objects
        if each["kind"] == "NetworkPolicy" and "52.219.0.0/16" in json.dumps(each)
    }
    assert set(ways) == SPEAKING
    for egress in ways.values():
        blocks = [rule for rule in egress if any("ipBlock" in to for to in rule.get("to", ()))]
        assert blocks == [
            {
                "to": [{"ipBlock": {"cidr": "52.219.0.0/16"}}, {"ipBlock": {"cidr": "3.5.134.0/23"}}],
                "ports": [{"protocol": "TCP", "port": 443}],
            },
            {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"protocol": "TCP", "port": 80}]},
        ]


@needs_kubectl
def test_pods_have_an_account_instead_of_keys(objects: Objects) -> None:
    for name in ("mlflow", "release-controller"):
        container = _container(objects, name)
        assert {each["name"] for each in container["env"]}.isdisjoint(
            {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLFLOW_S3_ENDPOINT_URL"}
        )
        assert {"name": "FERRYMAN_S3_BUCKET", "value": "ferryman-models"} in container["env"]
    assert _container(objects, "release-controller")["envFrom"] == [{"secretRef": {"name": "registry"}}]
    assert "--artifacts-destination=s3://ferryman-models/mlflow" in _container(objects, "mlflow")["args"]
    account = _one(objects, "ServiceAccount", "predictor", "tenant-a")
    assert "secrets" not in account
    assert account["automountServiceAccountToken"] is False


@needs_kubectl
def test_the_accounts_are_those_that_terraform_gives_roles(objects: Objects) -> None:
    assert _one(objects, "Deployment", "mlflow")["spec"]["template"]["spec"]["serviceAccountName"] == "mlflow"
    assert _one(objects, "ServiceAccount", "mlflow", "mlflow")
    given = (ROOT / "infra/terraform/modules/storage/main.tf").read_text()
    for namespace, account in (("mlflow", "mlflow"), ("release", "release-controller")):
        assert f'namespace       = "{namespace}"\n  service_account = "{account}"' in given
    assert 'namespace       = each.key\n  service_account = "predictor"' in given


@needs_kubectl
def test_the_initializer_is_told_the_bucket(objects: Objects) -> None:
    container = _one(objects, "ClusterStorageContainer", "ferryman")["spec"]["container"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["FERRYMAN_S3_BUCKET"] == "ferryman-models"
    assert told["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert told["FERRYMAN_TRUSTED_KEYS"] == "/etc/ferryman/trust"


@needs_kubectl
def test_kubernetes_takes_what_was_changed(objects: Objects) -> None:
    changed = [each for each in objects if each["kind"] in ("NetworkPolicy", "Deployment", "ServiceAccount")]
    assert len(changed) > 15
    for each in changed:
        kubernetes_validate.validate(each, "1.34", strict=True)


def test_what_the_cluster_remembers_is_what_it_was_given() -> None:
    assert ExternalS3.from_json(S3.to_json()) == S3


@pytest.mark.parametrize(
    ("cidrs", "said"), [((), "reach no S3"), (("0.0.0.0/0",), "whole internet"), (("10.0.0.300/8",), "10.0.0.300/8")]
)
def test_addresses_that_open_everything_or_nothing_are_refused(cidrs: tuple[str, ...], said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        ExternalS3("bucket", "eu-central-1", cidrs)


@needs_kubectl
def test_a_bucket_without_its_region_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert main(["install", "--images", str(tmp_path / "images.json"), "--s3", "models"]) == 1
    assert "--s3 needs --s3-region and --s3-cidrs" in capsys.readouterr().err
