"""The node comes, survives and goes. It takes minutes and the machine's only node: `make node-test` runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.node import node, sandbox, supervisor
from infra.node.addresses import NODE_NAME
from infra.node.cluster import Cluster
from infra.node.layout import Layout

LAYOUT = Layout.from_environment()
# What kubelet, kube-proxy and Cilium would set for the whole machine.
SETTINGS = (
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/unprivileged_bpf_disabled",
    "kernel/timer_migration",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
)


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _traces() -> dict[str, object]:
    """Everything of the machine that a node could leave something in."""
    return {
        "mounts": sorted(
            line.split(" - ")[0].split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        ),
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "routes": _printed("ip", "route", "show", "table", "all"),
        "named namespaces": _printed("ip", "netns", "list"),
        "rules": [line for line in _printed("iptables-save").splitlines() if not line.startswith(("#", ":"))],
        "control groups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{NODE_NAME}")),
        "pinned programs": sorted(path.name for path in Path("/sys/fs/bpf").glob("*")),
        "settings": {name: _setting(name) for name in SETTINGS},
        "processes": _of_the_node(),
    }


def _setting(name: str) -> str:
    path = Path("/proc/sys") / name
    return path.read_text() if path.exists() else ""


def _of_the_node() -> list[str]:
    """Processes of other PID namespaces, and those that work in the node's folder."""
    own = Path("/proc/self/ns/pid").readlink()
    found = []
    for process in psutil.process_iter():
        try:
            apart = Path(f"/proc/{process.pid}/ns/pid").readlink() != own
            if apart or f"{LAYOUT.cache}/" in " ".join(process.cmdline()):
                found.append(process.name())
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def before() -> Iterator[dict[str, object]]:
    if sandbox.init() is not None or LAYOUT.state.exists():
        pytest.skip("there is a cluster already, and this would delete it: make node-down")
    yield _traces()
    node.down(LAYOUT)


def test_the_node_comes_survives_and_goes_without_a_trace(before: dict[str, object]) -> None:
    node.up(LAYOUT, print)
    cluster = Cluster(LAYOUT)
    cluster.kubectl("create", "configmap", "kept", "--from-literal=a=b")

    # Any one program killed comes back by itself.
    pid = sandbox.init()
    assert pid is not None
    for name in ("etcd", "kube-apiserver", "containerd", "kubelet", "cilium-agent"):
        [victim] = [child for child in psutil.Process(pid).children() if child.name() in (name, name[:15])]
        victim.kill()
    _until_all_run(pid)
    cluster.wait_for_server()
    cluster.wait_for_controllers()

    # A power cut loses nothing.
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(30)
    node.up(LAYOUT, print)
    assert "kept" in cluster.kubectl("get", "configmaps", "--output=name")

    # Killed again and not started: down still cleans up.
    pid = sandbox.init()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    node.down(LAYOUT)
    assert not LAYOUT.state.exists()
    after = _traces()
    for kind, found in before.items():
        assert after[kind] == found, kind


def _until_all_run(pid: int) -> None:
    deadline = time.monotonic() + 60
    while set(supervisor.states(pid).values()) != {"RUNNING"}:
        assert time.monotonic() < deadline, supervisor.states(pid)
        time.sleep(0.5)
