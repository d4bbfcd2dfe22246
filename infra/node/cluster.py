"""What is installed into a new cluster, and waiting until it answers."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.node import upstream
from infra.node.addresses import CLUSTER_DNS, NODE_NAME
from infra.node.errors import NodeError
from infra.node.layout import Layout

__all__ = ["CONTROLLERS", "Cluster"]

MANIFESTS = Path(__file__).with_name("manifests")
VOLUMES = 8
# The components whose files hold CustomResourceDefinitions.
_DEFINING = ("cilium", "gateway-api", "prometheus-operator", "kserve")
# Namespace and name of every Deployment that `up` waits for.
CONTROLLERS = (
    ("kube-system", "coredns"),
    ("kube-system", "metrics-server"),
    ("kserve", "kserve-controller-manager"),
    ("monitoring", "prometheus-operator"),
)


class Cluster:
    """The API server, through kubectl as the administrator."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def kubectl(self, *arguments: str, content: str | None = None) -> str:
        """Run kubectl and return what it printed."""
        done = subprocess.run(
            [self._layout.binary("kubernetes", "kubectl"), f"--kubeconfig={self._layout.kubeconfig}", *arguments],
            input=content,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NodeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def wait_for_server(self, seconds: float = 60) -> None:
        """Wait until the API server has everything that it starts with."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.kubectl("get", "--raw", "/readyz")
                self.kubectl("get", "priorityclass", "system-cluster-critical")
                return
            except NodeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def install_definitions(self) -> None:
        """Every CustomResourceDefinition in one call: each one alone makes the server rebuild its schema."""
        folders = [
            self._layout.component("cilium") / "files" / "crds",
            self._layout.component("gateway-api") / "files" / "standard",
            self._layout.component("prometheus-operator") / "files" / "prometheus-operator-crd",
            self._kserve("kserve-crds.yaml"),
        ]
        versions = "\n".join(f"{path} {(self._layout.component(path) / 'key').read_text()}" for path in _DEFINING)
        if self._is_new("definitions", versions):
            self._apply_files(folders)
            self._done("definitions", versions)

    def install_controllers(self, images: Mapping[str, str]) -> None:
        """CoreDNS, volumes, metrics-server, KServe's controller, prometheus-operator."""
        values = {**images, "cluster-dns": CLUSTER_DNS}
        own = [each for path in sorted(MANIFESTS.glob("*.yaml")) for each in _read(path, values)]
        release = self._kserve("kserve.yaml").read_text()
        names = ("kserve-webhook.crt", "kserve-webhook.key", "ca.crt")
        served, key, authority = (self._layout.key(name).read_bytes() for name in names)
        text = yaml.dump_all(
            [
                *own,
                *self._volumes(),
                *upstream.metrics_server(self._upstream("metrics-server", "base"), images["metrics-server"]),
                *upstream.prometheus_operator(
                    self._upstream("prometheus-operator", "prometheus-operator"),
                    images["prometheus-operator"],
                    images["prometheus-config-reloader"],
                ),
                *upstream.kserve(release, images["kserve-manager"], (served, key, authority)),
            ],
            Dumper=yaml.CSafeDumper,
        )
        if self._is_new("controllers", text):
            self.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", content=text)
            self._done("controllers", text)

    def wait_for_controllers(self, seconds: int = 120) -> None:
        """Wait until every controller is rolled out."""
        for namespace, name in CONTROLLERS:
            self.kubectl("rollout", "status", f"--namespace={namespace}", f"deployment/{name}", f"--timeout={seconds}s")
        self.kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", f"--timeout={seconds}s")

    def controllers(self) -> dict[str, str]:
        """Whether each controller is ready."""
        found = {}
        for each in yaml.safe_load(self.kubectl("get", "deployments", "--all-namespaces", "--output=yaml"))["items"]:
            place = (each["metadata"]["namespace"], each["metadata"]["name"])
            if place in CONTROLLERS:
                found["/".join(place)] = "Ready" if each["status"].get("readyReplicas") else "not ready"
        return found

    def wait_for_node(self, seconds: int = 60) -> None:
        """Wait until pods can run."""
        self.kubectl("wait", "--for=create", f"node/{NODE_NAME}", f"--timeout={seconds}s")
        self.kubectl("wait", "--for=condition=Ready", f"node/{NODE_NAME}", f"--timeout={seconds}s")

    def _kserve(self, name: str) -> Path:
        [path] = (self._layout.component("kserve") / "files").glob(f"*/{name}")
        return path

    def _upstream(self, component: str, folder: str) -> list[dict[str, Any]]:
        paths = sorted((self._layout.component(component) / "files" / folder).glob("*.yaml"))
        return [each for path in paths if path.name != "kustomization.yaml" for each in _read(path, {})]

    def _volumes(self) -> Iterable[dict[str, Any]]:
        for number in range(VOLUMES):
            folder = self._layout.state / "volumes" / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"local-{number}"},
                "spec": {
                    "capacity": {"storage": "10Gi"},
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "standard",
                    "persistentVolumeReclaimPolicy": "Retain",
                    "local": {"path": str(folder)},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
                },
            }

    def _is_new(self, what: str, content: str) -> bool:
        stamp = self._layout.state / "installed" / what
        return not stamp.exists() or stamp.read_text() != _digest(content)

    def _done(self, what: str, content: str) -> None:
        stamp = self._layout.state / "installed" / what
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(_digest(content))

    def _apply_files(self, paths: Iterable[Path]) -> None:
        names = [f"--filename={path}" for path in paths]
        self.kubectl("apply", "--server-side", "--force-conflicts", "--recursive", *names)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path, values: Mapping[str, str]) -> list[dict[str, Any]]:
    text = re.sub(r"\{\{([a-z-]+)\}\}", lambda match: values[match.group(1)], path.read_text())
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
