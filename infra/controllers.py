"""`python -m infra.controllers`: what the platform stands on, on the cluster that KUBECONFIG names.

The Gateway API, metrics-server, KServe in Standard mode and prometheus-operator, in the versions of the node rig
(infra/node/components.toml). Their manifests lie in the Go modules that the rig builds; images are upstream's own.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from infra.node import certificates, components, upstream
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError

__all__ = ["definitions", "install", "main", "workloads"]

Object = dict[str, Any]

_USED = ("kserve", "gateway-api", "prometheus-operator", "metrics-server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Install them; a second time changes what differs. Returns 0, or 1 with the reason on stderr."""
    argparse.ArgumentParser(
        prog="python -m infra.controllers",
        description="The Gateway API, metrics-server, KServe and prometheus-operator, on the cluster of KUBECONFIG.",
    ).parse_args(arguments)
    try:
        install(Cluster(), lambda line: print(line, flush=True))
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def install(cluster: Cluster, say: Callable[[str], None]) -> None:
    """Apply kinds, namespaces and controllers; metrics-server only where nobody else serves metrics.

    Raises:
        PlatformError: go is not on PATH, a module cannot be had, or the cluster refuses something.
    """
    folders = {found.name: _module(found) for found in components.load() if found.name in _USED}
    kinds = definitions(folders)
    cluster.apply(kinds)
    say(f"{len(kinds)} kinds applied")
    namespaces = ("kserve", "monitoring")
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces])
    metrics = cluster.get("apiservice", "v1beta1.metrics.k8s.io") or {"metadata": {}}
    # EKS' add-on and Helm's charts have this label, ours has not.
    others = "app.kubernetes.io/managed-by" in metrics["metadata"].get("labels", {})
    objects = workloads(folders, with_metrics_server=not others)
    cluster.apply(objects)
    say(f"{len(objects)} objects of the controllers applied")


def definitions(folders: dict[str, Path]) -> list[Object]:
    """Return the kinds of KServe, the Gateway API and prometheus-operator, from their modules' folders."""
    files = [
        _kserve_release(folders).with_name("kserve-crds.yaml"),
        *sorted(folders["gateway-api"].glob("config/crd/standard/*.yaml")),
        *sorted((folders["prometheus-operator"] / "example" / "prometheus-operator-crd").glob("*.yaml")),
    ]
    return [found for file in files if file.name != "kustomization.yaml" for found in _read(file)]


def workloads(folders: dict[str, Path], *, with_metrics_server: bool) -> list[Object]:
    """Return the controllers with upstream's images, and a new certificate for KServe's webhook."""
    webhook = certificates.server_certificate([certificates.KSERVE_WEBHOOK])
    metrics = _read_folder(folders["metrics-server"] / "manifests" / "base") if with_metrics_server else []
    operating = _read_folder(folders["prometheus-operator"] / "example" / "rbac" / "prometheus-operator")
    serving = _kserve_release(folders).read_text()
    reloader = re.search(r"--prometheus-config-reloader=(\S+)", json.dumps(operating).replace('"', " "))
    return [
        *(upstream.metrics_server(metrics, _image(metrics)) if metrics else ()),
        *upstream.prometheus_operator(operating, _image(operating), reloader[1] if reloader else ""),
        *upstream.kserve(serving, _image(list(_parse(serving))), webhook),
    ]


def _kserve_release(folders: dict[str, Path]) -> Path:
    # The module holds every release's.
    version = next(found.version for found in components.load() if found.name == "kserve")
    return folders["kserve"] / "install" / version / "kserve.yaml"


def _image(manifests: list[dict[str, Any]]) -> str:
    """Return the image that upstream names for its first Deployment's manager."""
    deployment = next(found for found in manifests if found["kind"] == "Deployment")
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return str(next((found for found in containers if found["name"] == "manager"), containers[0])["image"])


def _module(component: components.Component) -> Path:
    if shutil.which("go") is None:
        raise PlatformError("go is not on PATH: it fetches the modules that the controllers' manifests lie in")
    asked = f"{component.module}@{component.version}"
    done = subprocess.run(["go", "mod", "download", "-json", asked], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlatformError(f"{asked} cannot be had: {json.loads(done.stdout or '{}').get('Error') or done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


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
