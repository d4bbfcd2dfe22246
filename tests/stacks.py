"""A laptop stack for tests, on free ports and in a folder of its own, by the commands that people type."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from infra.local.ports import is_free

__all__ = ["SAMPLE", "TENANTS", "Stack", "eventually", "free_ports", "suspended"]

TENANTS = ("tenant-a", "tenant-b")
SAMPLE = "4000"


# Below those that the system gives away, so that no predictor or connection of another stack takes one before its
# server listens there; each test process has a thousand of its own.
_ports = itertools.count(20_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def free_ports(count: int) -> list[int]:
    return list(itertools.islice(filter(is_free, _ports), count))


class Stack:
    """The commands that people type, run against this stack."""

    def __init__(self, home: Path) -> None:
        s3, mlflow, gateway, controller = free_ports(4)
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MLFLOW_", "FERRYMAN_"))
        }
        self.home = home
        self.gateway = f"http://127.0.0.1:{gateway}"
        self.mlflow = f"http://127.0.0.1:{mlflow}"
        self.controller = f"http://127.0.0.1:{controller}"
        self.environment = {
            **inherited,
            "FERRYMAN_HOME": str(home),
            "FERRYMAN_S3_PORT": str(s3),
            "FERRYMAN_MLFLOW_PORT": str(mlflow),
            "FERRYMAN_GATEWAY_PORT": str(gateway),
            "FERRYMAN_CONTROLLER_PORT": str(controller),
        }

    def run(
        self, *arguments: str, python: str = sys.executable, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m …` in a shell that has sourced the stack's addresses, as the Makefile does."""
        script = f'[ ! -f "{self.home}/env" ] || . "{self.home}/env"; exec "$@"'
        return subprocess.run(
            ["/bin/sh", "-c", script, "sh", python, "-m", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def ask(self, tenant: str, texts: Sequence[str] = ("a great film",), seconds: float = 10) -> httpx.Response:
        with self.caller(tenant, seconds) as ask:
            return ask(texts)

    @contextmanager
    def caller(self, tenant: str, seconds: float = 10) -> Iterator[Callable[[Sequence[str]], httpx.Response]]:
        """Yield what asks a tenant about texts, over and over on one connection."""
        host, place = {"Host": f"{tenant}.localhost"}, f"{self.gateway}/v1/models/sentiment:predict"
        with httpx.Client(headers=host, timeout=seconds, trust_env=False) as client:
            yield lambda texts: client.post(place, json={"instances": list(texts)})

    def served(self, tenant: str) -> str | None:
        answer = self.ask(tenant)
        return answer.headers["x-model-version"] if answer.status_code == 200 else None

    def status(self, tenant: str) -> dict[str, Any]:
        """The status that the controller keeps of a tenant's release."""
        return dict(json.loads((self.home / "releases" / f"{tenant}.json").read_text())["status"])

    def predictors(self) -> list[str]:
        return [word for word in self.run("infra.local", "status").stdout.split() if word.startswith("predictor-")]

    def pid(self, name: str) -> int:
        rows = [line.split("│") for line in self.run("infra.local", "status").stdout.splitlines() if "│" in line]
        return next(int(row[3]) for row in rows if row[1].strip() == name)


def eventually(holds: Callable[[], object], seconds: float = 60, instead: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except (httpx.HTTPError, OSError, ValueError, KeyError):
            pass
        time.sleep(0.2)
    assert holds(), instead()


@contextmanager
def suspended(stack: Stack, name: str) -> Iterator[None]:
    """A server that takes connections and answers nobody."""
    server = psutil.Process(stack.pid(name))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()
