"""The tensors that the model takes and gives, as REST and gRPC share them (Open Inference Protocol, V2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from artifact.version import VERSION
from inference.errors import RequestError
from inference.limits import TEXTS
from inference.scoring import Scores

__all__ = [
    "INPUTS",
    "OUTPUTS",
    "OUTPUT_NAMES",
    "Tensor",
    "byte_elements",
    "check_shape",
    "decoded",
    "output_names",
    "output_tensors",
    "server_metadata",
]

INPUTS = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
OUTPUTS = [
    {"name": "label", "datatype": "BYTES", "shape": [-1]},
    {"name": "confidence", "datatype": "FP64", "shape": [-1]},
    {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
]
OUTPUT_NAMES = [str(output["name"]) for output in OUTPUTS]


@dataclass(frozen=True)
class Tensor:
    """One output: values in row-major order; ``raw`` is its binary form (little-endian, BYTES with length prefixes)."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Any]
    raw: bytes


def byte_elements(raw: bytes, field: str) -> list[str]:
    """Split a BYTES tensor's binary form (each element: 4 bytes length, little-endian, then UTF-8) into texts.

    Raises:
        RequestError: 400, naming the element.
    """
    found: list[str] = []
    at = 0
    while at < len(raw):
        place = f"{field}[{len(found)}]"
        if len(found) == TEXTS:
            raise RequestError.bad(field, f"holds more than {TEXTS} texts")
        if at + 4 > len(raw):
            raise RequestError.bad(place, "is truncated inside its length")
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + length > len(raw):
            raise RequestError.bad(place, f"says it has {length} bytes, but {len(raw) - at} are left")
        found.append(decoded(raw[at : at + length], place))
        at += length
    return found


def decoded(raw: bytes, field: str) -> str:
    """Return UTF-8 bytes as text.

    Raises:
        RequestError: 400, naming the field.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RequestError.bad(field, "is not valid UTF-8") from error


def check_shape(shape: object, elements: int, field: str) -> None:
    """Accept ``[n]`` and ``[n, 1]`` for n elements.

    Raises:
        RequestError: 400, naming the field.
    """
    if not isinstance(shape, list):
        raise RequestError.bad(field, "is missing" if shape is None else "is not a list")
    if shape not in ([elements], [elements, 1]) or any(isinstance(size, bool | float) for size in shape):
        raise RequestError.bad(field, f"must be [{elements}] or [{elements}, 1], as many as there are texts")


def output_tensors(scores: Scores) -> dict[str, Tensor]:
    """Return every output of the model by name."""
    labels, rows = scores.labels, len(scores.labels)
    encoded = [label.encode() for label in labels]
    packed = b"".join(struct.pack("<I", len(label)) + label for label in encoded)
    shares = [share for pair in scores.probabilities for share in pair]
    return {
        "label": Tensor("label", "BYTES", [rows], labels, packed),
        "confidence": _doubles("confidence", [rows], scores.confidences),
        "probabilities": _doubles("probabilities", [rows, 2], shares),
    }


def _doubles(name: str, shape: list[int], values: list[float]) -> Tensor:
    return Tensor(name, "FP64", shape, values, struct.pack(f"<{len(values)}d", *values))


def output_names(requested: Sequence[str], field: str) -> list[str]:
    """Return the outputs that a gRPC request names, or all when it names none.

    Raises:
        RequestError: 400, naming the field.
    """
    for index, name in enumerate(requested):
        if name not in OUTPUT_NAMES:
            raise RequestError.bad(f"{field}[{index}].name", f"must be one of {', '.join(OUTPUT_NAMES)}")
    return list(requested) or OUTPUT_NAMES


def server_metadata() -> dict[str, Any]:
    """Return who answers, as both REST and gRPC say it."""
    return {"name": "ferryman", "version": VERSION, "extensions": ["binary_tensor_data"]}
