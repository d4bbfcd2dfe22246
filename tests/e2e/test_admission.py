"""What a tenant may not have is refused with a message that says what to change (server-side dry runs)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from live import Live
from pods import pod

from infra.platform.errors import PlatformError
from infra.platform.manifests import build
from infra.platform.tenant import TENANTS
from release.platforms.kubernetes.objects import http_route, inference_service
from release.spec import ReleaseSpec
from release.status import VersionRef

IMAGE = "predictor"


def _spec() -> ReleaseSpec:
    found = next(each for each in build(TENANTS / "tenant-a") if each["kind"] == "ModelRelease")
    return ReleaseSpec.model_validate(found["spec"])


def _unowned(made: dict[str, Any]) -> dict[str, Any]:
    made["metadata"] |= {"namespace": "tenant-a", "ownerReferences": []}
    return made


def _service() -> dict[str, Any]:
    artifact = VersionRef(version=99, digest="0" * 64, storage_uri="s3://released/sentiment/99-000000000000/")
    return _unowned(inference_service(_spec(), {}, artifact))


def _route() -> dict[str, Any]:
    return _unowned(http_route(_spec(), {}, {99: 100}))


def _kubernetes_service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "tried", "namespace": "tenant-a"},
        "spec": {"selector": {"app": "tried"}, "ports": [{"port": 80}]},
    }


def _changed(made: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(made)
    *parents, last = path.split("/")
    place: Any = changed
    for part in parents:
        place = place[int(part)] if part.isdecimal() else place.setdefault(part, {})
    place[last] = value
    return changed


URI = "spec/predictor/model/storageUri"
SERVICES = {
    "another bucket": (URI, "s3://mlflow/1/models/m-1/artifacts/", "must name a published artifact"),
    "another scheme": (URI, "https://example.com/model.pkl", "must name a published artifact"),
    "no version and digest": (URI, "s3://released/sentiment/", "must name a published artifact"),
    "a model that it does not follow": (URI, "s3://released/other/1-000000000000/", "this namespace follows sentiment"),
    "a model whose name begins alike": (URI, "s3://released/sentiment2/1-000000000000/", "follows sentiment"),
    "another runtime": ("spec/predictor/model/runtime", "kserve-sklearnserver", "must both be `ferryman`"),
    "another initializer": ("spec/predictor/storageContainerName", "default", "must both be `ferryman`"),
    "another account": ("spec/predictor/serviceAccountName", "default", "must be `predictor`"),
    "an image of its own": ("spec/predictor/model/image", "evil", "are the runtime's"),
    "a variable of its own": ("spec/predictor/model/env", [{"name": "A", "value": "b"}], "are the runtime's"),
    "a volume of the host": (
        "spec/predictor/volumes",
        [{"name": "host", "hostPath": {"path": "/"}}],
        "are the runtime's",
    ),
    "the host's network": ("spec/predictor/hostNetwork", True, "hostNetwork, hostPID and hostIPC must not be set"),
    "a transformer": ("spec/transformer", {"containers": [{"name": "a", "image": "b"}]}, "only `predictor`"),
}
ROUTES = {
    "another tenant's hostname": ("spec/hostnames", ["tenant-b.example.com"], "must be [tenant-a."),
    "no hostname": ("spec/hostnames", [], "must be [tenant-a."),
    "another gateway": (
        "spec/parentRefs",
        [{"name": "other", "namespace": "gateway"}],
        "must be the Gateway `gateway`",
    ),
    "another namespace's Service": ("spec/rules/1/backendRefs/0/namespace", "tenant-b", "Services of this namespace"),
    "a mirror": (
        "spec/rules/1/filters",
        [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "a", "port": 80}}}],
        "may change headers only",
    ),
}
KUBERNETES_SERVICES = {
    "a node port": ("spec/type", "NodePort", "use ClusterIP"),
    "a load balancer": ("spec/type", "LoadBalancer", "use ClusterIP"),
    "a name elsewhere": ("spec", {"type": "ExternalName", "externalName": "minio.minio"}, "use ClusterIP"),
    "an external address": ("spec/externalIPs", ["192.0.2.9"], "externalIPs must be empty"),
    "no pods of its own": ("spec/selector", {}, "spec.selector must choose pods"),
}
CONTAINER = "spec/containers/0"
PODS = {
    "an image from elsewhere": (
        f"{CONTAINER}/image",
        "docker.io/library/busybox@sha256:" + "0" * 64,
        "run images from",
    ),
    "an image by tag": (f"{CONTAINER}/image", "{registry}/predictor:latest", "name it by digest"),
    "an image that need not be pulled": (f"{CONTAINER}/imagePullPolicy", "IfNotPresent", "must be Always"),
    "root": ("spec/securityContext/runAsUser", 0, "violates PodSecurity"),
    "privilege": (f"{CONTAINER}/securityContext/privileged", True, ""),
    "escalation": (f"{CONTAINER}/securityContext/allowPrivilegeEscalation", True, "allowPrivilegeEscalation"),
    "capabilities": (f"{CONTAINER}/securityContext/capabilities", {"add": ["NET_ADMIN"]}, "capabilities"),
    "no seccomp profile": ("spec/securityContext/seccompProfile", {"type": "Unconfined"}, "seccompProfile"),
    "the host's network": ("spec/hostNetwork", True, "hostNetwork"),
    "the host's processes": ("spec/hostPID", True, "hostPID"),
    "the host's memory": ("spec/hostIPC", True, "hostIPC"),
    "a port of the host": (f"{CONTAINER}/ports", [{"containerPort": 80, "hostPort": 80}], "hostPort"),
    "a folder of the host": ("spec/volumes", [{"name": "host", "hostPath": {"path": "/"}}], "hostPath"),
}


def _refused(live: Live, made: dict[str, Any], says: str) -> None:
    with pytest.raises(PlatformError, match=r"denied|forbidden|violates|invalid") as told:
        _tried(live, made)
    assert says in " ".join(str(told.value).split())


def _tried(live: Live, made: dict[str, Any]) -> None:
    import yaml

    live.cluster.kubectl("create", "--dry-run=server", "-f", "-", given=yaml.safe_dump(made))


def test_what_a_tenant_is_made_of_is_admitted(live: Live) -> None:
    """The control: without it, a policy that refuses everything would pass every test below."""
    _tried(live, _changed(_service(), "metadata/name", "tried"))
    _tried(live, _changed(_changed(_route(), "metadata/name", "tried"), "spec/hostnames", [live.host("tenant-a")]))
    _tried(live, _kubernetes_service())
    _tried(live, pod("tried", "tenant-a", live.images["predictor"]))


@pytest.mark.parametrize("case", SERVICES)
def test_an_inference_service_is_refused_with(live: Live, case: str) -> None:
    path, value, says = SERVICES[case]
    _refused(live, _changed(_changed(_service(), "metadata/name", "tried"), path, value), says)


@pytest.mark.parametrize("case", ROUTES)
def test_a_route_is_refused_with(live: Live, case: str) -> None:
    path, value, says = ROUTES[case]
    made = _changed(_changed(_route(), "metadata/name", "tried"), "spec/hostnames", [live.host("tenant-a")])
    _refused(live, _changed(made, path, value), says)


@pytest.mark.parametrize("kind", ["Gateway", "GRPCRoute", "ReferenceGrant"])
def test_a_tenant_has_no(live: Live, kind: str) -> None:
    specs = {
        "Gateway": ("v1", {"gatewayClassName": "traefik", "listeners": [{"name": "a", "port": 1, "protocol": "HTTP"}]}),
        "GRPCRoute": ("v1", {}),
        "ReferenceGrant": (
            "v1beta1",
            {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "tenant-b"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        ),
    }
    version, spec = specs[kind]
    metadata = {"name": "tried", "namespace": "tenant-a"}
    made = {"apiVersion": f"gateway.networking.k8s.io/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    _refused(live, made, "is not used in a tenant")


@pytest.mark.parametrize("case", KUBERNETES_SERVICES)
def test_a_service_is_refused_with(live: Live, case: str) -> None:
    path, value, says = KUBERNETES_SERVICES[case]
    _refused(live, _changed(_kubernetes_service(), path, value), says)


@pytest.mark.parametrize("case", PODS)
def test_a_pod_is_refused_with(live: Live, case: str) -> None:
    path, value, says = PODS[case]
    if isinstance(value, str):
        value = value.replace("{registry}", live.images["predictor"].rsplit("/", 1)[0])
    _refused(live, _changed(pod("tried", "tenant-a", live.images["predictor"]), path, value), says)


def test_the_quota_holds_every_replica_of_two_versions_and_no_pod_more(live: Live) -> None:
    used = live.cluster.get("resourcequota", "tenant", "tenant-a")["status"]
    assert set(used["hard"]) == set(used["used"]), "a quota that counts nothing"
    greedy = pod("tried", "tenant-a", live.images["predictor"])
    greedy["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "2", "memory": "1Gi"}
    greedy["spec"]["containers"][0]["resources"]["limits"] = {"memory": "1Gi"}
    more = copy.deepcopy(greedy)
    more["spec"]["containers"].append(copy.deepcopy(greedy["spec"]["containers"][0]) | {"name": "second"})
    _refused(live, more, "exceeded quota")


def test_a_pod_is_refused_with_another_account_that_exists(live: Live) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder", "namespace": "tenant-a"}}
    live.cluster.apply([account])
    try:
        made = _changed(pod("tried", "tenant-a", live.images["predictor"]), "spec/serviceAccountName", "builder")
        _refused(live, made, "must be `predictor` or `default`")
    finally:
        live.cluster.kubectl("delete", "serviceaccount", "builder", "--namespace=tenant-a")
