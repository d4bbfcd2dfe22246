"""Up, down, restart, status: the order of things."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.node import build, certificates, configuration, programs, requirements, sandbox, supervisor
from infra.node.cluster import Cluster
from infra.node.errors import NodeError
from infra.node.layout import Layout
from infra.node.pack import Packer, forget, references

__all__ = ["Say", "down", "prepare", "restart", "status", "up"]

Say = Callable[[str], None]


def prepare(layout: Layout, say: Say) -> None:
    """Build the programs and images that are missing, and leave nothing running or on disk but those."""
    requirements.check_machine()
    runs, exists = sandbox.init() is not None, layout.state.exists()
    try:
        _prepare(layout, say)
    finally:
        if not exists:
            down(layout)
        elif not runs:
            sandbox.kill()
            sandbox.remove()


def _prepare(layout: Layout, say: Say) -> int:
    """Build what is missing; return the node's first process, without a cluster yet."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    requirements.install_packages(say)
    requirements.check_disk(layout.cache, building=bool(build.missing(layout.cache)))
    build.build(layout.cache, say)
    pid = sandbox.init() or _start_sandbox(layout, say)
    Packer(layout, pid, say).pack()
    return pid


def up(layout: Layout, say: Say) -> None:
    """Bring the node to where KServe answers, from wherever it is."""
    requirements.check_machine()
    _start(layout, _prepare(layout, say), say)


def down(layout: Layout) -> bool:
    """Stop the node and delete the cluster; return whether there was one. Programs and images stay."""
    requirements.check_machine()
    found = sandbox.kill() or layout.state.exists()
    sandbox.remove()
    if (layout.state / "registry.yaml").exists():
        forget(layout)
    shutil.rmtree(layout.state, ignore_errors=True)
    return found


def restart(layout: Layout, say: Say) -> None:
    """Cut the power, and start again with what was on disk: nothing is built, whatever has changed since."""
    requirements.check_machine()
    if not layout.kubeconfig.exists():
        raise NodeError("There is no cluster to restart. Start one with: make node-up")
    sandbox.kill()
    _start(layout, _start_sandbox(layout, say), say)


def status(layout: Layout) -> dict[str, str]:
    """State by program, then by controller; empty when the node does not run."""
    pid = sandbox.init()
    if pid is None:
        return {}
    found = supervisor.states(pid)
    try:
        return found | Cluster(layout).controllers()
    except NodeError as error:
        return found | {"cluster": str(error)}


def _start_sandbox(layout: Layout, say: Say) -> int:
    layout.logs.mkdir(parents=True, exist_ok=True)
    if not layout.kubeconfig.exists():
        certificates.write(layout)
    for leftover in (layout.state / "programs").glob("*.conf"):
        leftover.unlink()
    _write(layout.state, configuration.first_files(layout))
    start = time.monotonic()
    script = Path(__file__).with_name("init.sh")
    pid = sandbox.start([str(script), *supervisor.command(layout)], layout.logs / "init.log")
    _until(lambda: supervisor.alive(pid), "the supervisor", layout.logs / "supervisord.log")
    supervisor.start(layout, pid, [programs.registry(layout)])
    _until(lambda: sandbox.listens(pid, 5000), "the image registry", layout.logs / "registry.log")
    say(f"start  namespaces and image registry took {time.monotonic() - start:.1f} s")
    return pid


def _start(layout: Layout, pid: int, say: Say) -> None:
    """Have a cluster in the node, from wherever it is."""
    if "cilium-agent" not in supervisor.states(pid):
        _start_programs(layout, pid, say)
    _install(layout, pid, say)


def _start_programs(layout: Layout, pid: int, say: Say) -> None:
    start = time.monotonic()
    cluster = Cluster(layout)
    images = references(layout)
    _write(layout.state, configuration.files(layout, images["pause"]))
    plugins = layout.state / "cni" / "bin"
    shutil.rmtree(plugins, ignore_errors=True)
    plugins.mkdir(parents=True)
    (plugins / "loopback").symlink_to("/usr/lib/cni/loopback")
    (plugins / "cilium-cni").symlink_to(layout.binary("cilium", "cilium-cni"))
    supervisor.start(layout, pid, [*programs.control_plane(layout), *programs.workers(layout)])
    cluster.wait_for_server()
    cluster.install_definitions()
    supervisor.start(layout, pid, [programs.cilium(layout, sandbox.cgroup_root())])
    say(f"start  programs took {time.monotonic() - start:.1f} s")


def _install(layout: Layout, pid: int, say: Say) -> None:
    start = time.monotonic()
    cluster = Cluster(layout)
    cluster.install_controllers(references(layout))
    _give_network(layout, pid)
    cluster.wait_for_node()
    cluster.wait_for_controllers()
    say(f"start  controllers took {time.monotonic() - start:.1f} s")


def _give_network(layout: Layout, pid: int) -> None:
    """Tell containerd of Cilium once its agent answers: it does not see the file that the agent itself would write."""
    command = sandbox.enter(pid, [layout.binary("cilium", "cilium-dbg"), "status", "--brief"])
    _until(
        lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0,
        "cilium",
        layout.logs / "cilium-agent.log",
    )
    _write(layout.state, {"cni/net.d/05-cilium.conflist": configuration.network_plugin()})


def _until(holds: Callable[[], bool], what: str, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise NodeError(f"{what} does not answer after {seconds:.0f} s; see {log}")
        time.sleep(0.1)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
