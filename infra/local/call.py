"""A client of the tenants: the same text over V1, V2 REST and V2 gRPC, all through the gateway's one port."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import tritonclient.grpc as triton
from rich.table import Table
from tritonclient.utils import InferenceServerException

from artifact.names import MODEL
from infra.local.gateway import tenant_client
from infra.local.settings import Settings, tenant_host
from infra.local.tls import authority_file

__all__ = ["Answer", "every_protocol", "table"]

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """What one tenant said over one protocol, or why it did not."""

    tenant: str
    protocol: str
    version: str = ""
    milliseconds: float = 0.0
    label: str = ""
    confidence: float = 0.0
    error: str | None = None


def every_protocol(settings: Settings, tenant: str, text: str) -> list[Answer]:
    """Ask one tenant over each protocol in turn; a fault becomes an answer with ``error``."""
    asked: list[tuple[str, Callable[[Settings, str, str], tuple[str, str, float]]]] = [
        ("V1 REST", _v1),
        ("V2 REST", _v2_rest),
        ("V2 gRPC", _v2_grpc),
    ]
    answers = []
    for protocol, ask in asked:
        begun = time.perf_counter()
        try:
            version, label, confidence = ask(settings, tenant, text)
        except (httpx.HTTPError, InferenceServerException, KeyError, IndexError, ValueError) as error:
            answers.append(Answer(tenant, protocol, error=_sentence(error)))
            continue
        took = (time.perf_counter() - begun) * 1000
        answers.append(Answer(tenant, protocol, version, took, label, confidence))
    return answers


def table(answers: list[Answer]) -> Table:
    """Return the answers as a table for the terminal."""
    made = Table("tenant", "model version", "protocol", "latency", "answer")
    for answer in answers:
        said = f"[red]{answer.error}[/red]" if answer.error else f"{answer.label} ({answer.confidence:.2f})"
        latency = f"{answer.milliseconds:.1f} ms" if answer.error is None else ""
        made.add_row(
            answer.tenant, f"{MODEL} v{answer.version}" if answer.version else "", answer.protocol, latency, said
        )
    return made


def _post(settings: Settings, tenant: str, path: str, body: dict[str, Any]) -> httpx.Response:
    with tenant_client(settings, tenant, _TIMEOUT_SECONDS) as client:
        return client.post(path, json=body).raise_for_status()


def _v1(settings: Settings, tenant: str, text: str) -> tuple[str, str, float]:
    response = _post(settings, tenant, f"/v1/models/{MODEL}:predict", {"instances": [text]})
    prediction = response.json()["predictions"][0]
    return response.headers["x-model-version"], prediction["label"], prediction["confidence"]


def _v2_rest(settings: Settings, tenant: str, text: str) -> tuple[str, str, float]:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}
    response = _post(settings, tenant, f"/v2/models/{MODEL}/infer", {"inputs": [tensor]})
    outputs = {output["name"]: output["data"] for output in response.json()["outputs"]}
    return response.headers["x-model-version"], outputs["label"][0], outputs["confidence"][0]


def _v2_grpc(settings: Settings, tenant: str, text: str) -> tuple[str, str, float]:
    host = tenant_host(tenant)
    client = triton.InferenceServerClient(
        settings.gateway_url.partition("://")[2],
        ssl=settings.tls,
        root_certificates=str(authority_file(settings)) if settings.tls else None,
        channel_args=[("grpc.default_authority", host), ("grpc.ssl_target_name_override", host)],
    )
    with client:
        tensor = triton.InferInput("text", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([text.encode()], dtype=np.object_))
        result = client.infer(MODEL, [tensor], client_timeout=_TIMEOUT_SECONDS)
        label = result.as_numpy("label")[0].decode()
        return result.get_response().model_version, label, float(result.as_numpy("confidence")[0])


def _sentence(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.response.status_code} {error.response.text.strip()[:120]}"
    if isinstance(error, httpx.HTTPError):
        return f"the gateway does not answer ({type(error).__name__}); is the stack up?"
    return str(error)[:160]
