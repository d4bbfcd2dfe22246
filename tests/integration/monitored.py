"""Prometheus and Alertmanager beside the stack of the tests, with every duration divided, and somebody who listens."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from conftest import TENANTS, Stack, eventually, free_ports

DIVISOR = 30
VARIABLES = {"tenant": ".+", "version": ".+", "__rate_interval": "10s"}
"""Grafana's variables: everything, over windows as long as a panel's would be."""

needs_prometheus = pytest.mark.skipif(
    not shutil.which("prometheus") or not (shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")),
    reason="NOT RUN: monitoring, for `prometheus` or `alertmanager` is not on PATH",
)


@dataclass(frozen=True)
class Call:
    """One alert in one call of the webhook."""

    time: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def about(self) -> tuple[str, str]:
        return self.labels["tenant"], self.labels["alertname"]


@dataclass
class Monitored:
    stack: Stack
    prometheus: str
    calls: list[Call] = field(default_factory=list)

    def fired(self) -> set[tuple[str, str]]:
        """Tenant and name of every alert that arrived."""
        return {call.about for call in self.calls if call.status == "firing"}

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(
            f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=20, trust_env=False
        ).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return list(answer["data"]["result"])

    def firing(self) -> set[tuple[str, str]]:
        found = self.query('ALERTS{alertstate="firing"}')
        return {(each["metric"]["tenant"], each["metric"]["alertname"]) for each in found}


@contextmanager
def monitored(stack: Stack, *, tenants: Sequence[str] = TENANTS) -> Iterator[Monitored]:
    """Watch the stack; each of the tenants, and the platform, has the same webhook."""
    prometheus, alertmanager = free_ports(2)
    watched = Monitored(stack, f"http://127.0.0.1:{prometheus}")

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            watched.calls += [
                Call(time.monotonic(), each["status"], each["labels"], each["annotations"]) for each in body["alerts"]
            ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receivers = stack.home / "monitoring" / "receivers"
    receivers.mkdir(parents=True, exist_ok=True)
    for name in (*tenants, "platform"):
        (receivers / name).write_text(f"http://127.0.0.1:{server.server_port}/{name}")
    environment = {"FERRYMAN_PROMETHEUS_PORT": str(prometheus), "FERRYMAN_ALERTMANAGER_PORT": str(alertmanager)}
    try:
        up = stack.run("monitoring", "up", "--faster", str(DIVISOR), **environment)
        assert up.returncode == 0, up.stderr
        eventually(lambda: all(float(each["value"][1]) for each in watched.query("up")), 30)
        yield watched
    finally:
        down = stack.run("monitoring", "down")
        assert down.returncode == 0, down.stderr
        server.shutdown()
        shutil.rmtree(stack.home / "monitoring")
