"""`python -m infra.local`: the laptop stack from a shell."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from infra.local import logs, stack
from infra.local.errors import StackError
from infra.local.settings import TENANTS, Settings, tenant_host
from infra.local.tls import authority_file

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a fault that is named, 2 bad input."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        settings = Settings()
        return int(chosen.run(settings, chosen))
    except ValidationError as error:
        for fault in error.errors():
            print(f"FERRYMAN_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    except StackError as error:
        print(error, file=sys.stderr)
        return 1


def _up(settings: Settings, _: argparse.Namespace) -> int:
    stack.up(settings, lambda line: console.print(line, highlight=False, soft_wrap=True))
    return 0


def _down(settings: Settings, _: argparse.Namespace) -> int:
    stopped = stack.down(settings)
    print(f"Stopped {stopped} processes. Data stays in {settings.home}." if stopped else "Nothing was running.")
    return 0


def _status(settings: Settings, _: argparse.Namespace) -> int:
    rows = stack.health(settings)
    if not rows:
        print("The stack does not run. Start it with: make up")
        return 1
    table = Table("process", "state", "pid", "address")
    for name, state, pid, address in rows:
        table.add_row(name, state, str(pid or ""), address)
    console.print(table)
    return 0 if all(state in ("RUNNING", "external") for _, state, _, _ in rows) else 1


def _logs(settings: Settings, chosen: argparse.Namespace) -> int:
    return logs.show(settings, chosen.name, follow=chosen.follow)


def _call(settings: Settings, chosen: argparse.Namespace) -> int:
    from infra.local import call

    tenants = chosen.tenants or TENANTS
    answers = [answer for tenant in tenants for answer in call.every_protocol(settings, tenant, chosen.text)]
    console.print(call.table(answers))
    return 0 if all(answer.error is None for answer in answers) else 1


def _addresses(settings: Settings, _: argparse.Namespace) -> int:
    print(f"MLflow UI   {settings.mlflow_url}  (move the alias `champion` there to release another version)")
    print(f"Releases    {settings.controller_url}")
    for tenant in TENANTS:
        if settings.tls:
            url = f"https://{tenant_host(tenant)}:{settings.gateway_tls_port}"
            print(f"{tenant}    {url}  for who trusts  {authority_file(settings)}")
        else:
            print(f"{tenant}    {settings.gateway_url}  with the header  Host: {tenant_host(tenant)}")
    return 0


def _clean(settings: Settings, chosen: argparse.Namespace) -> int:
    if not settings.home.exists():
        print("There is no state to remove.")
        return 0
    question = f"Stop the stack and delete {settings.home} with all runs, models and keys? [y/N] "
    try:
        agreed = chosen.yes or input(question).strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        print("\nNothing was removed.")
        return 1
    stack.down(settings)
    shutil.rmtree(settings.home)
    print(f"Removed {settings.home}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The laptop stack, all on loopback.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("up", _up, "start what does not run and wait until it answers")
    command("down", _down, "stop everything; data stays")
    command("status", _status, "every process and whether it answers; exit code 1 when one does not")
    log = command("logs", _logs, "the last lines of every log, or one log")
    log.add_argument("name", nargs="?", help="s3, mlflow, gateway, release or a predictor")
    log.add_argument("--follow", action="store_true", help="go on printing until interrupted")
    called = command("call", _call, "ask the tenants over V1, V2 REST and gRPC and print their answers")
    called.add_argument("text", help="the text to classify")
    called.add_argument("--tenant", dest="tenants", action="append", choices=TENANTS, help="only this one (repeatable)")
    command("addresses", _addresses, "where people and programs find the stack")
    cleaned = command("clean", _clean, "delete all state, after asking")
    cleaned.add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.exit(main())
