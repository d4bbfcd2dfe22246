"""`python -m registry`: what the registry holds, and moving its alias."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from artifact import ArtifactError, tree_digest
from artifact.names import MODEL
from registry.client import CHAMPION, RegisteredVersion, Registry, RegistryError, RegistryUnreachableError
from registry.publish import refusal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused or absent, 3 the registry does not answer."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except RegistryUnreachableError as error:
        print(f"{error}\nTenants go on answering. Start the stack with: make up", file=sys.stderr)
        return 3
    except (RegistryError, ArtifactError) as error:
        print(error, file=sys.stderr)
        return 1


def _promote(chosen: argparse.Namespace) -> int:
    registry = Registry()
    current = registry.by_alias(MODEL, CHAMPION)
    if chosen.if_none and current is not None:
        print(f"{MODEL} version {current.version} is `{CHAMPION}`.")
        return 0
    version = registry.get(MODEL, chosen.version) if chosen.version else _newest_passed(registry)
    reason = refusal(version)
    if reason:
        print(f"Not promoted: {reason}.", file=sys.stderr)
        return 1
    if current is not None and current.version == version.version:
        print(f"{MODEL} version {version.version} is `{CHAMPION}` already.")
        return 0
    registry.set_alias(MODEL, CHAMPION, version.version)
    print(f"`{CHAMPION}` moved from version {current.version if current else 'none'} to version {version.version}.")
    return 0


def _newest_passed(registry: Registry) -> RegisteredVersion:
    versions = registry.versions(MODEL)
    if not versions:
        raise RegistryError(f"no version of {MODEL} is registered; train one with: make train")
    for version in versions:
        if version.gate_passed:
            return version
    raise RegistryError(f"none of the {len(versions)} versions of {MODEL} passed the gate; see `make versions`")


def _list(_: argparse.Namespace) -> int:
    registry = Registry()
    champion = registry.by_alias(MODEL, CHAMPION)
    for version in registry.versions(MODEL):
        alias = f"  <- {CHAMPION}" if champion is not None and champion.version == version.version else ""
        print(f"{MODEL} v{version.version}  {refusal(version) or 'may be released'}{alias}")
    return 0


def _digest(chosen: argparse.Namespace) -> int:
    print(tree_digest(chosen.folder))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m registry", description="The model registry, as releases see it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    promote = commands.add_parser("promote", help=f"move the alias `{CHAMPION}` to a version that passed the gate")
    promote.add_argument("--version", type=_version, help="the version; without it, the newest that passed the gate")
    promote.add_argument("--if-none", action="store_true", help=f"leave a `{CHAMPION}` that is there where it is")
    promote.set_defaults(run=_promote)
    commands.add_parser("list", help="every version and whether it may be released").set_defaults(run=_list)
    digest = commands.add_parser("digest", help="print the digest of a model folder")
    digest.add_argument("folder", type=Path)
    digest.set_defaults(run=_digest)
    return parser


def _version(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version: expected 1, 2, 3 …")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
