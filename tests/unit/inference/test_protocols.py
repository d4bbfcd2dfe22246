"""The predictor as its callers see it: a real process on loopback, real HTTP and gRPC clients."""

from __future__ import annotations

import json
import re
import struct
from typing import Any

import grpc
import httpx
import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from conftest import Predictor
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

V1 = "/v1/models/sentiment:predict"
V2 = "/v2/models/sentiment/infer"


def post(predictor: Predictor, path: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(predictor.http + path, content=content, headers=headers, trust_env=False)


def tensor(**changes: object) -> dict[str, Any]:
    return {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"], **changes}]}


def stub(predictor: Predictor) -> GRPCInferenceServiceStub:
    return GRPCInferenceServiceStub(grpc.insecure_channel(predictor.grpc))


def test_v1_answers_strings_and_objects_in_order(predictor: Predictor) -> None:
    answer = post(predictor, V1, {"instances": ["good great", {"text": "bad awful"}]})
    assert [each["label"] for each in answer.json()["predictions"]] == ["positive", "negative"]
    first = answer.json()["predictions"][0]
    assert first["confidence"] == max(first["probabilities"].values()) == first["probabilities"]["positive"]


def test_every_answer_names_model_version_tenant_and_request(predictor: Predictor) -> None:
    for path, body in [(V1, {"instances": ["x"]}), (V1, {}), ("/nowhere", {}), (V2, b"{")]:
        headers = post(predictor, path, body, **{"x-request-id": "abc-1"}).headers
        found = [headers[name] for name in ("x-model-name", "x-model-version", "x-tenant", "x-request-id")]
        assert found == ["sentiment", "7", "tenant-a", "abc-1"]


def test_a_request_id_with_spaces_is_replaced(predictor: Predictor) -> None:
    assert " " not in post(predictor, V1, {"instances": ["x"]}, **{"x-request-id": "a b"}).headers["x-request-id"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain"])
def test_json_is_read_whatever_the_content_type_says(predictor: Predictor, kind: str) -> None:
    assert post(predictor, V1, {"instances": ["good"]}, **{"content-type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (V1, b"{", 400, "body"),
        (V1, b"[]", 400, "body"),
        (V1, b"\xff\xfe", 400, "body"),
        (V1, b'{"instances": ["\\ud800"]}', 400, "body"),
        (V1, b'{"instances": [NaN]}', 400, "body"),
        (V1, b"[" * 100_000, 400, "body"),
        (V1, {}, 400, "instances"),
        (V1, {"instances": "good"}, 400, "instances"),
        (V1, {"instances": []}, 400, "instances"),
        (V1, {"instances": ["good", 7]}, 400, "instances[1]"),
        (V1, {"instances": [["a"], ["b", "c"]]}, 400, "instances[0]"),
        (V1, {"instances": [{"body": "x"}]}, 400, "instances[0].text"),
        (V1, {"instances": ["x"] * 1001}, 400, "instances"),
        (V1, {"instances": ["x" * 100_001]}, 400, "instances[0]"),
        (V1, b" " * (1024 * 1024 + 1), 413, "body"),
        (V1.replace("sentiment", "other"), {"instances": ["x"]}, 404, "model"),
        (V2, b"{", 400, "body"),
        (V2, {}, 400, "inputs"),
        (V2, {"inputs": []}, 400, "inputs"),
        (V2, tensor(datatype="FP32"), 400, "inputs[0].datatype"),
        (V2, tensor(datatype="NOPE"), 400, "inputs[0].datatype"),
        (V2, tensor(shape=[2]), 400, "inputs[0].shape"),
        (V2, tensor(shape=[1, 2]), 400, "inputs[0].shape"),
        (V2, tensor(shape=[True]), 400, "inputs[0].shape"),
        (V2, tensor(data=[1]), 400, "inputs[0].data[0]"),
        (V2, tensor(name="words"), 400, "inputs"),
        (V2, tensor(parameters={"binary_data_size": 4}), 400, "inputs[0].data"),
        (V2, {**tensor(), "outputs": [{"name": "nope"}]}, 400, "outputs[0].name"),
        (V2, {**tensor(), "id": 7}, 400, "id"),
        (V2.replace("sentiment", "other"), tensor(), 404, "model"),
        (V2.replace("/infer", "/versions/99/infer"), tensor(), 404, "version"),
        (V2, tensor(data=["x"] * 1001, shape=[1001]), 400, "inputs[0].data"),
        (V2, {**tensor(), "parameters": {"binary_data_output": "yes"}}, 400, "parameters.binary_data_output"),
        ("/v1/models/other:explain", {"instances": ["x"]}, 404, "model"),
        ("/v1/models/sentiment:explain", {"instances": [7]}, 400, "instances[0]"),
        ("/v1/models/sentiment:explain", {"instances": ["x"], "parameters": 1}, 400, "parameters"),
        ("/v1/models/sentiment:explain", {"instances": ["x"], "parameters": {"top_k": -1}}, 400, "parameters.top_k"),
        ("/v1/models/sentiment:explain", {"instances": ["x"], "parameters": {"top_k": True}}, 400, "parameters.top_k"),
        ("/predict", {}, 400, "text"),
        ("/predict", {"text": 7}, 400, "text"),
        ("/v2/repository/models/sentiment/load", {}, 403, "a predictor"),
        ("/v2/repository/models/sentiment/unload", {}, 403, "a predictor"),
    ],
)
def test_what_the_caller_did_wrong_is_a_4xx_that_names_the_field(
    predictor: Predictor, path: str, body: object, status: int, field: str
) -> None:
    answer = post(predictor, path, body)
    assert (answer.status_code, answer.json()["error"].startswith(field)) == (status, True), answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_v2_answers_both_shapes(predictor: Predictor, shape: list[int]) -> None:
    answer = post(predictor, V2, {"id": "q", **tensor(shape=shape, data=["good", "bad"])}).json()
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert (answer["id"], answer["model_version"]) == ("q", "7")
    assert outputs["label"]["data"] == ["positive", "negative"]
    assert outputs["probabilities"]["shape"] == [2, 2]
    assert len(outputs["probabilities"]["data"]) == 4


def test_v2_reads_and_writes_binary_tensors(predictor: Predictor) -> None:
    binary = b"".join(struct.pack("<I", len(each)) + each for each in (b"good", b"bad"))
    request = tensor(shape=[2], parameters={"binary_data_size": len(binary)})
    del request["inputs"][0]["data"]
    wanted = {"name": "confidence", "parameters": {"binary_data": True}}
    head = json.dumps({**request, "outputs": [wanted, {"name": "label"}]}).encode()
    answer = post(predictor, V2, head + binary, **{"inference-header-content-length": str(len(head))})
    length = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.content[:length])["outputs"]
    assert outputs[0]["parameters"]["binary_data_size"] == len(answer.content) - length == 16
    assert outputs[1]["data"] == ["positive", "negative"]
    assert (np.frombuffer(answer.content[length:]) > 0.5).all()


def test_v2_answers_all_binary_when_asked_for_the_whole_request(predictor: Predictor) -> None:
    answer = post(predictor, V2, {**tensor(), "parameters": {"binary_data_output": True}})
    length = int(answer.headers["inference-header-content-length"])
    sizes = [output["parameters"]["binary_data_size"] for output in json.loads(answer.content[:length])["outputs"]]
    assert sizes == [4 + len(b"positive"), 8, 16]
    assert answer.content[length:][4:12] == b"positive"


def test_the_version_that_is_served_may_be_named(predictor: Predictor) -> None:
    assert post(predictor, "/v2/models/sentiment/versions/7/infer", tensor()).status_code == 200
    for path, status in [("7", 200), ("7/ready", 200), ("8", 404), ("8/ready", 404)]:
        url = f"{predictor.http}/v2/models/sentiment/versions/{path}"
        assert httpx.get(url, trust_env=False).status_code == status, path


@pytest.mark.parametrize("length", ["x", "-1", "9999", "1" * 30])
def test_a_wrong_header_length_is_a_400(predictor: Predictor, length: str) -> None:
    answer = post(predictor, V2, tensor(), **{"inference-header-content-length": length})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Inference-Header-Content-Length")


def test_a_truncated_binary_tensor_is_a_400(predictor: Predictor) -> None:
    request = tensor(parameters={"binary_data_size": 6})
    del request["inputs"][0]["data"]
    head = json.dumps(request).encode()
    raw = struct.pack("<I", 9) + b"ab"
    answer = post(predictor, V2, head + raw, **{"inference-header-content-length": str(len(head))})
    assert (answer.status_code, answer.json()["error"][:17]) == (400, "inputs[0].data[0]")


def test_metadata_is_the_same_over_rest_and_grpc(predictor: Predictor) -> None:
    rest = httpx.get(f"{predictor.http}/v2/models/sentiment", trust_env=False).json()
    rpc = stub(predictor).ModelMetadata(pb.ModelMetadataRequest(name="sentiment"))
    assert rest["versions"] == list(rpc.versions) == ["7"]
    server = httpx.get(f"{predictor.http}/v2", trust_env=False).json()
    told = stub(predictor).ServerMetadata(pb.ServerMetadataRequest())
    assert server == {"name": told.name, "version": told.version, "extensions": list(told.extensions)}
    for ours, theirs in zip([*rest["inputs"], *rest["outputs"]], [*rpc.inputs, *rpc.outputs], strict=True):
        assert (ours["name"], ours["datatype"], ours["shape"]) == (theirs.name, theirs.datatype, list(theirs.shape))


def test_grpc_answers_contents_with_contents(predictor: Predictor) -> None:
    contents = pb.InferTensorContents(bytes_contents=[b"good", b"bad"])
    asked = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[2], contents=contents)
    answer = stub(predictor).ModelInfer(pb.ModelInferRequest(model_name="sentiment", id="q", inputs=[asked]))
    assert list(answer.outputs[0].contents.bytes_contents) == [b"positive", b"negative"]
    assert (answer.model_version, answer.id, len(answer.outputs[2].contents.fp64_contents)) == ("7", "q", 4)


def test_tritons_own_client_works_over_grpc(predictor: Predictor) -> None:
    with triton_grpc.InferenceServerClient(predictor.grpc) as client:
        asked = triton_grpc.InferInput("text", [1, 1], "BYTES")
        asked.set_data_from_numpy(np.array([[b"good"]], dtype=np.object_))
        wanted = [triton_grpc.InferRequestedOutput("label")]
        result = client.infer("sentiment", [asked], outputs=wanted, headers={"x-request-id": "t-1"})
        assert result.as_numpy("label").tolist() == [b"positive"]
        assert client.is_model_ready("sentiment")
        assert client.is_server_live()


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_tritons_own_client_works_over_http(predictor: Predictor, binary: bool) -> None:
    with triton_http.InferenceServerClient(predictor.http.removeprefix("http://")) as client:
        asked = triton_http.InferInput("text", [2, 1], "BYTES")
        asked.set_data_from_numpy(np.array([[b"good"], [b"bad"]], dtype=np.object_), binary_data=binary)
        wanted = [triton_http.InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")]
        result = client.infer("sentiment", [asked], outputs=wanted, request_id="t-2")
        assert [label if isinstance(label, str) else label.decode() for label in result.as_numpy("label")] == [
            "positive",
            "negative",
        ]
        assert result.as_numpy("probabilities").shape == (2, 2)
        assert client.infer("sentiment", [asked]).as_numpy("confidence").shape == (2,)
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("sentiment", "7")
        assert client.get_server_metadata()["name"] == "ferryman"
        assert client.get_model_metadata("sentiment")["versions"] == ["7"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model_name": "other"}, "NOT_FOUND"),
        ({"model_version": "99"}, "NOT_FOUND"),
        ({"inputs": []}, "INVALID_ARGUMENT"),
        ({"datatype": "FP32"}, "INVALID_ARGUMENT"),
        ({"shape": [3]}, "INVALID_ARGUMENT"),
        ({"raw": [b"\x09\x00\x00\x00ab"]}, "INVALID_ARGUMENT"),
        ({"raw": [b"\x02\x00\x00\x00\xff\xfe"]}, "INVALID_ARGUMENT"),
        ({"raw": [bytes(4 * 1001)], "shape": [1001]}, "INVALID_ARGUMENT"),
        ({"raw": [b"x", b"y"]}, "INVALID_ARGUMENT"),
        ({"raw": [b"x" * (1024 * 1024 + 1)]}, "RESOURCE_EXHAUSTED"),
    ],
)
def test_grpc_faults_have_the_protocols_codes(predictor: Predictor, changes: dict[str, Any], code: str) -> None:
    asked = pb.ModelInferRequest.InferInputTensor(
        name="text", datatype=changes.get("datatype", "BYTES"), shape=changes.get("shape", [1])
    )
    raw = changes.get("raw", [b"\x04\x00\x00\x00good"])
    inputs = changes.get("inputs", [asked])
    request = pb.ModelInferRequest(
        model_name=changes.get("model_name", "sentiment"),
        model_version=changes.get("model_version", ""),
        inputs=inputs,
        raw_input_contents=raw,
    )
    with pytest.raises(grpc.RpcError) as refused:
        stub(predictor).ModelInfer(request)
    assert refused.value.code().name == code
    assert "Traceback" not in refused.value.details()


@pytest.mark.parametrize("method", ["RepositoryModelLoad", "RepositoryModelUnload"])
def test_loading_another_model_is_refused_over_grpc(predictor: Predictor, method: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(stub(predictor), method)(getattr(pb, f"{method}Request")(model_name="sentiment"))
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "message", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"], ids=["no message", "a name that is no text"]
)
def test_grpc_bytes_that_are_no_request_are_the_callers_fault(predictor: Predictor, message: bytes) -> None:
    call = grpc.insecure_channel(predictor.grpc).unary_unary("/inference.GRPCInferenceService/ModelInfer")
    with pytest.raises(grpc.RpcError) as refused:
        call(message)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "request: is not an inference.ModelInferRequest message"


@pytest.mark.parametrize("method", ["ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata"])
def test_every_grpc_answer_names_model_version_tenant_and_request(predictor: Predictor, method: str) -> None:
    for name in ("sentiment", "other"):
        request = getattr(pb, f"{method}Request")(**({"name": name} if method.startswith("Model") else {}))
        call = getattr(stub(predictor), method).future(request, metadata=(("x-request-id", "g-1"),))
        headers = dict(call.initial_metadata())
        found = [headers[key] for key in ("x-model-name", "x-model-version", "x-tenant", "x-request-id")]
        assert found == ["sentiment", "7", "tenant-a", "g-1"]
        expected = "NOT_FOUND" if method.startswith("Model") and name == "other" else "OK"
        assert call.code().name == expected


def test_explanations_add_up_to_the_logit(predictor: Predictor) -> None:
    answer = post(predictor, "/v1/models/sentiment:explain", {"instances": ["a good film"]}).json()["explanations"][0]
    total = answer["bias"] + sum(token["contribution"] for token in answer["tokens"])
    assert total == pytest.approx(answer["logit"], abs=1e-12)
    confidence = post(predictor, "/predict", {"text": "a good film"}).json()["confidence"]
    assert 1 / (1 + np.exp(-answer["logit"])) == pytest.approx(confidence, abs=1e-12)
    assert answer["tokens"][0]["token"] == "good"
    assert (answer["label"], answer["confidence"]) == ("positive", pytest.approx(confidence, abs=1e-12))


def test_the_seed_api_answers(predictor: Predictor) -> None:
    answer = post(predictor, "/predict", {"text": "bad"}).json()
    assert (answer["text"], answer["prediction"], answer["tenant"]) == ("bad", "negative", "tenant-a")
    for path in ("/", "/health", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/sentiment/ready"):
        assert httpx.get(predictor.http + path, trust_env=False).status_code == 200, path
    assert httpx.head(f"{predictor.http}/health", trust_env=False).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/v2/models"])
def test_listings_hold_this_model_alone(predictor: Predictor, path: str) -> None:
    assert httpx.get(predictor.http + path, trust_env=False).json() == {"models": ["sentiment"]}


def test_nothing_listens_beyond_loopback(predictor: Predictor) -> None:
    connections = psutil.Process(predictor.process.pid).connections("tcp")
    listening = {(each.laddr.ip.removeprefix("::ffff:"), each.laddr.port) for each in connections if not each.raddr}
    assert listening == {("127.0.0.1", int(url.rsplit(":", 1)[1])) for url in (predictor.http, predictor.grpc)}


def test_a_trace_is_an_exemplar_for_who_asks_for_openmetrics(predictor: Predictor) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    post(predictor, V1, {"instances": ["x"]}, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{predictor.http}/metrics", headers=accept, trust_env=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert f'# {{trace_id="{trace}"}}' in answer.text


def test_explanations_show_as_many_tokens_as_asked_for(predictor: Predictor) -> None:
    asked = {"instances": ["a good film", "bad"], "parameters": {"top_k": 1}}
    found = post(predictor, "/v1/models/sentiment:explain", asked).json()["explanations"]
    assert [[token["token"] for token in each["tokens"]] for each in found] == [["good"], ["bad"]]
    assert found[0]["tokens"][0]["spans"] == [[2, 6]]
    total = found[0]["bias"] + found[0]["tokens"][0]["contribution"] + found[0]["rest"]
    assert total == pytest.approx(found[0]["logit"], abs=1e-12)


def test_the_openapi_document_names_every_path_for_this_model(predictor: Predictor) -> None:
    document = httpx.get(f"{predictor.http}/openapi.json", trust_env=False).json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method in operations:
            url = predictor.http + path.replace("{version}", "7")
            answer = httpx.request(method, url, content=b"" if method == "get" else b"{}", trust_env=False)
            assert str(answer.status_code) in operations[method]["responses"], (method, path)


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [("GET", "/predict", 405, "POST"), ("PUT", "/", 405, "GET, HEAD"), ("POST", "/nowhere", 404, None)],
)
def test_what_is_not_served_is_a_404_or_405(
    predictor: Predictor, method: str, path: str, status: int, allowed: str | None
) -> None:
    answer = httpx.request(method, predictor.http + path, trust_env=False)
    assert (answer.status_code, "error" in answer.json()) == (status, True)
    assert answer.headers.get("allow") == allowed


def test_durations_are_counted_in_the_designs_buckets(predictor: Predictor) -> None:
    post(predictor, V1, {"instances": ["x"]})
    metrics = httpx.get(f"{predictor.http}/metrics", trust_env=False).text
    wanted = 'inference_request_duration_seconds_bucket{le="([^"]+)",model="sentiment",protocol="v1",version="7"}'
    bounds = [float(bound) for bound in re.findall(wanted, metrics)]
    assert bounds == [*(0.00025 * 2**step for step in range(16)), 10, float("inf")]


def test_what_callers_make_up_becomes_no_label(predictor: Predictor) -> None:
    post(predictor, "/v1/models/made-up:predict", {"instances": ["x"]})
    post(predictor, "/v2/models/made-up/infer", tensor())
    post(predictor, "/made-up", {})
    assert "made-up" not in httpx.get(f"{predictor.http}/metrics", trust_env=False).text


def test_refused_and_grpc_requests_are_counted(predictor: Predictor) -> None:
    def counted(protocol: str, code: str) -> float:
        labels = f'inference_requests_total{{code="{code}",model="sentiment",protocol="{protocol}",version="7"}}'
        lines = httpx.get(f"{predictor.http}/metrics", trust_env=False).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(labels))

    before = counted("v1", "400"), counted("grpc", "OK"), counted("grpc", "NOT_FOUND")
    post(predictor, V1, {})
    contents = pb.InferTensorContents(bytes_contents=[b"good"])
    asked = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1], contents=contents)
    stub(predictor).ModelInfer(pb.ModelInferRequest(model_name="sentiment", inputs=[asked]))
    with pytest.raises(grpc.RpcError):
        stub(predictor).ModelInfer(pb.ModelInferRequest(model_name="other", inputs=[asked]))
    after = counted("v1", "400"), counted("grpc", "OK"), counted("grpc", "NOT_FOUND")
    assert after == tuple(count + 1 for count in before)
