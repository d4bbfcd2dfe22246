"""How long the move of one alias takes for a thousand tenants: `python benchmarks/release_scale.py FROM TO`.

On the node rig with the platform installed, as root. The API server, KServe, the gateway, MLflow and the controller are
real; nodes and pods are kwok's. Every pod's address leads to one real predictor, which answers smoke sets and metrics.
FROM and TO are two registered versions that may be released: every tenant begins with FROM, then the alias moves to TO.

Printed are the seconds until every ModelRelease names the version (planned), has its InferenceService (applied) and is
Stable, then the controller's memory and processor time, and its calls by the audit log of the API server.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import yaml

from artifact.names import MODEL
from infra.node import build, sandbox
from infra.node.layout import Layout
from infra.platform.cluster import Cluster
from infra.platform.manifests import ROOT
from infra.platform.trust import write_trust
from release.platforms.kubernetes.api import Api
from release.platforms.kubernetes.mirror import Mirror

_ALIAS = "scale"
_PODS = "10.9.0.1/32"
_STAGES = Path(__file__).with_name("kwok_stages.yaml")
_RESOLV = "nameserver 10.96.0.10\nsearch svc.cluster.local cluster.local\noptions ndots:5\n"
_ACCOUNT = "system:serviceaccount:release:release-controller"
_NODE = {"type": "kwok"}
_KSERVE = ("--namespace=kserve", "deployment/kserve-controller-manager")
# What its release asks for; the rig's node has no room for that beside everything else that its suite starts.
_KSERVE_CPU = "100m"


class Told(NamedTuple):
    """What is kept of a ModelRelease."""

    phase: str
    target: int
    stable: int


_Releases = Mirror[Told]


class Rig:
    """The node, and commands among its processes with the keys of the release controller."""

    def __init__(self) -> None:
        self.layout = Layout.from_environment()
        os.environ["KUBECONFIG"] = str(self.layout.kubeconfig)
        self.cluster = Cluster()
        self.home = self.layout.state / "scale"
        write_trust(self.cluster, self.home / "trust")
        (self.home / "resolv.conf").write_text(_RESOLV)
        (self.home / "kubeconfig").write_text(self._own_kubeconfig())

    @contextmanager
    def running(self, name: str, *command: str, inside: bool = True) -> Iterator[psutil.Process]:
        """Run a command until the block ends; ``inside``: in the node's network, with the cluster's names."""
        if inside:
            script = f'mount --bind {self.home}/resolv.conf /etc/resolv.conf; cd {ROOT}; exec "$@"'
            command = ("unshare", "--mount", "sh", "-c", script, "sh", *command)
            command = tuple(sandbox.enter(sandbox.init() or 0, command))
        with (self.home / f"{name}.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment())
        try:
            yield psutil.Process(process.pid)
        finally:
            if process.poll() is None:
                family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
                for each in family:
                    each.terminate()
                for each in psutil.wait_procs(family, timeout=20)[1]:
                    each.kill()
            process.wait(30)

    def _environment(self) -> dict[str, str]:
        keys = {**self._secret("registry"), **self._secret("publisher")}
        addresses = {
            "MLFLOW_TRACKING_URI": "http://mlflow.mlflow:5000",
            "MLFLOW_S3_ENDPOINT_URL": "http://minio.minio:9000",
            "AWS_ENDPOINT_URL": "http://minio.minio:9000",
            "FERRYMAN_TRUSTED_KEYS": str(self.home / "trust"),
            "KUBECONFIG": str(self.home / "kubeconfig"),
        }
        return {**os.environ, **keys, **addresses}

    def _secret(self, name: str) -> dict[str, str]:
        found = self.cluster.get("secret", name, "release") or {"data": {}}
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def _own_kubeconfig(self) -> str:
        """The controller's account, as its pods have it: what it may do is part of what is measured."""
        made = yaml.safe_load(self.layout.kubeconfig.read_text())
        token = self.cluster.kubectl("create", "token", "release-controller", "--namespace=release", "--duration=2h")
        made["users"] = [{"name": made["users"][0]["name"], "user": {"token": token.strip()}}]
        return yaml.safe_dump(made)


