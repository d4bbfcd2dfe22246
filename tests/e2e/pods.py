"""Pods that the tests run their scripts in."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.platform.cluster import Cluster, kubectl_binary
from infra.platform.errors import PlatformError

SCRIPTS = Path(__file__).with_name("scripts")
TEXT = "a quiet, moving film that stays with you"
GATEWAY = "gateway.gateway.svc.cluster.local"


def pod(
    name: str, namespace: str, image: str, labels: Mapping[str, str] | None = None, *arguments: str
) -> dict[str, Any]:
    """A pod that passes every policy; without arguments it waits to be used."""
    command = ["python3", "-c", "import signal; signal.sigwait([signal.SIGTERM])"]
    if arguments:
        command = ["python3", "-c", (SCRIPTS / arguments[0]).read_text(), *arguments[1:]]
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Always",
        "command": command,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            # Never Ready: a pod that carries another's labels must not get its Service's traffic.
            "readinessGates": [{"conditionType": "ferryman.dev/never"}],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def start(cluster: Cluster, *pods: dict[str, Any]) -> None:
    """Start pods and wait until they run."""
    cluster.apply(pods)
    for made in pods:
        name, namespace = made["metadata"]["name"], made["metadata"]["namespace"]
        running = ["--for=condition=ContainersReady", "--timeout=90s"]
        cluster.kubectl("wait", f"pod/{name}", "--namespace", namespace, *running)


def address(cluster: Cluster, namespace: str, name: str) -> str:
    """The pod's own address."""
    found = cluster.get("pod", name, namespace)
    assert found, f"no pod {name} in {namespace}"
    return str(found["status"]["podIP"])


def run(cluster: Cluster, namespace: str, name: str, script: str, *arguments: str) -> Any:
    """Run a script in a pod and return the JSON that it prints."""
    text = (SCRIPTS / script).read_text()
    return json.loads(
        cluster.kubectl("exec", "--namespace", namespace, name, "--", "python3", "-c", text, *arguments, seconds=180)
    )


@dataclass
class Load:
    """What a load generator counted; filled when its block ends."""

    codes: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    faults: list[Any] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.codes.values())

    @property
    def lost(self) -> int:
        return self.total - self.codes.get("200", 0)


@contextmanager
def load(
    host: str, *, threads: int = 4, texts: int = 1, pause: float = 0.02, text: str = TEXT, name: str = "client"
) -> Iterator[Load]:
    """Ask a tenant through the gateway for as long as the block runs; ``first`` and ``last`` are times by version."""
    command = [kubectl_binary(), "exec", "-i", "--namespace", "e2e", name, "--", "python3"]
    with _load(command, GATEWAY, host, str(threads), str(texts), str(pause), text) as counted:
        yield counted


@contextmanager
def load_of_the_node(gateway: str, host: str) -> Iterator[Load]:
    """The same from the node itself, which is this machine: it goes on while the API server is down."""
    command = [sys.executable, "-m", "infra.node", "exec", "--", "python3"]
    with _load(command, gateway, host, "4", "1", "0.02", TEXT) as counted:
        yield counted


@contextmanager
def _load(command: list[str], *arguments: str) -> Iterator[Load]:
    counted = Load()
    command = [*command, "-c", (SCRIPTS / "load.py").read_text(), *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield counted
    finally:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    said = json.loads(out)
    counted.codes, counted.versions, counted.faults = said["codes"], said["versions"], said["faults"]
    counted.first, counted.last = said["first"], said["last"]


def eventually(
    holds: Callable[[], object], seconds: float = 60, pause: float = 0.5, instead: Callable[[], object] = str
) -> None:
    """Wait until something holds, or say what is the case ``instead``; a cluster that does not answer is waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except (PlatformError, ValueError, KeyError):
            pass
        time.sleep(pause)
    assert holds(), instead()
