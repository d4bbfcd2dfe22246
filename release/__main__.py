"""`python -m release`: follow the alias, say what each tenant serves, wait for a version to arrive."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from infra.local.settings import MODEL, TENANTS, Settings
from release.record import Phase, Record, read

_WAIT_SECONDS = 90


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused or not arrived, 3 the registry does not answer."""
    chosen = _parser().parse_args(arguments)
    return int(chosen.run(Settings()))


def _follow(settings: Settings) -> int:
    from release.follow import Follower

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("release").setLevel(logging.INFO)
    # The follower says itself, once, that the registry is down; urllib3 would say it at each attempt.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Follower(settings).run(stop)
    return 0


def _status(settings: Settings) -> int:
    table = Table("tenant", "stable", "phase", "what happened last")
    for tenant in TENANTS:
        record = read(settings.releases, tenant)
        table.add_row(tenant, _version(record), record.phase, record.message)
    Console().print(table)
    return 0


def _wait(settings: Settings) -> int:
    from registry.client import CHAMPION, Registry, RegistryUnreachableError

    try:
        champion = Registry().by_alias(MODEL, CHAMPION)
    except RegistryUnreachableError as error:
        print(f"{error}\nTenants go on answering. Start the stack with: make up", file=sys.stderr)
        return 3
    if champion is None:
        print(f"No version has the alias {CHAMPION}: nothing to wait for. Set it with: make promote")
        return 0
    begun = time.monotonic()
    waiting = set(TENANTS)
    while waiting:
        for tenant in sorted(waiting):
            record = read(settings.releases, tenant)
            if record.phase == Phase.REJECTED and record.target == champion.version:
                print(f"{tenant} goes on with {_version(record)}: {record.message}", file=sys.stderr)
                return 1
            if record.phase == Phase.STABLE and record.stable and record.stable.version == champion.version:
                print(f"{tenant} serves version {champion.version} after {time.monotonic() - begun:.1f} s")
                waiting.discard(tenant)
        if time.monotonic() - begun > _WAIT_SECONDS:
            print(f"{', '.join(sorted(waiting))}: not there after {_WAIT_SECONDS} s; see: make logs", file=sys.stderr)
            return 1
        time.sleep(0.1)
    return 0


def _version(record: Record) -> str:
    return f"version {record.stable.version}" if record.stable else "nothing"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m release", description="Carries the alias to the tenants.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("follow", help="follow the alias until stopped (the stack runs this)").set_defaults(run=_follow)
    commands.add_parser("status", help="what every tenant serves").set_defaults(run=_status)
    commands.add_parser("wait", help="wait until every tenant serves the champion").set_defaults(run=_wait)
    return parser


if __name__ == "__main__":
    sys.exit(main())
