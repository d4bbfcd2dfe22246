"""Every manifest builds, and every object in it is one that Kubernetes, or the CRD it belongs to, would take."""

from __future__ import annotations

import functools
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from schemas import fault

from infra.platform.manifests import ROOT, build, substitute
from infra.platform.tenant import models_of, tenants, write_overlay
from release.platforms.kubernetes.objects import autoscaler, grpc_service, http_route, inference_service
from release.spec import ReleaseSpec
from release.status import VersionRef

IMAGES = dict.fromkeys(
    tomllib.loads((ROOT / "infra" / "node" / "images.toml").read_text()),
    "registry/name@sha256:0",
)
FOLDERS = sorted(
    str(found.parent.relative_to(ROOT))
    for place in ("kserve", "infra/platform", "infra/https-only")
    for found in (ROOT / place).rglob("kustomization.yaml")
    # A component builds as a part of others only.
    if "kind: Kustomization" in found.read_text()
)

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
pytestmark = needs_kubectl


@functools.cache
def built(folder: str) -> list[dict[str, Any]]:
    return substitute(build(ROOT / folder), IMAGES, "example.org")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_builds(folder: str) -> None:
    assert built(folder)


def released() -> ReleaseSpec:
    """What tenant-a's ModelRelease asks for."""
    found = next(each for each in built("kserve/tenants/tenant-a") if each["kind"] == "ModelRelease")
    return ReleaseSpec.model_validate(found["spec"])


def of_a_version() -> list[dict[str, Any]]:
    """What the release controller makes of it."""
    owner = {"apiVersion": "ferryman.dev/v1alpha1", "kind": "ModelRelease", "name": "sentiment", "uid": "u"}
    artifact = VersionRef(version=7, digest="a" * 64, storage_uri="s3://released/sentiment/7-aaaaaaaaaaaa/")
    spec = released()
    return [
        inference_service(spec, owner, artifact),
        autoscaler(spec, owner, 7, 3),
        grpc_service(spec, owner, 7),
        http_route(spec, owner, {7: 90, 8: 10}),
    ]


def test_every_object_is_one_that_its_api_takes() -> None:
    if shutil.which("go") is None:
        pytest.skip("the CRDs come from Go modules, and go is not on PATH")
    objects = [found for folder in FOLDERS for found in built(folder)] + of_a_version()
    assert len(objects) > 60
    assert [said for found in objects if (said := fault(found))] == []


def test_a_misspelt_field_is_found() -> None:
    """The check above can fail."""
    if shutil.which("go") is None:
        pytest.skip("the CRDs come from Go modules, and go is not on PATH")
    release = next(each for each in built("kserve/tenants/tenant-a") if each["kind"] == "ModelRelease")
    for found in (*of_a_version(), release):
        assert fault(found) is None
        assert fault({**found, "spec": {**found["spec"], "minReplica": 2}}), found["kind"]


def test_a_tenants_quota_holds_two_full_versions_and_a_surge() -> None:
    objects = built("kserve/tenants/tenant-a")
    hard = next(found for found in objects if found["kind"] == "ResourceQuota")["spec"]["hard"]
    runtime = next(found for found in built("kserve/runtime") if found["kind"] == "ClusterServingRuntime")
    resources = runtime["spec"]["containers"][0]["resources"]
    pods = 2 * released().template["spec"]["predictor"]["maxReplicas"] + 2
    assert int(hard["pods"]) >= pods
    assert _milli(hard["requests.cpu"]) >= pods * _milli(resources["requests"]["cpu"])
    assert _mebi(hard["requests.memory"]) >= pods * _mebi(resources["requests"]["memory"])
    assert _mebi(hard["limits.memory"]) >= pods * _mebi(resources["limits"]["memory"])


def _milli(quantity: str) -> int:
    return int(quantity.removesuffix("m")) if quantity.endswith("m") else 1000 * int(quantity)


def _mebi(quantity: str) -> int:
    return 1024 * int(quantity.removesuffix("Gi")) if quantity.endswith("Gi") else int(quantity.removesuffix("Mi"))


def test_a_deployment_stops_later_than_its_pre_stop_and_its_grace() -> None:
    runtime = next(found for found in built("kserve/runtime") if found["kind"] == "ClusterServingRuntime")
    pause = runtime["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert released().template["spec"]["predictor"]["terminationGracePeriodSeconds"] >= pause + 25


def test_the_shipped_tenants_are_what_the_template_gives(tmp_path: Path) -> None:
    assert {"tenant-a", "tenant-b"} <= set(tenants())
    for name in ("tenant-a", "tenant-b"):
        assert write_overlay(name, tmp_path)
        for made in (tmp_path / name).rglob("*.yaml"):
            assert made.read_text() == (ROOT / "kserve/tenants" / name / made.relative_to(tmp_path / name)).read_text()
        assert models_of(built(f"kserve/tenants/{name}")) == ["sentiment"]


def test_every_name_of_a_tenant_and_its_host_is_its_own() -> None:
    for name, other in (("tenant-a", "tenant-b"), ("tenant-b", "tenant-a")):
        objects = built(f"kserve/tenants/{name}")
        assert other not in json.dumps(objects)
        release = next(found for found in objects if found["kind"] == "ModelRelease")
        assert release["spec"]["route"]["hostnames"] == [f"{name}.example.org"]


def listeners(folder: str) -> dict[str, dict[str, Any]]:
    gateway = next(found for found in built(folder) if found["kind"] == "Gateway")
    return {each["name"]: each for each in gateway["spec"]["listeners"]}


def test_with_https_only_tenants_attach_to_tls_alone_and_port_80_redirects() -> None:
    usual, only = listeners("infra/platform"), listeners("infra/https-only")
    assert only["https"] == usual["https"]
    assert usual["http"]["allowedRoutes"]["namespaces"] == usual["https"]["allowedRoutes"]["namespaces"]
    assert only["http"]["allowedRoutes"]["namespaces"] == {"from": "Same"}
    # A route that named a listener would not follow.
    assert all("sectionName" not in parent for parent in of_a_version()[-1]["spec"]["parentRefs"])
    added = [found for found in built("infra/https-only") if found not in built("infra/platform")]
    route = next(found for found in added if found["kind"] == "HTTPRoute")
    assert {found["kind"] for found in added} == {"HTTPRoute", "Gateway"}
    assert (route["metadata"]["namespace"], route["spec"]["parentRefs"][0]["sectionName"]) == ("gateway", "http")
    assert route["spec"]["hostnames"] == ["*.example.org"] == [only["http"]["hostname"]]


@pytest.mark.parametrize("issuer", ["acme", "self-signed"])
def test_an_issuer_comes_with_the_certificate_that_the_gateway_shows(issuer: str) -> None:
    objects = built(f"infra/platform/gateway/cert-manager/{issuer}")
    certificate = next(found for found in objects if found["metadata"]["name"] == "gateway")["spec"]
    assert any(
        (found["kind"], found["metadata"]["name"])
        == (certificate["issuerRef"]["kind"], certificate["issuerRef"]["name"])
        for found in objects
    )
    https = listeners("infra/platform")["https"]
    assert https["tls"]["certificateRefs"] == [{"name": certificate["secretName"]}]
    assert certificate["dnsNames"] == [https["hostname"]]
