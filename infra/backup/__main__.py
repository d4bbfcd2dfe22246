"""`python -m infra.backup`: a stack into one encrypted file, and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from infra.backup import job, keys
from infra.backup.archive import Manifest
from infra.backup.errors import BackupError
from infra.backup.progress import Terminal
from infra.backup.side import Side
from infra.local.errors import StackError
from infra.platform.errors import PlatformError

_KEEP = """\
{key} is new. Keep a copy of it away from this machine and away from the backups: without it no backup can be
opened, and whoever has both reads every key in them.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused or failed, 2 bad input."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except ValidationError as error:
        for fault in error.errors():
            print(f"FERRYMAN_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    except (BackupError, StackError, PlatformError) as error:
        print(error, file=sys.stderr)
        return 1


@contextmanager
def _side(chosen: argparse.Namespace, *, restoring: bool) -> Iterator[Side]:
    if chosen.cluster:
        from infra.backup.cluster import on_cluster

        with on_cluster() as side:
            yield side
        return
    from infra.backup.laptop import laptop
    from infra.local.settings import Settings

    with laptop(Settings(), stopped=restoring) as side:
        yield side


def _backup(chosen: argparse.Namespace) -> int:
    if chosen.recipient:
        recipient = keys.recipient(chosen.recipient)
    else:
        identity, made = keys.load_or_generate(chosen.key)
        recipient = identity.to_public()
        if made:
            print(_KEEP.format(key=chosen.key), end="")
    with _side(chosen, restoring=False) as side, Terminal() as bars:
        manifest = job.backup(side, chosen.file, recipient, bars)
    print(f"{chosen.file}: {_said(manifest)}, encrypted for {recipient}")
    return 0


def _restore(chosen: argparse.Namespace) -> int:
    identity = keys.load(chosen.key)
    with job.opened(chosen.file) as file, Terminal() as bars:
        manifest = job.verify(file, identity, bars)
        with _side(chosen, restoring=True) as side:
            job.restore(side, file, identity, manifest, bars, replace=chosen.replace)
    print(f"Restored {_said(manifest)}." + ("" if chosen.cluster else " Start the stack with: make up"))
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    identity = keys.load(chosen.key)
    with job.opened(chosen.file) as file, Terminal() as bars:
        manifest = job.verify(file, identity, bars)
    print(f"{chosen.file} is whole: {_said(manifest)}")
    return 0


def _said(manifest: Manifest) -> str:
    made = f"of a {manifest.kind} by Ferryman {manifest.version} at {manifest.made}"
    return f"{len(manifest.pieces)} pieces, {manifest.size / 1e6:.1f} MB, {made}"


def _path(text: str) -> Path:
    # Not every shell does it behind `KEY=`.
    return Path(text).expanduser()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.backup",
        description="MLflow's database and artifacts, what is released, releases and keys, in one encrypted file.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        made.add_argument("--file", type=_path, required=True, help="the backup, as in stack.tar.age")
        return made

    key = "the file with the age key that opens it"
    cluster = "the cluster that KUBECONFIG names, instead of the laptop stack"
    backing = command("backup", _backup, "write a backup while the stack runs; an existing file is replaced at the end")
    whose = backing.add_mutually_exclusive_group(required=True)
    whose.add_argument("--key", type=_path, help=f"{key}; made when there is none")
    whose.add_argument("--recipient", help="a public age key (age1…) instead: this machine then cannot open the backup")
    backing.add_argument("--cluster", action="store_true", help=cluster)
    restoring = command(
        "restore", _restore, "verify a backup, then make the stack what it says; a laptop has to be down"
    )
    restoring.add_argument("--key", type=_path, required=True, help=key)
    restoring.add_argument("--replace", action="store_true", help="also where the stack holds something, which goes")
    restoring.add_argument("--cluster", action="store_true", help=cluster)
    verifying = command("verify", _verify, "read a backup to its end and compare every digest; nothing is written")
    verifying.add_argument("--key", type=_path, required=True, help=key)
    return parser


if __name__ == "__main__":
    sys.exit(main())
