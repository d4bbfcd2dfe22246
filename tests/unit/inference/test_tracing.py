"""Spans, as a collector receives them."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from conftest import running
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[ExportTraceServiceRequest] = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the base class's name
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "cluster=test")
        yield server
        server.shutdown()


def test_each_inference_is_a_span_under_its_callers(folder: Path, collector: Collector) -> None:
    with running(folder) as predictor:
        for flags, text in (("01", "good"), ("00", "bad")):
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "x-request-id": text}
            httpx.post(f"{predictor.http}/predict", json={"text": text}, headers=headers, trust_env=False)
        httpx.post(f"{predictor.http}/predict", json={}, trust_env=False)
        predictor.process.terminate()
        assert predictor.process.wait(timeout=30) == 0
        log = predictor.log.read_text()
    resources = [each for request in collector.received for each in request.resource_spans]
    told = {item.key: item.value.string_value for item in resources[0].resource.attributes}
    assert {"x-tenant": "tenant-a", "cluster": "test", "service.name": "ferryman-predictor"}.items() <= told.items()
    first, second = (span for each in resources for scope in each.scope_spans for span in scope.spans)
    assert (first.trace_id.hex(), first.parent_span_id.hex(), first.kind) == (TRACE, PARENT, Span.SPAN_KIND_SERVER)
    # The one that its caller did not sample is not sent.
    assert [attributes(first)["request_id"], attributes(second)["code"]] == ["good", "400"]
    assert first.end_time_unix_nano > first.start_time_unix_nano
    assert f'"trace_id":"{second.trace_id.hex()}"' in log


def attributes(span: Span) -> dict[str, str]:
    return {item.key: item.value.string_value for item in span.attributes}
