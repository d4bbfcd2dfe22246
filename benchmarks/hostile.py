"""A hundred thousand broken requests to the running predictor: none may be its fault, and its memory stays flat."""

from __future__ import annotations

import http.client
import json
import random
import struct
from collections import Counter
from typing import Any

import grpc
from processes import Running
from servers import HTTP_PORT, RPC_PORT
from tritonclient.grpc import service_pb2 as pb

__all__ = ["attack"]

_PATHS = [
    "/v1/models/sentiment:predict",
    "/v1/models/sentiment:explain",
    "/v2/models/sentiment/infer",
    "/v2/models/sentiment/versions/1/infer",
    "/predict",
]
_TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a good film"]}
_BINARY = struct.pack("<I", 4) + b"good"
_HEAD = json.dumps({"inputs": [{**_TENSOR, "data": None, "parameters": {"binary_data_size": len(_BINARY)}}]}).encode()
_BODIES = [
    json.dumps({"instances": ["a good film", {"text": "bad"}], "parameters": {"top_k": 3}}).encode(),
    json.dumps({"inputs": [_TENSOR], "outputs": [{"name": "label"}], "id": "x"}).encode(),
    json.dumps({"text": "a good film"}).encode(),
    _HEAD.replace(b'"data": null, ', b"") + _BINARY,
]
_PIECES = [
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"null", b"true", b"NaN", b"-0", b"1e999", b"9" * 40),
    *(b"[" * 5_000, b'{"a":' * 2_000, b"\x00", b"\xff", b"\xed\xa0\x80", b"\\u0000", b"\\ud800", b"\xf0\x9f\x8e\xac"),
    *(b'"instances"', b'"inputs"', b'"text"', b'"shape"', b'"datatype"', b'"parameters"', b'"top_k"', b"a" * 50_000),
]
_ALLOWED = {200, 400, 404, 413}
_MESSAGE = pb.ModelInferRequest(
    model_name="sentiment",
    inputs=[pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])],
    raw_input_contents=[_BINARY],
).SerializeToString()


def attack(running: Running, count: int) -> dict[str, Any]:
    """Send ``count`` requests, one in ten over gRPC; return codes, memory before and after, and what was wrong."""
    dice = random.Random(7)  # noqa: S311 # the same requests each time
    codes: Counter[str] = Counter()
    faults: list[str] = []
    connection = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=30)
    before = 0.0
    with grpc.insecure_channel(f"127.0.0.1:{RPC_PORT}") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        for number in range(count):
            # The first tenth fills what is filled once.
            if number == count // 10:
                before = running.memory()
            if number % 10 == 0:
                code = call.future(_mutated(dice, _MESSAGE, 12)).code().name
                codes[code] += 1
                if code not in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED"):
                    faults.append(f"gRPC {code}")
                continue
            path, body = dice.choice(_PATHS), _mutated(dice, dice.choice(_BODIES))
            headers = {}
            if dice.random() < 0.3:
                headers["Inference-Header-Content-Length"] = dice.choice([str(len(_HEAD) - 14), "0", "-1", "x", "9999"])
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            codes[str(answer.status)] += 1
            if answer.status not in _ALLOWED or b"Traceback" in text:
                faults.append(f"{path} {answer.status}: {body[:100]!r}")
    return {
        "requests": count,
        "codes": dict(sorted(codes.items())),
        "memory_before_mib": before,
        "memory_after_mib": running.memory(),
        "faults": faults[:10],
    }


def _mutated(dice: random.Random, body: bytes, longest: int = 60_000) -> bytes:
    for _ in range(dice.choice([0, 1, 1, 1, 2, 3])):
        at = dice.randrange(len(body) + 1)
        match dice.randrange(4):
            case 0:
                piece = dice.choice(_PIECES)
                body = body[:at] + piece[:longest] + body[at:]
            case 1:
                body = body[:at] + body[at + dice.randrange(1, 9) :]
            case 2:
                body = body[:at] + dice.randbytes(dice.randrange(1, 5)) + body[at + 1 :]
            case 3:
                body = body[:at]
    return body
