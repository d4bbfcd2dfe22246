"""`python -m infra.gitops`: what Git needs to know of a cluster, and what it must never hold."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from infra.platform.errors import PlatformError
from infra.platform.manifests import DOMAIN, ROOT, read_images
from infra.platform.tenant import tenants


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _configure(chosen: argparse.Namespace) -> None:
    from infra.gitops.configure import configure

    images = read_images(chosen.images)
    for file in configure(images, chosen.domain, chosen.repository, chosen.revision):
        print(f"{file.relative_to(ROOT)} written: review it and commit it")


def _render(chosen: argparse.Namespace) -> None:
    from infra.gitops.argo import applications, rendered, root_objects

    if chosen.application is None:
        print(yaml.safe_dump_all(root_objects()), end="")
        return
    found = next((each for each in applications() if each.name == chosen.application and each.local), None)
    if found is None:
        known = ", ".join(each.name for each in applications() if each.local)
        raise PlatformError(f"no Application {chosen.application} comes from this repository; there are: {known}")
    print(yaml.safe_dump_all(rendered(found)), end="")


def _credentials(chosen: argparse.Namespace) -> None:
    from infra.gitops.credentials import write_credentials

    written = write_credentials(chosen.folder, chosen.domain, tenants())
    print("".join(f"{name}\n" for name in written), end="")
    print(f"{len(written)} written into {chosen.folder}; move them into the store, then delete the folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.gitops", description="A cluster that Argo CD keeps.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    configuring = commands.add_parser("configure", help="write infra/gitops/cluster: images, domain, repository")
    configuring.add_argument("--images", type=Path, required=True, help="a JSON file: name -> reference by digest")
    configuring.add_argument("--domain", required=True, help="tenants answer to <tenant>.<domain>")
    configuring.add_argument("--repository", required=True, help="this repository, as Argo CD reaches it")
    configuring.add_argument("--revision", default="main", help="the branch or tag to follow (now: %(default)s)")
    configuring.set_defaults(run=_configure)
    rendering = commands.add_parser("render", help="print what the root Application applies, or what another does")
    rendering.add_argument("application", nargs="?", help="platform, policies, or a tenant")
    rendering.set_defaults(run=_render)
    making = commands.add_parser("credentials", help="new values for the store that External Secrets reads, as files")
    making.add_argument("--folder", type=Path, required=True, help="kept in memory, best: a tmpfs")
    making.add_argument("--domain", default=DOMAIN, help="for the gateway's certificate (now: %(default)s)")
    making.set_defaults(run=_credentials)
    return parser


if __name__ == "__main__":
    sys.exit(main())
