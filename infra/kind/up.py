"""`python -m infra.kind.up`: a cluster in Docker with what the platform stands on, and a registry with our images.

NOT RUN by this project's own tests, which have no Docker. They run the node rig, whose controllers these are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra import controllers
from infra.local.settings import Settings
from infra.node import images
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.manifests import ROOT, read_images

_CLUSTER = "ferryman"
_REGISTRY = "ferryman-registry"
_HERE = Path(__file__).parent
_NEEDED = ("docker", "kind", "kubectl", "go")


def main() -> int:
    """Make the cluster and fill it; a second time changes what differs. Returns 0, or 1 with the reason on stderr."""
    try:
        absent = [program for program in _NEEDED if shutil.which(program) is None]
        if absent:
            raise PlatformError(f"not on PATH: {', '.join(absent)}")
        references = read_images(_HERE / "images.json")
        _registry()
        _cluster()
        controllers.install(Cluster(), _say)
        ours = {image.name: _push(image, references[image.name]) for image in images.load() if image.packages}
        file = Settings().home / "kind-images.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(references | ours, indent=2) + "\n")
    except (PlatformError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"kind is up. Next: make e2e-cluster KUBECONFIG=~/.kube/config IMAGES={file}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


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
            "--publish=127.0.0.1:5001:5000",
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
    hosts = "/etc/containerd/certs.d/localhost:5001"
    for node in _run("kind", "get", "nodes", "--name", _CLUSTER).split():
        _run("docker", "exec", node, "mkdir", "-p", hosts)
        entry = f'[host."http://{_REGISTRY}:5000"]\n'
        _run("docker", "exec", "--interactive", node, "cp", "/dev/stdin", f"{hosts}/hosts.toml", given=entry)


def _push(image: images.Image, reference: str) -> str:
    """Build one image of ours with its locked packages, push it, and return its reference by digest."""
    with tempfile.TemporaryDirectory(prefix="ferryman-kind-") as context:
        lock = ["--constraints", str(ROOT / "requirements" / "lock.txt")]
        project = ["--requirements", str(ROOT / "pyproject.toml"), "--extra", image.packages]
        target = ["--python-version=3.11", "--compile-bytecode", "--target", f"{context}/packages"]
        _run(str(Path(sys.prefix) / "bin" / "uv"), "pip", "install", "--quiet", *project, *lock, *target)
        for source in image.sources:
            shutil.copytree(ROOT / source, Path(context) / source)
        stage = [f"--target={image.target}"] if image.target else []
        _run("docker", "build", "--file", str(ROOT / image.dockerfile), *stage, "--tag", reference, context)
    _run("docker", "push", reference)
    return _run("docker", "inspect", "--format", "{{index .RepoDigests 0}}", reference).strip()


if __name__ == "__main__":
    sys.exit(main())
