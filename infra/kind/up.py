"""`python -m infra.kind.up`: a cluster in Docker with what the platform stands on, and a registry with our images.

NOT RUN by this project's own tests, which have no Docker. They run the node rig, whose controllers these are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from infra import controllers
from infra.images.build import Builder
from infra.images.engine import Engine
from infra.images.errors import ImageError
from infra.local.settings import Settings
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
        controllers.install(Cluster(), _say)
        builder = Builder(Engine("docker"), Settings().home / "kind-images", _say)
        file = builder.build([], registry=_PUSHED)
    except (PlatformError, ImageError, subprocess.CalledProcessError) as error:
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


if __name__ == "__main__":
    sys.exit(main())
