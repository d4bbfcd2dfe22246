"""The namespaces that the whole node lives in.

One process is the first of a PID, a mount and a network namespace. When it dies, by whatever signal, the kernel ends
every other process of the node, and every mount, rule and link goes with them. Only empty control groups remain:
`remove` deletes them.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from infra.node.addresses import HOST, LINK, NETWORK, NODE, NODE_NAME, NOWHERE
from infra.node.errors import NodeError

__all__ = ["cgroup_root", "enter", "init", "kill", "listens", "remove", "start"]

_MARKER = "FERRYMAN_NODE"
_UNSHARE = (
    *("unshare", "--net", "--pid", "--mount", "--mount-proc", "--propagation=slave"),
    *("--fork", "--kill-child=KILL"),
)
_CGROUPS = Path("/sys/fs/cgroup")


def start(command: Sequence[str], log: Path) -> int:
    """Make the namespaces and start ``command`` as their first process; return its process id."""
    remove()
    _check_routes()
    for hierarchy in _hierarchies():
        (hierarchy / NODE_NAME).mkdir()
    with log.open("ab") as output:
        subprocess.Popen(
            [*_UNSHARE, *command],
            # Go's programs collect garbage less often: here memory is plenty, and processors are few.
            env={**os.environ, _MARKER: "1", "GOGC": "400"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if pid := init():
            _link(pid)
            return pid
        time.sleep(0.02)
    raise NodeError(f"the node's first process did not start; see {log}")


def init() -> int | None:
    """The process id of the node's first process, None when it does not run."""
    for pid in psutil.pids():
        try:
            if _is_first(pid) and f"{_MARKER}=1".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return pid
        except OSError:
            continue
    return None


def enter(pid: int, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` among the node's processes."""
    return ["nsenter", f"--target={pid}", "--net", "--mount", "--pid", *command]


def cgroup_root() -> str:
    """Where control groups of version 2 are mounted."""
    unified = _CGROUPS / "unified"
    return str(unified if unified.exists() else _CGROUPS)


def listens(pid: int, port: int) -> bool:
    """Whether a TCP port of the node has a listener."""
    table = Path(f"/proc/{pid}/net/tcp").read_text() + Path(f"/proc/{pid}/net/tcp6").read_text()
    return any(
        words[1].endswith(f":{port:04X}") and words[3] == "0A" for words in map(str.split, table.splitlines()[1:])
    )


def kill() -> bool:
    """End every process of the node at once, as a power cut would; return whether there was any."""
    pid = init()
    if pid is None:
        return False
    # The first process is reaped only after every other one of its namespace is gone.
    first = psutil.Process(pid)
    os.kill(pid, signal.SIGKILL)
    first.wait(timeout=60)
    return True


def remove() -> None:
    """Delete what outlives the node's processes: the control groups, and for a moment the link."""
    # Without a check: the kernel may be quicker.
    subprocess.run(["ip", "link", "delete", LINK], capture_output=True, check=False)
    deadline = time.monotonic() + 30
    for hierarchy in _hierarchies():
        top = hierarchy / NODE_NAME
        folders = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for folder in [*folders, top] if top.exists() else []:
            while not _removed(folder):
                if time.monotonic() > deadline:
                    raise NodeError(f"a process does not leave the control group {folder}")
                time.sleep(0.05)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise
    return True


def _check_routes() -> None:
    routes = json.loads(_ip("-json", "route", "show", "table", "all"))
    taken = [each["dst"] for each in routes if ipaddress.ip_network(NETWORK).overlaps(_network(each["dst"]))]
    if taken:
        raise NodeError(f"The node uses the network {NETWORK}, and this machine has a route to it: {taken[0]}")


def _network(destination: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    # The default route is no claim on any network.
    return ipaddress.ip_network("::/128" if destination == "default" else destination)


def _link(pid: int) -> None:
    """Connect the node with the machine, and with nothing beyond it."""
    length = NETWORK.split("/")[1]
    _ip("link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{HOST}/{length}", "dev", LINK)
    _ip("link", "set", LINK, "up")
    inside = [
        "link set lo up",
        f"address add {NODE}/{length} dev eth0",
        "link set eth0 up",
        f"neighbour add {NOWHERE} lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
        f"route add default via {NOWHERE}",
    ]
    for command in inside:
        _run(["nsenter", f"--target={pid}", "--net", "ip", *command.split()])


def _ip(*arguments: str) -> str:
    return _run(["ip", *arguments])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NodeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _is_first(pid: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            numbers = line.split()[1:]
            return len(numbers) == 2 and numbers[1] == "1"
    return False


def _hierarchies() -> list[Path]:
    """Every control group hierarchy: one for version 2, one a controller for version 1."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [path for path in _CGROUPS.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink()]
