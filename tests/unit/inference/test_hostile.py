"""The predictor among callers that are broken, slow, too many or malicious."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
import uvicorn
from conftest import Predictor, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from inference import connection
from inference.capacity import Turn
from inference.front import Front
from inference.linear import LinearModel
from inference.listen import listener
from inference.service import Service
from infra.local.ports import free_port

V1 = "/v1/models/sentiment:predict"
GOOD = json.dumps({"instances": ["a good film"]}).encode()
TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a good film"]}


def connect(predictor: Predictor) -> socket.socket:
    host, port = predictor.http.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def request(body: bytes, path: str = V1, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def until(caller: socket.socket, count: int, mark: bytes = b"HTTP/1.1 ") -> bytes:
    """Read until so many answers are there with their bodies, or the other side closes."""
    found = b""
    while found.count(mark) < count or not found.endswith(b"}"):
        part = caller.recv(65536)
        if not part:
            break
        found += part
    return found


def alive(predictor: Predictor) -> bool:
    return httpx.get(f"{predictor.http}/ready", trust_env=False).status_code == 200


def test_pipelined_requests_are_answered_in_order_short_and_long_ones_mixed(predictor: Predictor) -> None:
    long = json.dumps({"instances": ["good " * 15_000]}).encode()
    bodies = [GOOD, long, GOOD, b"{", long, GOOD]
    asked = b"".join(request(body, V1, f"x-request-id: r{index}") for index, body in enumerate(bodies))
    with connect(predictor) as caller:
        caller.sendall(asked)
        answers = until(caller, len(bodies)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"200", b"400", b"200", b"200"]
    assert [f"x-request-id: r{index}".encode() in answer for index, answer in enumerate(answers)] == [True] * 6


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_request_that_comes_in_pieces_is_one_request(predictor: Predictor, size: int) -> None:
    asked = request(GOOD)
    with connect(predictor) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(asked), size):
            caller.sendall(asked[start : start + size])
        assert until(caller, 1).startswith(b"HTTP/1.1 200")


def test_chunks_without_an_announced_length_end_at_the_limit(predictor: Predictor) -> None:
    head = f"POST {V1} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with connect(predictor) as caller:
        caller.sendall(head)
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(17):
            caller.sendall(chunk)
        assert until(caller, 1).startswith(b"HTTP/1.1 413")
    assert alive(predictor)


def test_a_client_of_http_1_0_is_answered_and_let_go(predictor: Predictor) -> None:
    with connect(predictor) as caller:
        caller.sendall(request(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"))
        found = b"".join(iter(lambda: caller.recv(65536), b""))
    assert found.split(b" ")[1] == b"200"


@pytest.mark.parametrize("after", [10, 150, 190])
def test_a_client_that_goes_away_harms_nobody(predictor: Predictor, after: int) -> None:
    for _ in range(20):
        with connect(predictor) as caller:
            caller.sendall(request(GOOD * 1, V1)[:after])
    assert alive(predictor)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff\xfe\r\n\r\n",
        b"POST /v1/models/sentiment:predict HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /v1/models/sentiment:predict HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/models/sentiment:predict HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/models/sentiment:predict HTTP/1.1\r\nHost: x\r\nx-request-id: a\nb\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[:: HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%00%0a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_nothing_breaks(predictor: Predictor, raw: bytes) -> None:
    with connect(predictor) as caller:
        caller.sendall(raw)
        caller.shutdown(socket.SHUT_WR)
        found = b"".join(iter(lambda: caller.recv(65536), b""))
    assert b" 500 " not in found.split(b"\r\n")[0]
    assert alive(predictor)


PIECES = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'"instances"', b'"inputs"', b'"text"', b"null", b"NaN"),
        *(b"1e999", b"-0", b"9" * 40, b"[" * 50, b"\xff", b"\x00", b"\xed\xa0\x80", b"\\u0000", b"\\ud800"),
        "ﬃ𝒳".encode(),
    ]
)
MUTATED = st.builds(
    lambda body, at, put: body[: at % len(body)] + put + body[at % len(body) :],
    st.sampled_from([GOOD, json.dumps({"inputs": [TENSOR]}).encode(), json.dumps({"text": "a"}).encode()]),
    st.integers(0, 200),
    PIECES | st.binary(max_size=5),
)
PATHS = st.sampled_from([V1, "/v1/models/sentiment:explain", "/v2/models/sentiment/infer", "/predict"])


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=PATHS, body=MUTATED | st.lists(PIECES, max_size=20).map(b"".join), binary=st.none() | st.integers(0, 200))
def test_no_body_is_our_fault(predictor: Predictor, path: str, body: bytes, binary: int | None) -> None:
    headers = {} if binary is None else {"inference-header-content-length": str(binary)}
    answer = httpx.post(predictor.http + path, content=body, headers=headers, trust_env=False)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["error"]
        assert "Error" not in answer.text


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    raw=st.binary(max_size=60)
    | st.builds(
        lambda at, put: MESSAGE[: at % len(MESSAGE)] + put + MESSAGE[at % len(MESSAGE) :],
        st.integers(0, 200),
        st.binary(max_size=4),
    )
)
def test_no_message_is_our_fault(predictor: Predictor, raw: bytes) -> None:
    call = CHANNELS.setdefault(predictor.grpc, grpc.insecure_channel(predictor.grpc)).unary_unary(
        "/inference.GRPCInferenceService/ModelInfer"
    )
    assert call.future(raw).code().name in ("OK", "INVALID_ARGUMENT", "NOT_FOUND")


CHANNELS: dict[str, grpc.Channel] = {}
MESSAGE = pb.ModelInferRequest(
    model_name="sentiment",
    inputs=[pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])],
    raw_input_contents=[b"\x04\x00\x00\x00good"],
).SerializeToString()


def test_more_work_than_a_second_holds_is_refused_and_health_answers_at_once(predictor: Predictor) -> None:
    heavy = json.dumps({"instances": ["good bad " * 11_000] * 10}).encode()
    with (
        ThreadPoolExecutor(60) as pool,
        httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=80)) as client,
    ):
        calls = [pool.submit(client.post, predictor.http + V1, content=heavy, timeout=60) for _ in range(60)]
        waited = []
        while not all(call.done() for call in calls):
            begun = time.perf_counter()
            assert client.get(f"{predictor.http}/v2/health/ready", timeout=20).status_code == 200
            waited.append(time.perf_counter() - begun)
            time.sleep(0.05)
        answers = [call.result() for call in calls]
    codes = {answer.status_code for answer in answers}
    assert codes == {200, 429}
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 429} == {"1"}
    # A second's work was taken on, and no health check waited for it; how long exactly is this machine's affair.
    assert sorted(waited)[len(waited) // 2] < 0.5


def test_more_work_than_a_second_holds_is_refused_over_grpc_too(predictor: Predictor) -> None:
    heavy = pb.ModelInferRequest(model_name="sentiment")
    tensor = heavy.inputs.add(name="text", datatype="BYTES", shape=[10])
    tensor.contents.bytes_contents.extend([b"good bad " * 11_000] * 10)
    waited: dict[str, list[float]] = {"ServerReady": [], "ModelMetadata": []}
    with grpc.insecure_channel(predictor.grpc) as crowd, grpc.insecure_channel(predictor.grpc) as other:
        calls = [GRPCInferenceServiceStub(crowd).ModelInfer.future(heavy, timeout=60) for _ in range(60)]
        stub = GRPCInferenceServiceStub(other)
        while not all(call.done() for call in calls):
            for name, times in waited.items():
                begun = time.perf_counter()
                getattr(stub, name)(getattr(pb, f"{name}Request")(**{"name": "sentiment"} if "Model" in name else {}))
                times.append(time.perf_counter() - begun)
            time.sleep(0.05)
        codes = [call.code().name for call in calls]
    assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"}
    # The median over several seconds' work: how long exactly is this machine's affair.
    assert all(sorted(times)[len(times) // 2] < 0.5 for times in waited.values())


def test_no_health_check_stands_behind_a_crowd_that_asks_over_grpc(predictor: Predictor) -> None:
    ended = threading.Event()
    asked = pb.ModelInferRequest.FromString(MESSAGE)

    async def crowd() -> int:
        async with grpc.aio.insecure_channel(predictor.grpc) as channel:
            stub = GRPCInferenceServiceStub(channel)

            async def caller() -> int:
                count = 0
                while not ended.is_set():
                    await stub.ModelInfer(asked)
                    count += 1
                return count

            return sum(await asyncio.gather(*(caller() for _ in range(800))))

    with ThreadPoolExecutor(1) as pool, grpc.insecure_channel(predictor.grpc) as channel:
        busy = pool.submit(asyncio.run, crowd())
        time.sleep(1)
        stub = GRPCInferenceServiceStub(channel)
        taken = []
        for _ in range(10):
            begun = time.perf_counter()
            assert stub.ServerReady(pb.ServerReadyRequest()).ready
            taken.append(time.perf_counter() - begun)
        ended.set()
        answers_a_second = busy.result() / (1 + sum(taken))
    # In one queue with the crowd it would have waited for 800 answers.
    assert sorted(taken)[5] < 400 / answers_a_second


def test_sigterm_under_load_loses_no_request(folder: Path) -> None:
    ended = threading.Event()
    codes: list[int] = []
    failed: list[Exception] = []

    with running(folder, "--lame-duck", "2") as predictor:

        def caller() -> None:
            # As a gateway does: a connection that was closed is opened anew, until readiness says otherwise.
            with httpx.Client(trust_env=False) as client:
                while not ended.is_set():
                    try:
                        codes.append(client.post(predictor.http + V1, content=GOOD).status_code)
                        time.sleep(0.005)
                    except httpx.HTTPError as error:
                        failed.append(error)

        callers = [threading.Thread(target=caller) for _ in range(8)]
        for each in callers:
            each.start()
        time.sleep(0.5)
        predictor.process.send_signal(signal.SIGTERM)
        while httpx.get(f"{predictor.http}/ready", trust_env=False).status_code == 200:
            time.sleep(0.05)
        ended.set()
        for each in callers:
            each.join()
        assert predictor.process.wait(timeout=30) == 0
    assert not failed
    assert set(codes) == {200}


def test_sigterm_under_load_over_grpc_loses_no_call(folder: Path) -> None:
    ended = threading.Event()
    codes: list[str] = []

    with running(folder, "--lame-duck", "2") as predictor, grpc.insecure_channel(predictor.grpc) as channel:
        stub = GRPCInferenceServiceStub(channel)
        asked = pb.ModelInferRequest.FromString(MESSAGE)

        def caller() -> None:
            while not ended.is_set():
                codes.append(stub.ModelInfer.future(asked).code().name)
                time.sleep(0.005)

        callers = [threading.Thread(target=caller) for _ in range(8)]
        for each in callers:
            each.start()
        time.sleep(0.5)
        predictor.process.send_signal(signal.SIGTERM)
        while stub.ServerReady(pb.ServerReadyRequest()).ready:
            time.sleep(0.05)
        answered = len(codes)
        time.sleep(0.2)
        assert len(codes) > answered
        ended.set()
        for each in callers:
            each.join()
        assert predictor.process.wait(timeout=30) == 0
    assert set(codes) == {"OK"}


def test_pipelined_requests_are_all_answered_while_the_predictor_ends(folder: Path) -> None:
    answered, ending = 0, False
    with running(folder, "--lame-duck", "2") as predictor:
        while answered < 110:
            with connect(predictor) as caller:
                caller.sendall(request(GOOD) * 5)
                found = until(caller, 5)
            codes = [each[:3] for each in found.split(b"HTTP/1.1 ")[1:]]
            assert set(codes) == {b"200"}
            # An answer that closes its connection is the last one on it: the others are asked for anew.
            assert len(codes) == (1 if ending else 5)
            answered += len(codes)
            if answered >= 100 and not ending:
                predictor.process.send_signal(signal.SIGTERM)
                while httpx.get(f"{predictor.http}/ready", trust_env=False).status_code == 200:
                    time.sleep(0.02)
                ending = True
        assert predictor.process.wait(timeout=30) == 0


def test_grpc_calls_in_flight_are_answered_after_sigterm(folder: Path) -> None:
    async def calls(place: str, process: psutil.Process) -> list[str]:
        async with grpc.aio.insecure_channel(place) as channel:
            stub = GRPCInferenceServiceStub(channel)
            text = b"good bad " * 11_000
            raw = len(text).to_bytes(4, "little") + text
            asked = pb.ModelInferRequest(
                model_name="sentiment",
                inputs=[pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])],
                raw_input_contents=[raw],
            )
            begun = [stub.ModelInfer(asked) for _ in range(5)]
            waiting = [asyncio.ensure_future(call) for call in begun]
            await asyncio.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            return [answer.model_version for answer in await asyncio.gather(*waiting)]

    with running(folder) as predictor:
        assert asyncio.run(calls(predictor.grpc, psutil.Process(predictor.process.pid))) == ["7"] * 5
        assert predictor.process.wait(timeout=30) == 0


def test_memory_is_flat_over_texts_that_nobody_has_sent_before(predictor: Predictor) -> None:
    def resident() -> int:
        return int(psutil.Process(predictor.process.pid).memory_info().rss)

    def send(count: int) -> None:
        with httpx.Client(trust_env=False) as client:
            for _ in range(count):
                text = " ".join(f"w{random.getrandbits(64):x}" for _ in range(2000))
                assert client.post(predictor.http + V1, content=json.dumps({"instances": [text]})).status_code == 200

    send(60)
    before = resident()
    send(120)
    assert resident() - before < 8 << 20


def test_a_connection_that_sends_half_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(connection, "_SWEEP_SECONDS", 0.1)

    async def application(scope: object, receive: object, send: object) -> None: ...

    async def closed() -> list[bytes]:
        made = partial(connection.Connection, Front(SERVICE), lambda _: True, Turn())
        server = uvicorn.Server(uvicorn.Config(application, http=made, lifespan="off", log_config=None))
        opened = listener("127.0.0.1", free_port())
        tasks = [asyncio.create_task(server.serve(sockets=[opened])), asyncio.create_task(connection.end_slow(server))]
        found = []
        for sent in (b"", b"POST /predict HTTP/1.1\r\nHost", request(GOOD, "/predict")[:-5]):
            reader, writer = await asyncio.open_connection(*opened.getsockname())
            writer.write(sent)
            found.append(await asyncio.wait_for(reader.read(), 20))
            writer.close()
        server.should_exit = True
        tasks[1].cancel()
        await tasks[0]
        return found

    assert asyncio.run(closed()) == [b""] * 3


SERVICE = Service("sentiment", "7", "tenant-a", LinearModel(("negative", "positive"), None, []))
