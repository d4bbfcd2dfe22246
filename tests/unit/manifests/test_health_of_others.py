"""Argo CD's checks of an InferenceService and of an Application, on statuses that their APIs know."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from argo_health import health
from schemas import fault

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")

TIME = "2026-01-01T00:00:00Z"
SPEC = {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://released/sentiment/7-0/"}}}
LOADED = {"states": {"activeModelState": "Loaded", "targetModelState": "Loaded"}, "transitionStatus": "UpToDate"}
PENDING = {"states": {"activeModelState": "", "targetModelState": "Pending"}, "transitionStatus": "InProgress"}
REFUSED = {
    "states": {"activeModelState": "", "targetModelState": "FailedToLoad"},
    "transitionStatus": "BlockedByFailedLoad",
    "lastFailureInfo": {"reason": "ModelLoadFailed", "message": "digest differs", "exitCode": 2},
}


def conditions(ready: str, *, stopped: str = "False", message: str = "") -> list[dict[str, str]]:
    more = {"reason": "MinimumReplicasUnavailable", "message": message} if message else {}
    return [
        {"type": "PredictorReady", "status": ready, "lastTransitionTime": TIME, **more},
        {"type": "Ready", "status": ready, "lastTransitionTime": TIME, **more},
        {"type": "Stopped", "status": stopped, "severity": "Info", "lastTransitionTime": TIME},
    ]


def service(**status: Any) -> dict[str, Any]:
    """An InferenceService in Standard mode with a status as KServe 0.20 writes it."""
    metadata = {"name": "sentiment-v7", "namespace": "tenant-a"}
    found = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": metadata, "spec": SPEC}
    return found | ({"status": status} if status else {})


STARTS = "Deployment does not have minimum availability."


SERVICES = [
    (service(), "Progressing", "KServe has not looked at it yet"),
    (service(conditions=conditions("False", message=STARTS), modelStatus=PENDING), "Progressing", STARTS),
    (
        service(conditions=conditions("True"), modelStatus=LOADED | {"copies": {"failedCopies": 0, "totalCopies": 2}}),
        "Healthy",
        "",
    ),
    # Standard mode may have no word on the model at all.
    (service(conditions=conditions("True")), "Healthy", ""),
    # What the release controller keeps without a pod: Ready, though its model waits for ever.
    (
        service(conditions=conditions("True"), modelStatus=PENDING | {"copies": {"failedCopies": 0, "totalCopies": 0}}),
        "Suspended",
        "kept without a pod",
    ),
    (service(conditions=conditions("False", message=STARTS), modelStatus=REFUSED), "Degraded", "digest differs"),
    (service(conditions=conditions("False", stopped="True"), modelStatus=PENDING), "Suspended", "stopped"),
]


@pytest.mark.parametrize(("found", "status", "message"), SERVICES)
def test_an_inference_service(found: dict[str, Any], status: str, message: str) -> None:
    assert health(found) == (status, message)


def application(**status: Any) -> dict[str, Any]:
    metadata = {"name": "platform", "namespace": "argocd"}
    source = {"repoURL": "https://git.test/f.git", "path": "infra/gitops/platform"}
    spec = {"project": "ferryman", "source": source, "destination": {"server": "https://kubernetes.default.svc"}}
    found = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    return found | ({"status": status} if status else {})


def operation(phase: str, message: str = "") -> dict[str, Any]:
    sync = {"revision": "abc"}
    return {"phase": phase, "message": message, "startedAt": TIME, "operation": {"sync": sync}}


APPLICATIONS = [
    (application(), "Progressing"),
    # Argo CD calls an Application without objects Healthy, before it has applied anything.
    (application(health={"status": "Healthy"}), "Progressing"),
    (application(health={"status": "Healthy"}, operationState=operation("Running")), "Progressing"),
    (application(health={"status": "Healthy"}, operationState=operation("Failed", "no such kind")), "Degraded"),
    (application(operationState=operation("Succeeded")), "Progressing"),
    (application(health={"status": "Healthy"}, operationState=operation("Succeeded")), "Healthy"),
    (application(health={"status": "Degraded"}, operationState=operation("Succeeded")), "Degraded"),
    (application(health={"status": "Missing"}, operationState=operation("Succeeded")), "Missing"),
]


@pytest.mark.parametrize(("found", "status"), APPLICATIONS)
def test_a_wave_waits_until_an_application_was_applied_and_is_healthy(found: dict[str, Any], status: str) -> None:
    assert health(found)[0] == status


def test_an_application_that_could_not_be_applied_says_why() -> None:
    found = application(health={"status": "Healthy"}, operationState=operation("Failed", "no such kind"))
    assert health(found) == ("Degraded", "no such kind")


def test_only_our_kinds_have_a_check_of_ours() -> None:
    with pytest.raises(KeyError, match="apps_Deployment"):
        health({"apiVersion": "apps/v1", "kind": "Deployment"})


@pytest.mark.skipif(shutil.which("go") is None, reason="NOT CHECKED: the CRDs come from Go modules")
def test_these_are_statuses_that_kserve_and_argo_cd_could_write() -> None:
    assert [said for found, *_ in (*SERVICES, *APPLICATIONS) if (said := fault(found))] == []
