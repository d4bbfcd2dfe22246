"""What a release owns in its tenant's namespace, as objects to apply. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release.platforms.base import PlatformError
from release.platforms.kubernetes import names
from release.spec import ReleaseSpec
from release.status import VersionRef

__all__ = ["Object", "Owner", "autoscaler", "grpc_service", "http_route", "inference_service", "least_replicas"]

Object = dict[str, Any]
Owner = Mapping[str, Any]
"""An ``ownerReferences`` entry: with the ModelRelease goes everything that it owns."""

_GRPC_PATH = "/inference.GRPCInferenceService"
_TARGET_CPU_PERCENT = 50


def inference_service(spec: ReleaseSpec, owner: Owner, artifact: VersionRef) -> Object:
    """Return the InferenceService of one version: the template with a storageUri. It is written once, then only scaled.

    Every annotation of an InferenceService is copied into its pods, and a changed one rolls them.
    """
    predictor = _predictor(spec)
    served = {
        "serving.kserve.io/deploymentMode": "Standard",
        # The autoscaler is ours: KServe's has no `behavior`.
        "serving.kserve.io/autoscalerClass": "external",
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": _metadata(names.version_name(spec.model, artifact.version), spec, artifact.version, owner)
        | {"annotations": served},
        "spec": {"predictor": predictor | {"model": predictor["model"] | {"storageUri": artifact.storage_uri}}},
    }


def grpc_service(spec: ReleaseSpec, owner: Owner, version: int) -> Object:
    """Return the Service for gRPC; ``appProtocol`` tells the gateway to speak HTTP/2 without TLS."""
    port = {"name": "grpc", "port": names.GRPC_PORT, "appProtocol": "kubernetes.io/h2c"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(names.grpc_service(spec.model, version), spec, version, owner),
        "spec": {"selector": {"app": f"isvc.{names.deployment(spec.model, version)}"}, "ports": [port]},
    }


def autoscaler(spec: ReleaseSpec, owner: Owner, version: int, replicas: int | None) -> Object:
    """Return the HorizontalPodAutoscaler: the template's bounds, and at least ``replicas`` where that is more."""
    predictor = _predictor(spec)
    lowest = least_replicas(spec)
    highest = max(int(predictor.get("maxReplicas", lowest)), lowest)
    cpu = {"type": "Utilization", "averageUtilization": int(predictor.get("scaleTarget", _TARGET_CPU_PERCENT))}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.deployment(spec.model, version)}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(names.version_name(spec.model, version), spec, version, owner),
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": min(max(lowest, replicas or 0), highest),
            "maxReplicas": highest,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": cpu}}],
            "behavior": {
                # A predictor answers 5 s after it is asked for, so leaving early costs little.
                "scaleDown": _behavior(60, 50),
                # Starting takes some CPU: a short look back keeps a start from asking for the next one.
                "scaleUp": _behavior(15, 100),
            },
        },
    }


def http_route(spec: ReleaseSpec, owner: Owner, weights: Mapping[int, int]) -> Object:
    """Return the HTTPRoute: one rule for gRPC by its path, one for all else, each with the same weights.

    A GRPCRoute may not share a hostname with an HTTPRoute (Gateway API: HostnameConflict).
    """

    def rule(path: str, services: Mapping[str, int], port: int) -> Object:
        backends = [
            {"kind": "Service", "name": name, "port": port, "weight": weight}
            for name, weight in services.items()
            if weight
        ]
        return {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends}

    ordered = sorted(weights.items())
    grpc = {names.grpc_service(spec.model, version): weight for version, weight in ordered}
    http = {names.http_service(spec.model, version): weight for version, weight in ordered}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": spec.model, "labels": {names.MODEL: spec.model}, "ownerReferences": [dict(owner)]},
        "spec": {
            "hostnames": list(spec.route.hostnames),
            "parentRefs": [parent.model_dump() for parent in spec.route.parent_refs],
            "rules": [
                rule(_GRPC_PATH, grpc, names.GRPC_PORT),
                rule("/", http, 80) | {"timeouts": {"request": "30s"}},
            ],
        },
    }


def least_replicas(spec: ReleaseSpec) -> int:
    """Return how many replicas the template asks for at least."""
    return int(_predictor(spec).get("minReplicas", 1))


def _predictor(spec: ReleaseSpec) -> Object:
    predictor = spec.template.get("spec", {}).get("predictor", {})
    if not isinstance(predictor.get("model"), dict):
        raise PlatformError("spec.template.spec.predictor.model is missing: an InferenceService is made of it")
    return dict(predictor)


def _behavior(seconds: int, percent: int) -> Object:
    policy = {"type": "Percent", "value": percent, "periodSeconds": 15}
    return {"stabilizationWindowSeconds": seconds, "policies": [policy]}


def _metadata(name: str, spec: ReleaseSpec, version: int, owner: Owner) -> Object:
    labels = {names.MODEL: spec.model, names.VERSION: str(version)}
    return {"name": name, "labels": labels, "ownerReferences": [dict(owner)]}
