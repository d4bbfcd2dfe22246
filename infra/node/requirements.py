"""What the node needs of the machine, checked before anything is touched."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.node.errors import NodeError

__all__ = ["check_disk", "check_machine", "install_packages", "packages"]

TABLE = Path(__file__).with_name("packages.txt")
# Building: Go's caches for one component at a time, its module cache, and what is kept. Running: logs and volumes.
BUILDING_GIB, RUNNING_GIB = 25, 3


def check_machine() -> None:
    """Refuse politely where no node can run."""
    elsewhere = "Elsewhere: `make kind-up` with Docker, or any cluster by KUBECONFIG."
    if sys.platform != "linux":
        raise NodeError(f"The test node needs Linux; this is {platform.system()}. {elsewhere}")
    if os.geteuid() != 0:
        raise NodeError(f"The test node needs root: it makes namespaces, links and control groups. {elsewhere}")
    if not Path("/etc/debian_version").exists():
        raise NodeError(f"The test node takes containerd, runc and buildah from Debian's packages. {elsewhere}")


def check_disk(folder: Path, building: bool) -> None:
    """Refuse when the disk is too full to finish."""
    wanted = BUILDING_GIB if building else RUNNING_GIB
    free = shutil.disk_usage(folder).free / 2**30
    if free < wanted:
        what = "Building the node's programs" if building else "Running the node"
        raise NodeError(
            f"{what} needs {wanted} GiB free in {folder}; there are {free:.0f}. FERRYMAN_NODE_CACHE moves it."
        )


def packages(text: str) -> dict[str, str]:
    """Parse the table: Debian package -> the command by which it is known to be there."""
    return dict(line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def install_packages(say: Callable[[str], None]) -> None:
    """Install what is missing from Debian, and remove nothing for it: a Docker of the user's stays."""
    wanted = packages(TABLE.read_text())
    absent = [package for package, command in wanted.items() if not shutil.which(command, path=_PATH)]
    if not absent:
        return
    say(f"apt    installing {', '.join(absent)} …")
    # Services of the packages (containerd's) are not started: the node runs its own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "--no-remove", *absent]):
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NodeError(f"apt-get {' '.join(arguments)} failed:\n{done.stderr.strip()[-2000:]}")


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