def tenants(cluster: Cluster, count: int) -> None:
    """Make them: a namespace, what the controller may do there, an account, and the ModelRelease that ships."""
    shipped = yaml.safe_load((ROOT / "kserve" / "base" / "modelrelease.yaml").read_text())
    batch: list[dict[str, Any]] = []
    for number in range(count):
        name = f"scale-{number:04d}"
        release = json.loads(json.dumps(shipped))
        release["metadata"]["namespace"] = name
        release["spec"] |= {
            "alias": _ALIAS,
            "route": {**shipped["spec"]["route"], "hostnames": [f"{name}.example.com"]},
        }
        release["spec"]["strategy"] = {"blueGreen": {"keepPrevious": "1h"}}
        toleration = {"key": "kwok", "operator": "Exists"}
        release["spec"]["template"]["spec"]["predictor"] |= {
            "minReplicas": 1,
            "nodeSelector": _NODE,
            "tolerations": [toleration],
        }
        labels = {"ferryman.dev/tenant": name, "scale": "true"}
        metadata = {"name": name, "labels": labels, "annotations": {"ferryman.dev/models": MODEL}}
        subject = {"kind": "ServiceAccount", "name": "release-controller", "namespace": "release"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ferryman-release-tenant"}
        batch += [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata},
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "release-controller", "namespace": name},
                "roleRef": role,
                "subjects": [subject],
            },
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "predictor", "namespace": name}},
            release,
        ]
        if len(batch) >= 400 or number == count - 1:
            cluster.kubectl("create", "-f", "-", given=yaml.dump_all(batch, Dumper=yaml.CSafeDumper), seconds=300)
            batch = []


def nodes(cluster: Cluster) -> None:
    """Make kwok's nodes; nothing else is placed there."""
    taint = {"key": "kwok", "value": "true", "effect": "NoSchedule"}
    cluster.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": f"kwok-{number}", "labels": _NODE},
                "spec": {"taints": [taint]},
            }
            for number in range(3)
        ]
    )


def move(rig: Rig, version: int) -> float:
    """Move the alias, and return the moment before."""
    code = (
        "import time; from registry.client import Registry; registry = Registry(); print(time.time(), flush=True); "
        f"registry.set_alias({MODEL!r}, {_ALIAS!r}, {version})"
    )
    with rig.running("move", sys.executable, "-c", code) as process:
        process.wait()
    return float((rig.home / "move.log").read_text().split()[0])


def until(seconds: float, holds: Callable[[], int], count: int, begun: float) -> float | None:
    """Wait until ``holds`` counts all, and return the seconds since ``begun``, or None when it never did."""
    while time.time() - begun < seconds:
        if holds() >= count:
            return round(time.time() - begun, 1)
        time.sleep(0.2)
    return None


def calls(log: Path, since: int) -> Counter[str]:
    """Count the controller's calls that the audit log has from a byte on, by verb and resource."""
    counted: Counter[str] = Counter()
    with log.open("rb") as file:
        file.seek(since)
        for line in file:
            if _ACCOUNT.encode() in line:
                event = json.loads(line)
                resource = event.get("objectRef", {})
                name = "/".join(filter(None, (resource.get("resource"), resource.get("subresource"))))
                if event["stage"] == "ResponseComplete":
                    counted[f"{event['verb']} {name}"] += 1
    return counted


def rest(watched: Sequence[Mirror[str]], seconds: float = 10) -> None:
    """Wait until nobody has written any of these for so long."""
    before: list[Mapping[tuple[str, str], str]] = []
    while (now := [each.objects() for each in watched]) != before:
        before = now
        time.sleep(seconds)


def measure(rig: Rig, releases: _Releases, version: int, controller: psutil.Process, seconds: float) -> None:
    """Move the alias, and print when everybody has come how far."""
    count = sum(1 for _ in _ours(releases))
    services: Mirror[bool] = Mirror(Api(), "inferenceservices", lambda _: True)
    services.wait()
    audit = rig.layout.logs / "audit.log"
    since, used = audit.stat().st_size, _processor(controller)
    name = f"{MODEL}-v{version}"
    begun = move(rig, version)

    planned = until(seconds, lambda: sum(each.target == version for each in _ours(releases)), count, begun)
    applied = until(
        seconds, lambda: sum(n == name for ns, n in services.objects() if ns.startswith("scale-")), count, begun
    )
    memory = _memory(controller)
    print(f"version {version}: planned after {planned} s, applied after {applied} s", flush=True)
    print(f"  calls until then: {dict(calls(audit, since).most_common())}", flush=True)
    stable = until(
        seconds,
        lambda: sum(each.phase == "Stable" and each.stable == version for each in _ours(releases)),
        count,
        begun,
    )
    print(f"  stable everywhere after {stable} s", flush=True)
    mebibytes = max(memory, _memory(controller)) / 2**20
    print(f"  controller: {mebibytes:.0f} MiB, {_processor(controller) - used:.0f} s of a core", flush=True)


