"""The Kubernetes multi-tenancy working group's benchmarks, by their ids, for an operator of tenant-a.

Source: the table of benchmarks and the README of each in the repository kubernetes-retired/multi-tenancy. Upstream gave
the id MTB-PL1-BC-HI-1 to two checks. What upstream left as drafts has no id there and is named `draft` here.
"""

from __future__ import annotations

from typing import Any

import pytest
from live import Live
from pods import pod, run, start
from test_access import ask
from test_admission import _changed, _kubernetes_service, _refused

OPERATOR = ["tenant-a:operators"]
CONTAINER = "spec/containers/0"
PODS: dict[str, tuple[str, Any, str]] = {
    "MTB-PL1-BC-CPI-3 block added capabilities": (
        f"{CONTAINER}/securityContext/capabilities",
        {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
        "capabilities",
    ),
    "MTB-PL1-CC-DI-1 require that images are pulled": (
        f"{CONTAINER}/imagePullPolicy",
        "IfNotPresent",
        "must be Always",
    ),
    "MTB-PL1-BC-CPI-4 require a user that is not root": ("spec/securityContext/runAsNonRoot", False, "runAsNonRoot"),
    "MTB-PL1-BC-CPI-5 block privileged containers": (f"{CONTAINER}/securityContext/privileged", True, ""),
    "MTB-PL1-BC-CPI-6 block privilege escalation": (
        f"{CONTAINER}/securityContext/allowPrivilegeEscalation",
        True,
        "allowPrivilegeEscalation",
    ),
    "MTB-PL1-BC-HI-1 block volumes of the host": (
        "spec/volumes",
        [{"name": "host", "hostPath": {"path": "/"}}],
        "hostPath",
    ),
    "MTB-PL1-BC-HI-3 block the host's network": ("spec/hostNetwork", True, "hostNetwork"),
    "MTB-PL1-BC-HI-3 block ports of the host": (
        f"{CONTAINER}/ports",
        [{"containerPort": 80, "hostPort": 80}],
        "hostPort",
    ),
    "MTB-PL1-BC-HI-4 block the host's processes": ("spec/hostPID", True, "hostPID"),
    "MTB-PL1-BC-HI-5 block the host's memory": ("spec/hostIPC", True, "hostIPC"),
}


@pytest.mark.parametrize("check", PODS)
def test(live: Live, check: str) -> None:
    path, value, says = PODS[check]
    _refused(live, _changed(pod("tried", "tenant-a", live.images["predictor"]), path, value), says)


def test_mtb_pl1_cc_cpi_1_block_access_to_cluster_resources(live: Live) -> None:
    listed = live.cluster.kubectl(
        "api-resources", "--namespaced=false", "--verbs=list", "--no-headers", "--output=name"
    )
    kinds = [line.partition(".") for line in listed.split()]
    questions = [
        (verb, f"{group}/{name}" if group else name, "")
        for name, _, group in kinds
        for verb in ("list", "create", "delete")
    ]
    assert len(questions) > 60
    answers = ask(live, OPERATOR, questions)
    assert [question for question, allowed in zip(questions, answers, strict=True) if allowed] == []


def test_mtb_pl1_bc_cpi_2_block_access_to_multitenant_resources(live: Live) -> None:
    kinds = ("networking.k8s.io/networkpolicies", "rbac.authorization.k8s.io/rolebindings", "limitranges")
    questions = [(verb, kind, "tenant-a") for kind in kinds for verb in ("create", "update", "patch", "delete")]
    assert not any(ask(live, OPERATOR, questions))


def test_mtb_pl1_cc_fns_1_configure_namespace_resource_quotas(live: Live) -> None:
    hard = live.cluster.get("resourcequota", "tenant", "tenant-a")["spec"]["hard"]
    assert {"requests.cpu", "requests.memory", "limits.memory", "requests.storage"} <= set(hard)


def test_mtb_pl1_cc_fns_2_configure_namespace_object_limits(live: Live) -> None:
    hard = live.cluster.get("resourcequota", "tenant", "tenant-a")["spec"]["hard"]
    counted = {"pods", "services", "services.nodeports", "services.loadbalancers", "secrets", "configmaps"}
    assert counted | {"persistentvolumeclaims"} <= set(hard)


def test_mtb_pl1_bc_hi_1_block_node_port_services(live: Live) -> None:
    _refused(live, _changed(_kubernetes_service(), "spec/type", "NodePort"), "use ClusterIP")


def test_mtb_pl1_cc_ti_1_block_modification_of_resource_quotas(live: Live) -> None:
    questions = [(verb, "resourcequotas", "tenant-a") for verb in ("create", "update", "patch", "delete")]
    assert not any(ask(live, OPERATOR, questions))


def test_mtb_pl1_cc_ti_2_block_access_to_other_tenants_resources_draft(live: Live) -> None:
    kinds = (
        "pods",
        "secrets",
        "services",
        "serving.kserve.io/inferenceservices",
        "gateway.networking.k8s.io/httproutes",
    )
    questions = [(verb, kind, "tenant-b") for kind in kinds for verb in ("get", "list", "create", "patch", "delete")]
    assert not any(ask(live, OPERATOR, questions))


def test_mtb_pl2_cc_ti_1_block_role_privilege_escalation(live: Live) -> None:
    rbac = "rbac.authorization.k8s.io"
    questions = [
        (verb, f"{rbac}/{kind}", "tenant-a") for verb in ("escalate", "bind") for kind in ("roles", "clusterroles")
    ]
    assert not any(ask(live, OPERATOR, questions))


def test_draft_require_claims_for_storage_and_block_existing_volumes(live: Live) -> None:
    """A tenant has no storage at all: its quota is 0, and `restricted` admits no volume but claims and the like."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "tried", "namespace": "tenant-a"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    _refused(live, claim, "exceeded quota")
    nfs = [{"name": "share", "nfs": {"server": "192.0.2.9", "path": "/"}}]
    _refused(live, _changed(pod("tried", "tenant-a", live.images["predictor"]), "spec/volumes", nfs), "nfs")


def test_draft_block_network_access_across_tenants(serving: Live) -> None:
    theirs = serving.predictors("tenant-b")[0]["status"]["podIP"]
    start(serving.cluster, pod("neighbour", "tenant-a", serving.images["predictor"]))
    try:
        assert run(serving.cluster, "tenant-a", "neighbour", "probe.py", f"{theirs}:8080") == {f"{theirs}:8080": False}
    finally:
        serving.cluster.kubectl("delete", "pod", "neighbour", "--namespace=tenant-a", "--wait=false")


SELF_SERVICE = "the platform owns a tenant's {}: letting tenants write their own is profile 2, which is not aimed at"


@pytest.mark.skip(SELF_SERVICE.format("network policies"))
def test_mtb_pl2_bc_ops_4_self_service_of_network_policies() -> None: ...


@pytest.mark.skip(SELF_SERVICE.format("role bindings"))
def test_mtb_pl2_bc_ops_3_self_service_of_role_bindings() -> None: ...


@pytest.mark.skip(
    "pending upstream, never implemented there: reclaim policies are the cluster's, tenants have no volumes"
)
def test_draft_require_reclaim_policy_delete() -> None: ...
