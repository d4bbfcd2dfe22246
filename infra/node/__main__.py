"""`python -m infra.node`: the Kubernetes node of the end-to-end suite, from a shell."""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infra.node import node, sandbox
from infra.node.addresses import HOST, NODE_NAME
from infra.node.errors import NodeError
from infra.node.layout import Layout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a fault that is named, 2 bad input."""
    chosen = _parser().parse_args(arguments)
    layout = Layout.from_environment()
    try:
        return int(chosen.run(layout, chosen))
    except NodeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. `make node-up` goes on from here, `make node-down` cleans up.", file=sys.stderr)
        return 130


def _up(layout: Layout, _: argparse.Namespace) -> int:
    with _alone(layout):
        start = time.monotonic()
        node.up(layout, _say)
    print(f"The node is ready after {time.monotonic() - start:.0f} s. Use it with:")
    print('  eval "$(.venv/bin/python -m infra.node env)"')
    return 0


def _build(layout: Layout, _: argparse.Namespace) -> int:
    with _alone(layout):
        start = time.monotonic()
        node.prepare(layout, _say)
    print(f"Every program and image is there after {time.monotonic() - start:.0f} s.")
    return 0


def _env(layout: Layout, _: argparse.Namespace) -> int:
    for name, value in {
        "KUBECONFIG": str(layout.kubeconfig),
        "IMAGES": str(layout.images),
        "E2E_WORLD": HOST,
        "E2E_RESTART": f"{sys.executable} -m infra.node restart",
    }.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _down(layout: Layout, _: argparse.Namespace) -> int:
    with _alone(layout):
        found = node.down(layout)
    print(
        f"Stopped the node and deleted its cluster. {layout.cache} keeps programs and images."
        if found
        else "Nothing was running."
    )
    return 0


def _restart(layout: Layout, _: argparse.Namespace) -> int:
    with _alone(layout):
        start = time.monotonic()
        node.restart(layout, _say)
    print(f"The node is back after {time.monotonic() - start:.0f} s.")
    return 0


def _status(layout: Layout, _: argparse.Namespace) -> int:
    states = node.status(layout)
    if not states:
        print("The node does not run. Start it with: make node-up")
        return 1
    for name, state in states.items():
        print(f"{name:<30} {state}")
    return 0 if all(state in ("RUNNING", "Ready") for state in states.values()) else 1


def _exec(_: Layout, chosen: argparse.Namespace) -> int:
    pid = sandbox.init()
    if pid is None:
        raise NodeError("The node does not run. Start it with: make node-up")
    command = sandbox.enter(pid, chosen.command)
    os.execvp(command[0], command)  # noqa: S606


def _say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Two that change the node at once would break it: the second waits."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    with (layout.cache / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _say("Another command is changing the node; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.node", description=f"One real Kubernetes node with KServe ({NODE_NAME}), for tests."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("up", _up, "build what is missing, start what does not run, wait until KServe answers")
    command("build", _build, "build the programs and images that are missing, and start nothing")
    command("down", _down, "stop the node and delete its cluster; programs and images stay cached")
    command("restart", _restart, "cut the node's power and start it again with its data")
    command("env", _env, "print what a shell needs to use the cluster and to run the end-to-end suite on it")
    command("status", _status, "every program and controller; exit code 1 when one does not run")
    entered = command("exec", _exec, "run a command among the node's processes")
    entered.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    return parser


if __name__ == "__main__":
    sys.exit(main())
