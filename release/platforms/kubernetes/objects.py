"""The objects of one version and of the route, from a tenant's template. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from artifact import PublishedArtifact

__all__ = ["MODEL_LABEL", "VERSION_LABEL", "name_of", "route", "version_objects", "version_of"]

Object = dict[str, Any]

MODEL_LABEL = "ferryman.dev/model"
VERSION_LABEL = "ferryman.dev/version"

_GRPC_PREFIX = "/inference.GRPCInferenceService"


def name_of(model: str, version: int) -> str:
    """Return the name of a version's InferenceService."""
    return f"{model}-v{version}"


def version_of(found: Mapping[str, Any]) -> int:
    """Return the version that an object of ours is labelled with."""
    return int(found["metadata"]["labels"][VERSION_LABEL])


def version_objects(template: Sequence[Object], artifact: PublishedArtifact, replicas: int) -> list[Object]:
    """Return the InferenceService, its autoscaler and its gRPC Service for one published version.

    Args:
        template: what ``kserve/tenants/<tenant>/predictor`` builds.
        artifact: what to serve.
        replicas: how many to begin with; the template's minimum is the least.
    """
    name = name_of(artifact.model, artifact.version)
    made = []
    for found in copy.deepcopy(list(template)):
        if found["kind"] == "HTTPRoute":
            continue
        found["metadata"]["name"] = name
        found["metadata"]["labels"][VERSION_LABEL] = str(artifact.version)
        spec = found["spec"]
        if found["kind"] == "InferenceService":
            predictor = spec["predictor"]
            predictor["minReplicas"] = max(predictor["minReplicas"], replicas)
            predictor["model"]["storageUri"] = artifact.uri
        elif found["kind"] == "HorizontalPodAutoscaler":
            spec["scaleTargetRef"]["name"] = f"{name}-predictor"
            spec["minReplicas"] = max(spec["minReplicas"], replicas)
        elif found["kind"] == "Service":
            found["metadata"]["name"] = f"{name}-grpc"
            spec["selector"] = {"app": f"isvc.{name}-predictor"}
        made.append(found)
    return made


def route(template: Sequence[Object], model: str, weights: Mapping[int, int]) -> Object:
    """Return the tenant's HTTPRoute with each version's weight, for gRPC by its path and for all else."""
    made = copy.deepcopy(next(found for found in template if found["kind"] == "HTTPRoute"))

    def backends(suffix: str, port: int) -> list[Object]:
        return [
            {"kind": "Service", "name": f"{name_of(model, version)}-{suffix}", "port": port, "weight": weight}
            for version, weight in sorted(weights.items())
        ]

    made["spec"]["rules"] = [
        {"matches": [{"path": {"type": "PathPrefix", "value": _GRPC_PREFIX}}], "backendRefs": backends("grpc", 8081)},
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": backends("predictor", 80),
            "timeouts": {"request": "30s"},
        },
    ]
    return made
