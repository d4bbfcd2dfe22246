"""Spans for OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` says who collects them; needs the extra `tracing`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

__all__ = ["Tracer", "from_environment"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SERVICE = "ferryman-predictor"
_FAULTS = {"500", "INTERNAL"}
_log = logging.getLogger("inference")


class Tracer:
    """Makes a span of each answer, after it was given; a thread of the SDK's sends them."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        """Take what all spans have in common; everything else is read from `OTEL_*`, as the SDK documents it.

        Raises:
            ImportError: the extra is not installed.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        known = Resource.create({SERVICE_NAME: _SERVICE, **resource}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=known)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("inference")
        self._context = TraceContextTextMapPropagator().extract
        self._kind = SpanKind.SERVER
        self._fault = Status(StatusCode.ERROR)

    def answered(self, protocol: str, code: str, seconds: float, request_id: str, traceparent: str | None) -> str:
        """Make a span that ended now, and return its trace's id, or an empty string when it is not sampled."""
        end = time.time_ns()
        parent = self._context({"traceparent": traceparent}) if traceparent else None
        attributes = {"protocol": protocol, "code": code, "request_id": request_id}
        start = end - int(seconds * 1e9)
        span = self._tracer.start_span(
            f"infer {protocol}", parent, kind=self._kind, attributes=attributes, start_time=start
        )
        if code in _FAULTS:
            span.set_status(self._fault)
        span.end(end)
        found = span.get_span_context()
        return f"{found.trace_id:032x}" if found.trace_flags.sampled else ""

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()


def from_environment(environment: Mapping[str, str], resource: Mapping[str, str]) -> Tracer | None:
    """Return a tracer if one is asked for; if it cannot be had, the log says so and requests are served without."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(map(environment.get, _ENDPOINTS)):
        return None
    try:
        return Tracer(resource)
    except ImportError:
        _log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but ferryman[tracing] is not installed: no spans are sent")
        return None
