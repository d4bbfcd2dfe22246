"""The callers, on core 1: wrk for what a server can do at most, an open loop for how long it takes at a given rate."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvloop
from servers import HTTP_PORT, RPC_PORT, Server
from tritonclient.grpc import service_pb2 as pb

__all__ = ["Rate", "closed_rpc", "health_under_overload", "open_loop", "saturate"]

_CONNECTIONS = 16
_OPEN_CONNECTIONS = 128
_DRAIN_SECONDS = 2
_MANY_CONNECTIONS = 1_000
_PROBE_SECONDS = 0.02


@dataclass(frozen=True)
class Rate:
    """What came of a load: answers a second, those that were no 200 and those that never came, and latencies in ms."""

    throughput: float
    errors: int
    p50: float
    p95: float
    p99: float


def health_under_overload(server: Server, text: str, seconds: float) -> dict[str, float]:
    """Return latencies in ms of readiness, asked 50 times a second while 1,000 connections always ask for a text."""
    probe = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=30)
    waited: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(saturate, server, [text], seconds, _MANY_CONNECTIONS)
        while not busy.done():
            begun = time.perf_counter()
            probe.request("GET", server.ready)
            answer = probe.getresponse()
            answer.read()
            waited.append(1000 * (time.perf_counter() - begun))
            time.sleep(_PROBE_SECONDS)
    rate, _ = busy.result()
    ranked = statistics.quantiles(waited, n=100)
    return {"p50": ranked[49], "p99": ranked[98], "largest": max(waited), "throughput": rate.throughput}


def saturate(server: Server, texts: list[str], seconds: float, connections: int = _CONNECTIONS) -> tuple[Rate, int]:
    """Return what connections get that always wait for an answer, and how many requests that were."""
    body = server.body(texts).decode()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\nwrk.headers['Content-Type'] = 'application/json'\n"
            "function done(summary, latency, requests)\n"
            "  local e = summary.errors\n"
            "  io.write(string.format('RESULT %d %d %d %f %f %f\\n', summary.requests, summary.duration,\n"
            "    e.status + e.connect + e.read + e.write + e.timeout,\n"
            "    latency:percentile(50), latency:percentile(95), latency:percentile(99)))\nend\n"
        )
        script.flush()
        command = ["taskset", "--cpu-list", "1", "wrk", "--threads", "1", "--connections", str(connections)]
        command += ["--duration", f"{seconds:.0f}s", "--timeout", "10s", "--script", script.name]
        command.append(f"http://127.0.0.1:{HTTP_PORT}{server.path}")
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)", output)
    if found is None:
        raise SystemExit(f"wrk said nothing about {server.name}: {output}")
    count, microseconds, errors = (int(each) for each in found.groups()[:3])
    p50, p95, p99 = (float(each) / 1000 for each in found.groups()[3:])
    return Rate((count - errors) / (microseconds / 1e6), errors, p50, p95, p99), count


def open_loop(server: Server, text: str, rate: int, seconds: float) -> Rate:
    """Return what callers see that send ``rate`` requests a second whatever comes back.

    A latency counts from the moment at which its request was due, so that a server that stalls cannot hide it.
    """
    os.sched_setaffinity(0, {1})
    return uvloop.run(_open_loop(server, text, rate, seconds))


class _Caller(asyncio.Protocol):
    """One connection with one request under way at most."""

    def __init__(self, free: deque[_Caller], latencies: list[float], failed: list[bytes]) -> None:
        self._free, self._latencies, self._failed = free, latencies, failed
        self._due = 0.0
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._free.append(self)

    def send(self, asked: bytes, due: float) -> None:
        self._due = due
        self.transport.write(asked)  # type: ignore[attr-defined] # of TCP it is a Transport, which has it

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        complete = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        if not found or not complete:
            return
        self._latencies.append(time.perf_counter() - self._due)
        if not head.startswith(b"HTTP/1.1 200"):
            self._failed.append(head)
        self._read = b""
        self._free.append(self)


async def _open_loop(server: Server, text: str, rate: int, seconds: float) -> Rate:
    body = server.body([text])
    lines = [f"POST {server.path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    asked = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
    free: deque[_Caller] = deque()
    latencies: list[float] = []
    failed: list[bytes] = []
    loop = asyncio.get_running_loop()
    for _ in range(_OPEN_CONNECTIONS):
        await loop.create_connection(lambda: _Caller(free, latencies, failed), "127.0.0.1", HTTP_PORT)
    waiting: deque[float] = deque()
    count, sent = int(rate * seconds), 0
    begun = time.perf_counter()
    # The generator has its core to itself: turning without sleep, it is never late by a timer's granularity.
    while (sent < count or waiting) and time.perf_counter() - begun < seconds + _DRAIN_SECONDS:
        now = time.perf_counter()
        while sent < count and begun + sent / rate <= now:
            waiting.append(begun + sent / rate)
            sent += 1
        while waiting and free:
            free.popleft().send(asked, waiting.popleft())
        await asyncio.sleep(0)
    while len(latencies) < count and time.perf_counter() - begun < seconds + _DRAIN_SECONDS:
        await asyncio.sleep(0)
    took = time.perf_counter() - begun
    return _rate(latencies, len(failed) + count - len(latencies), took)


def closed_rpc(text: str, seconds: float) -> Rate:
    """Return what 16 gRPC callers get that always wait for an answer."""
    os.sched_setaffinity(0, {1})
    return asyncio.run(_closed_rpc(text, seconds))


async def _closed_rpc(text: str, seconds: float) -> Rate:
    raw = text.encode()
    tensor = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(raw)
    asked = pb.ModelInferRequest(model_name="sentiment", inputs=[tensor]).SerializeToString()
    latencies: list[float] = []
    failed = 0
    async with grpc.aio.insecure_channel(f"127.0.0.1:{RPC_PORT}") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        begun = time.perf_counter()

        async def caller() -> None:
            nonlocal failed
            while (now := time.perf_counter()) - begun < seconds:
                try:
                    answer = pb.ModelInferResponse.FromString(await call(asked))
                    failed += not answer.outputs
                except grpc.RpcError:
                    failed += 1
                latencies.append(time.perf_counter() - now)

        await asyncio.gather(*(caller() for _ in range(_CONNECTIONS)))
        took = time.perf_counter() - begun
    return _rate(latencies, failed, took)


def _rate(latencies: list[float], errors: int, took: float) -> Rate:
    ranked = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    p50, p95, p99 = (1000 * ranked[at] for at in (49, 94, 98))
    return Rate(max(len(latencies) - errors, 0) / took, errors, p50, p95, p99)


if __name__ == "__main__":
    # In a process of its own, so that its core is not this benchmark's.
    import sys

    from servers import servers

    kind, name, rate, span, text, *places = json.loads(sys.argv[1])
    chosen = next(each for each in servers(*(Path(each) for each in places)) if each.name == name)
    result = closed_rpc(text, span) if kind == "rpc" else open_loop(chosen, text, rate, span)
    print(json.dumps(result.__dict__))
