"""`python -m monitoring`: what is generated, and Prometheus beside the laptop stack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a fault that is named, 2 bad input."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except ValidationError as error:
        for fault in error.errors():
            print(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}", file=sys.stderr)
        return 2


def _generate(_: argparse.Namespace) -> int:
    from monitoring.generate import write

    changed = write()
    print("\n".join(changed) if changed else "Everything is as it was.")
    return 0


def _up(chosen: argparse.Namespace) -> int:
    from infra.local.errors import StackError
    from infra.local.settings import Settings
    from monitoring import laptop
    from monitoring.config import load
    from release.store import StoreError

    try:
        laptop.up(Settings(), load(chosen.faster), print)
    except (StackError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _down(_: argparse.Namespace) -> int:
    from infra.local.settings import Settings
    from monitoring import laptop

    stopped = laptop.down(Settings())
    print(f"Stopped {' and '.join(stopped)}." if stopped else "Neither was running.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "write anew what is generated from monitoring/config.toml"
    commands.add_parser("generate", help=text, description=text).set_defaults(run=_generate)
    text = "start Prometheus and Alertmanager beside the laptop stack"
    started = commands.add_parser("up", help=text, description=text)
    started.add_argument(
        "--faster",
        type=float,
        default=1.0,
        metavar="N",
        help="divide every duration by N: for tests, which have no hours",
    )
    started.set_defaults(run=_up)
    text = "stop both; the stack goes on"
    commands.add_parser("down", help=text, description=text).set_defaults(run=_down)
    return parser


if __name__ == "__main__":
    sys.exit(main())
