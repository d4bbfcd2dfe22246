"""`python -m infra.platform`: the platform and its tenants, on the cluster that KUBECONFIG names."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.external_s3 import ExternalS3
from infra.platform.manifests import DOMAIN, ROOT, build, read_images, substitute
from infra.platform.tenant import TENANTS, apply_tenant, delete_tenant, provision_tenant, tenants, write_overlay


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused or not come up."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1


def _say(line: str) -> None:
    print(line, flush=True)


def _install(chosen: argparse.Namespace) -> int:
    from infra.platform.install import install

    s3 = None
    if chosen.s3:
        if not (chosen.s3_region and chosen.s3_cidrs):
            raise PlatformError("--s3 needs --s3-region and --s3-cidrs")
        s3 = ExternalS3(chosen.s3, chosen.s3_region, tuple(chosen.s3_cidrs.split(",")))
    cluster = Cluster()
    install(cluster, read_images(chosen.images), chosen.domain, _say, s3=s3, https_only=chosen.https_only)
    for name in tenants():
        apply_tenant(cluster, name)
        _say(f"{name} applied")
    return 0


def _provision(_: argparse.Namespace) -> int:
    from infra.platform.install import provision

    cluster = Cluster()
    provision(cluster, _say)
    left = 0
    for name in tenants():
        try:
            provision_tenant(cluster, name)
            _say(f"{name} provided for")
        except PlatformError as error:
            # It may not be there yet, and must not keep the others waiting.
            _say(f"{name}: {error}")
            left += 1
    if left:
        raise PlatformError(
            f"{left} of {len(tenants())} tenants are not provided for; run this again when they are there"
        )
    return 0


def _render(chosen: argparse.Namespace) -> int:
    """Print what a linter looks at: everything, with a reference for each image."""
    folders = [ROOT / "infra" / "platform", *(TENANTS / name for name in tenants())]
    objects = [found for folder in folders for found in build(folder)]
    print(yaml.safe_dump_all(substitute(objects, read_images(chosen.images), DOMAIN)))
    return 0


def _tenant(chosen: argparse.Namespace) -> int:
    written = write_overlay(chosen.name)
    place = f"kserve/tenants/{chosen.name}"
    _say(f"{place} written from the template" if written else f"{place} is there already: left as it is")
    if not os.environ.get("KUBECONFIG"):
        _say(f"KUBECONFIG is not set: nothing was applied. With it, again: make tenant NAME={chosen.name}")
        return 0
    apply_tenant(Cluster(), chosen.name)
    _say(f"{chosen.name} applied: the release controller brings it to what its alias names")
    return 0


def _delete(chosen: argparse.Namespace) -> int:
    name = chosen.name
    cluster = Cluster()
    said = cluster.kubectl(
        *("get", "inferenceservices,httproutes,horizontalpodautoscalers,deployments,secrets", "--namespace", name),
        *("--ignore-not-found", "--output=name"),
    )
    _say(f"From the cluster go the S3 user {name}-reader and the namespace {name} with:")
    for line in said.splitlines():
        _say(f"  {line}")
    _say("Published artifacts and MLflow stay." + (f" kserve/tenants/{name} goes." if chosen.files else ""))
    if not chosen.yes:
        _say(f"Nothing was removed. Remove it with: make tenant-delete NAME={name} YES=1")
        return 0
    delete_tenant(cluster, name, files=chosen.files)
    _say(f"{name} removed.")
    return 0


def _train(chosen: argparse.Namespace) -> int:
    from infra.platform.train import train

    _say(train(Cluster(), chosen.arguments, _say))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.platform", description="The platform and its tenants, on the cluster of KUBECONFIG."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    installing = commands.add_parser("install", help="apply the platform and every tenant, and wait until it answers")
    installing.add_argument("--images", type=Path, required=True, help="a JSON file: name -> reference by digest")
    installing.add_argument("--domain", default=DOMAIN, help="tenants answer to <tenant>.<domain> (now: %(default)s)")
    installing.add_argument("--s3", metavar="BUCKET", help="a bucket on AWS instead of MinIO; pods by EKS Pod Identity")
    installing.add_argument("--s3-region", metavar="REGION", help="where the bucket is")
    installing.add_argument("--s3-cidrs", metavar="CIDR,…", help="the addresses of S3 there, which pods may reach")
    installing.add_argument("--https-only", action="store_true", help="port 80 only redirects to 443")
    installing.set_defaults(run=_install)
    providing = commands.add_parser("provision", help="buckets, users and trust alone, where Argo CD applies")
    providing.set_defaults(run=_provision)
    rendering = commands.add_parser("render", help="print every object, for linters and the curious")
    rendering.add_argument("--images", type=Path, required=True, help="as for install")
    rendering.set_defaults(run=_render)
    tenant = commands.add_parser("tenant", help="write a tenant's overlay and apply it")
    tenant.add_argument("name")
    tenant.set_defaults(run=_tenant)
    deleting = commands.add_parser("tenant-delete", help="show what would go; with --yes, remove it")
    deleting.add_argument("name")
    deleting.add_argument("--yes", action="store_true", help="remove it from the cluster")
    deleting.add_argument("--files", action="store_true", help="remove the overlay's files as well")
    deleting.set_defaults(run=_delete)
    training = commands.add_parser("train", help="run the training job in the cluster and wait for it")
    training.add_argument("arguments", nargs="*", help="for `python -m training`; put -- before them")
    training.set_defaults(run=_train)
    return parser


if __name__ == "__main__":
    sys.exit(main())
