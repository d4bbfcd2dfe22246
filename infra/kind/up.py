"""`python -m infra.kind.up`: a cluster in Docker with what the platform stands on, and a registry with our images.

NOT RUN by this project's own tests, which have no Docker. They run the node rig, whose controllers these are.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.images.build import Builder
from infra.images.engine import Engine
from infra.images.errors import ImageError
from infra.local.settings import Settings
from infra.node import certificates, components, upstream
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError

_CLUSTER = "ferryman"
_REGISTRY = "ferryman-registry"
_PUSHED = "localhost:5001"
_HERE = Path(__file__).parent
_NEEDED = ("docker", "kind", "kubectl", "go")


def main() -> int:
    """Make the cluster and fill it; a second time changes what differs. Returns 0, or 1 with the reason on stderr."""
    try:
        absent = [program for program in _NEEDED if shutil.which(program) is None]
        if absent:
            raise PlatformError(f"not on PATH: {', '.join(absent)}")
        _registry()
        _cluster()
        _controllers()
        builder = Builder(Engine("docker"), Settings().home / "kind-images", lambda line: print(line, flush=True))
        file = builder.build([], registry=_PUSHED)
    except (PlatformError, ImageError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"kind is up. Next: make e2e-cluster KUBECONFIG=~/.kube/config IMAGES={file}")
    return 0


def _run(*command: str, given: str | None = None) -> str:
    print(" ".join(command[:6]), flush=True)
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True).stdout


def _registry() -> None:
    if _REGISTRY not in _run("docker", "ps", "--all", "--format", "{{.Names}}").split():
        _run(
            "docker",
            "run",
            "--detach",
            "--restart=always",
            f"--publish=127.0.0.1:{_PUSHED.rpartition(':')[2]}:5000",
            f"--name={_REGISTRY}",
            "registry:3",
        )


def _cluster() -> None:
    if _CLUSTER not in _run("kind", "get", "clusters").split():
        _run("kind", "create", "cluster", "--name", _CLUSTER, "--config", str(_HERE / "cluster.yaml"))
    if (
        _REGISTRY
        not in _run(
            "docker", "network", "inspect", "kind", "--format", "{{range .Containers}}{{.Name}} {{end}}"
        ).split()
    ):
        _run("docker", "network", "connect", "kind", _REGISTRY)
    hosts = f"/etc/containerd/certs.d/{_PUSHED}"
    for node in _run("kind", "get", "nodes", "--name", _CLUSTER).split():
        _run("docker", "exec", node, "mkdir", "-p", hosts)
        entry = f'[host."http://{_REGISTRY}:5000"]\n'
        _run("docker", "exec", "--interactive", node, "cp", "/dev/stdin", f"{hosts}/hosts.toml", given=entry)


def _controllers() -> None:
    """Gateway API, metrics-server, KServe and prometheus-operator, from the modules that the node rig builds."""
    cluster = Cluster()
    folders = {found.name: _module(found) for found in components.load()}
    release = next(folders["kserve"].glob("install/*/kserve.yaml"))
    definitions = [
        release.with_name("kserve-crds.yaml"),
        *sorted(folders["gateway-api"].glob("config/crd/standard/*.yaml")),
    ]
    operator = folders["prometheus-operator"]
    definitions += sorted((operator / "example" / "prometheus-operator-crd").glob("*.yaml"))
    cluster.apply([found for file in definitions if file.name != "kustomization.yaml" for found in _read(file)])
    namespaces = ("kserve", "monitoring")
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces])
    webhook = certificates.server_certificate(["kserve-webhook-server-service.kserve.svc"])
    metrics = _read_folder(folders["metrics-server"] / "manifests" / "base")
    operating = _read_folder(operator / "example" / "rbac" / "prometheus-operator")
    serving = release.read_text()
    reloader = re.search(r"--prometheus-config-reloader=(\S+)", json.dumps(operating).replace('"', " "))
    cluster.apply(
        [
            *upstream.metrics_server(metrics, _image(metrics)),
            *upstream.prometheus_operator(operating, _image(operating), reloader[1] if reloader else ""),
            *upstream.kserve(serving, _image(list(_parse(serving))), webhook),
        ]
    )


def _image(manifests: list[dict[str, Any]]) -> str:
    """Return the image that upstream names for its first Deployment's manager."""
    deployment = next(found for found in manifests if found["kind"] == "Deployment")
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return str(next((found for found in containers if found["name"] == "manager"), containers[0])["image"])


def _module(component: components.Component) -> Path:
    asked = f"{component.module}@{component.version}"
    return Path(json.loads(_run("go", "mod", "download", "-json", asked))["Dir"])


def _read(file: Path) -> Iterator[dict[str, Any]]:
    # One CRD has a lone `=` as a word, for which YAML 1.1 has a type.
    return _parse(re.sub(r"^(\s+- )=$", r'\1"="', file.read_text(), flags=re.MULTILINE))


def _parse(text: str) -> Iterator[dict[str, Any]]:
    return (found for found in yaml.load_all(text, yaml.CSafeLoader) if found)


def _read_folder(folder: Path) -> list[dict[str, Any]]:
    files = (file for file in sorted(folder.glob("*.yaml")) if file.name != "kustomization.yaml")
    return [found for file in files for found in _read(file)]


if __name__ == "__main__":
    sys.exit(main())
