"""`python -m release`: run the controller, and say or change what releases do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from infra.local.errors import StackError
from release.desk import Desk, local_desk
from release.store import StoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: well; 1: refused, not arrived, or different; 2: bad input; 3: the registry does not answer.
    """
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except ValidationError as error:
        for fault in error.errors():
            print(f"FERRYMAN_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    except (StackError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


def _desk(chosen: argparse.Namespace) -> Desk:
    if not chosen.cluster:
        return local_desk()
    from release.platforms.kubernetes.desk import ClusterDesk

    return ClusterDesk()


def _run(_: argparse.Namespace) -> int:
    from infra.local.settings import Settings
    from release.daemon import run

    return run(Settings())


def _status(chosen: argparse.Namespace) -> int:
    from release.commands import status

    return status(_desk(chosen), chosen.tenants)


def _history(chosen: argparse.Namespace) -> int:
    from release.commands import history

    return history(_desk(chosen), chosen.tenants)


def _request(chosen: argparse.Namespace) -> int:
    from release.commands import request

    return request(_desk(chosen), chosen.tenants, chosen.command)


def _diff(chosen: argparse.Namespace) -> int:
    from release.difference import diff

    return diff(_desk(chosen), chosen.tenants)


def _wait(chosen: argparse.Namespace) -> int:
    from release.commands import wait

    return wait(_desk(chosen), chosen.tenants, chosen.timeout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m release", description="Carries the alias to the tenants.")
    parser.add_argument(
        "--cluster", action="store_true", help="the releases of KUBECONFIG's cluster, not this machine's"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(name: str, run: object, text: str, tenants: str = "*") -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.set_defaults(run=run)
        if tenants:
            which = "every tenant when none is named" if tenants == "*" else "one or more"
            made.add_argument("tenants", nargs=tenants, metavar="TENANT", help=which)
        return made

    command("run", _run, "the controller itself, until stopped (the stack runs this)", tenants="")
    command("status", _status, "what every tenant serves, and what is being done about it")
    command("history", _history, "every transition of a tenant's releases, as the registry keeps them")
    command("pause", _request, "hold a tenant's release where it is; failures still roll back", tenants="+")
    command("resume", _request, "end a pause, or let a canary go on that waits for a decision", tenants="+")
    command("abort", _request, "roll back the version that is on its way", tenants="+")
    command("retry", _request, "try a rejected version again", tenants="+")
    command("diff", _diff, "what the alias names beside what tenants serve; exit code 1 when they differ")
    waited = command("wait", _wait, "wait until tenants serve what the alias names; exit code 1 when they do not")
    waited.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="default: 90, and what a canary's steps take"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds (0 to 86400)")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
