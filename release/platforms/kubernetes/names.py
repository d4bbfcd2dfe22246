"""How the objects of a release are called, and by which labels and annotations they are known."""

from __future__ import annotations

__all__ = [
    "ASKED_AGAIN",
    "GRPC_PORT",
    "HTTP_PORT",
    "MANAGER",
    "MODEL",
    "PAUSE",
    "TOKENS",
    "VERSION",
    "deployment",
    "grpc_service",
    "http_service",
    "version_name",
    "version_of_backend",
]

MANAGER = "ferryman-release"
"""The field manager: Git's manager owns the ModelRelease, this one everything that moves."""

MODEL = "ferryman.dev/model"
VERSION = "ferryman.dev/version"

PAUSE = "ferryman.dev/pause"
"""The annotation that holds a release while it is `true`."""
TOKENS = {kind: f"ferryman.dev/{kind}" for kind in ("resume", "abort", "retry")}
"""The annotations that ask for something once: whenever their value is another one."""

ASKED_AGAIN = "ferryman.dev/asked-again"
"""The annotation of an HTTPRoute: when the gateway was last asked again whether it took the route up."""

HTTP_PORT, GRPC_PORT = 8080, 8081

_PREDICTOR = "-predictor"


def version_name(model: str, version: int) -> str:
    """Return the name of a version's InferenceService and autoscaler, as in ``sentiment-v7``."""
    return f"{model}-v{version}"


def deployment(model: str, version: int) -> str:
    """Return the Deployment's name, which KServe chooses (Standard mode)."""
    return version_name(model, version) + _PREDICTOR


def http_service(model: str, version: int) -> str:
    """Return the name of KServe's own Service: port 80 to the predictor's first port."""
    return deployment(model, version)


def grpc_service(model: str, version: int) -> str:
    """Return the name of our Service for gRPC: KServe's has one port."""
    return f"{version_name(model, version)}-grpc"


def version_of_backend(service: str) -> int | None:
    """Return the version that a Service of KServe's leads to, or None."""
    number = service.removesuffix(_PREDICTOR).rpartition("-v")[2]
    return int(number) if service.endswith(_PREDICTOR) and number.isdecimal() else None