def _ours(mirror: _Releases) -> Iterator[Told]:
    """Every tenant's release."""
    return (found for (namespace, _), found in mirror.objects().items() if namespace.startswith("scale-"))


def _reduced(found: Mapping[str, Any]) -> Told:
    status = found.get("status", {})
    stable = status.get("stable", {}).get("version", 0)
    return Told(status.get("phase", ""), status.get("target", 0), stable)


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _memory(process: psutil.Process) -> int:
    return max(each.memory_info().rss for each in _family(process))


def _processor(process: psutil.Process) -> float:
    return float(sum(sum(each.cpu_times()[:2]) for each in _family(process)))


def main() -> None:
    """Measure, and leave the cluster as it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("FROM", "TO"):
        parser.add_argument(name, type=int)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1200, help="when to give up (default: %(default)s)")
    chosen = parser.parse_args()
    rig = Rig()
    build.build(rig.layout.cache, print, beside=("kwok",))
    released = rig.cluster.find("inferenceservice", "ferryman.dev/version", None)[0]["spec"]["predictor"]["model"]
    deployment = ("--namespace=release", "deployment/release-controller")
    rig.cluster.kubectl("scale", *deployment, "--replicas=0")
    with ExitStack() as stack:
        stack.callback(rig.cluster.kubectl, "scale", *deployment, "--replicas=2")
        rig.cluster.kubectl("set", "resources", *_KSERVE, "--containers=manager", f"--requests=cpu={_KSERVE_CPU}")
        stack.callback(rig.cluster.kubectl, "rollout", "undo", *_KSERVE)
        rig.cluster.kubectl("rollout", "status", *_KSERVE, "--timeout=120s", seconds=150)
        stack.callback(rig.cluster.kubectl, "delete", "node", "--selector=type=kwok", "--wait=false")
        route = sandbox.enter(sandbox.init() or 0, ["ip", "route", "replace", "local", _PODS, "dev", "lo"])
        subprocess.run(route, check=True)
        kwok = [rig.layout.binary("kwok", "kwok"), "--kubeconfig", str(rig.layout.kubeconfig), "--config", str(_STAGES)]
        kwok += ["--node-lease-duration-seconds=40", "--manage-nodes-with-label-selector=type=kwok"]
        stack.enter_context(rig.running("kwok", *kwok, inside=False))
        # While kwok still ends their pods.
        stack.callback(
            rig.cluster.kubectl, "delete", "namespace", "--selector=scale=true", "--wait=true", seconds=chosen.seconds
        )
        answering = ("--tenant=scale", "--host=0.0.0.0", "--http-port=8080", "--grpc-port=8081")
        predictor = (sys.executable, "-m", "inference", "--storage-uri", released["storageUri"], *answering)
        stack.enter_context(rig.running("predictor", *predictor))
        nodes(rig.cluster)
        begun = time.monotonic()
        tenants(rig.cluster, chosen.tenants)
        print(f"{chosen.tenants} tenants made in {time.monotonic() - begun:.0f} s", flush=True)
        daemon = (sys.executable, "-m", "release.platforms.kubernetes.daemon")
        controller = stack.enter_context(rig.running("controller", *daemon))
        releases: _Releases = Mirror(Api(), "modelreleases", _reduced)
        releases.wait()
        # It leads, and has looked at everybody once.
        until(300, lambda: sum(bool(each.phase) for each in _ours(releases)), chosen.tenants, time.time())
        kinds = ("inferenceservices", "deployments", "httproutes")
        others = [Mirror(Api(), kind, lambda found: str(found["metadata"]["resourceVersion"])) for kind in kinds]
        for each in others:
            each.wait()
        for version in (chosen.FROM, chosen.TO):
            # Not until the registry was told: that takes a quarter of an hour, and gives way to the next move.
            rest(others)
            measure(rig, releases, version, controller, chosen.seconds)


if __name__ == "__main__":
    main()
