"""The V2 protocol (Open Inference Protocol) over REST, with its binary tensor data extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from inference.document import json_object
from inference.errors import RequestError
from inference.limits import check_count, check_texts
from inference.scoring import Scores
from inference.tensors import OUTPUT_NAMES, byte_elements, check_shape, output_tensors

__all__ = ["InferCall", "answer", "parse"]


@dataclass(frozen=True)
class InferCall:
    """What a V2 request asks for: the texts, and which outputs in which form."""

    id: str
    texts: list[str]
    outputs: list[tuple[str, bool]]


def parse(body: bytes, header_length: str | None) -> InferCall:
    """Parse an infer request; ``header_length`` is the header ``Inference-Header-Content-Length``, if any.

    Raises:
        RequestError: 400, naming the field.
    """
    head, binary = _parts(body, header_length)
    document = json_object(head)
    identity = document.get("id", "")
    if not isinstance(identity, str):
        raise RequestError.bad("id", "is not a string")
    inputs = document.get("inputs")
    if not isinstance(inputs, list):
        raise RequestError.bad("inputs", "is missing" if inputs is None else "is not a list")
    if len(inputs) != 1 or not isinstance(inputs[0], dict) or inputs[0].get("name") != "text":
        raise RequestError.bad("inputs", 'must hold exactly one tensor, named "text"')
    texts = _texts(inputs[0], binary)
    check_texts(texts, "inputs[0].data")
    return InferCall(identity, texts, _requested(document))


def _parts(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    name = "Inference-Header-Content-Length"
    if not (header_length.isascii() and header_length.isdecimal()) or len(header_length) > 9:
        raise RequestError.bad(name, "is not a number of bytes")
    length = int(header_length)
    if length > len(body):
        raise RequestError.bad(name, f"is {length}, but the body has {len(body)} bytes")
    return body[:length], body[length:]


def _texts(tensor: dict[str, Any], binary: bytes) -> list[str]:
    field = "inputs[0]"
    if tensor.get("datatype") != "BYTES":
        raise RequestError.bad(f"{field}.datatype", "must be BYTES")
    parameters = _object(tensor, "parameters", f"{field}.parameters")
    size = parameters.get("binary_data_size")
    if size is None:
        if binary:
            raise RequestError.bad(f"{field}.parameters.binary_data_size", "is missing, but binary data follows")
        texts = _json_elements(tensor.get("data"), f"{field}.data")
    else:
        if "data" in tensor:
            raise RequestError.bad(f"{field}.data", "may not stand beside binary_data_size")
        if not isinstance(size, int) or isinstance(size, bool) or size != len(binary):
            raise RequestError.bad(
                f"{field}.parameters.binary_data_size", f"must be the {len(binary)} bytes that follow the JSON"
            )
        texts = byte_elements(binary, f"{field}.data")
    check_shape(tensor.get("shape"), len(texts), f"{field}.shape")
    return texts


def _json_elements(data: object, field: str) -> list[str]:
    if not isinstance(data, list):
        raise RequestError.bad(field, "is missing" if data is None else "is not a list")
    check_count(len(data), field)
    found = []
    for index, element in enumerate(data):
        single = element[0] if isinstance(element, list) and len(element) == 1 else element
        if not isinstance(single, str):
            raise RequestError.bad(f"{field}[{index}]", "is not a string")
        found.append(single)
    return found


def _requested(document: dict[str, Any]) -> list[tuple[str, bool]]:
    parameters = _object(document, "parameters", "parameters")
    default = _flag(parameters, "binary_data_output", "parameters.binary_data_output", otherwise=False)
    outputs = document.get("outputs")
    if outputs is None or outputs == []:
        return [(name, default) for name in OUTPUT_NAMES]
    if not isinstance(outputs, list):
        raise RequestError.bad("outputs", "is not a list")
    requested = []
    for index, output in enumerate(outputs):
        field = f"outputs[{index}]"
        if not isinstance(output, dict) or output.get("name") not in OUTPUT_NAMES:
            raise RequestError.bad(f"{field}.name", f"must be one of {', '.join(OUTPUT_NAMES)}")
        own = _object(output, "parameters", f"{field}.parameters")
        requested.append(
            (output["name"], _flag(own, "binary_data", f"{field}.parameters.binary_data", otherwise=default))
        )
    return requested


def _object(holder: dict[str, Any], key: str, field: str) -> dict[str, Any]:
    found = holder.get(key, {})
    if not isinstance(found, dict):
        raise RequestError.bad(field, "is not an object")
    return found


def _flag(holder: dict[str, Any], key: str, field: str, *, otherwise: bool) -> bool:
    found = holder.get(key, otherwise)
    if not isinstance(found, bool):
        raise RequestError.bad(field, "is neither true nor false")
    return found


def answer(call: InferCall, scores: Scores, model: str, version: str) -> tuple[bytes, int | None]:
    """Return the body, and the length of its JSON part when binary tensors follow it."""
    held = output_tensors(scores)
    outputs: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, binary in call.outputs:
        tensor = held[name]
        output: dict[str, Any] = {"name": name, "datatype": tensor.datatype, "shape": tensor.shape}
        if binary:
            output["parameters"] = {"binary_data_size": len(tensor.raw)}
            blobs.append(tensor.raw)
        else:
            output["data"] = tensor.values
        outputs.append(output)
    head = {"model_name": model, "model_version": version, "outputs": outputs}
    if call.id:
        head["id"] = call.id
    encoded = orjson.dumps(head)
    return (encoded + b"".join(blobs), len(encoded)) if blobs else (encoded, None)
