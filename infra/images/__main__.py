"""`python -m infra.images`: build our images, and list what one holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.images.build import Builder, collect, note, ours
from infra.images.engine import Engine
from infra.images.errors import ImageError
from infra.node.errors import NodeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a fault that is named, 2 bad input."""
    chosen = _parser().parse_args(arguments)
    try:
        print(chosen.run(chosen))
    except (ImageError, NodeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _builder(chosen: argparse.Namespace) -> Builder:
    return Builder(Engine.find(), chosen.folder, lambda line: print(line, flush=True))


def _build(chosen: argparse.Namespace) -> Path:
    return _builder(chosen).build(chosen.only, registry=chosen.push, from_debian=chosen.debian)


def _sbom(chosen: argparse.Namespace) -> Path:
    return _builder(chosen).describe(chosen.name, chosen.reference)


def _references(chosen: argparse.Namespace) -> Path:
    if chosen.reference:
        note(chosen.folder, chosen.name, chosen.reference)
    return collect(chosen.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.images", description="Our images, with the Docker, podman or buildah that is here."
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("build/images"), help="where what is written goes (now: %(default)s)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="build images, list what each holds, and write images.json")
    building.add_argument("--only", action="append", default=[], metavar="NAME", help=f"one of {', '.join(ours())}")
    building.add_argument("--push", default="", metavar="REGISTRY/PATH", help="push there; references are digests then")
    building.add_argument(
        "--debian",
        action="store_true",
        help="start from a Debian made here from its packages (Linux, root, mmdebstrap)",
    )
    building.set_defaults(run=_build)
    listing = commands.add_parser("sbom", help="list what an image holds, as CycloneDX")
    listing.add_argument("name", help="the image's name in the list, and the file's")
    listing.add_argument("reference", help="an image in the engine's store or in a registry")
    listing.set_defaults(run=_sbom)
    naming = commands.add_parser("references", help="write images.json: where each image is that a platform needs")
    naming.add_argument("name", nargs="?", help="an image of ours that is")
    naming.add_argument("reference", nargs="?", help="there, as registry/path/name@sha256:…")
    naming.set_defaults(run=_references)
    return parser


if __name__ == "__main__":
    sys.exit(main())
