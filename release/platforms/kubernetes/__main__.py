"""`python -m release.platforms.kubernetes`: bring tenants on a cluster to one version."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish and roll out; return 0, or 1 when it was refused or did not come up."""
    chosen = _parser().parse_args(arguments)
    from infra.platform.cluster import Cluster
    from infra.platform.errors import PlatformError
    from infra.platform.tenant import tenants
    from registry.client import RegistryError
    from registry.publish import PublishRefusedError, StorageUnreachableError
    from release.platforms.kubernetes.rollout import published, rollout

    try:
        cluster = Cluster()
        artifact = published(cluster, chosen.version)
        print(f"published {artifact.uri}", flush=True)
        rollout(cluster, chosen.tenants or tenants(), artifact, lambda line: print(line, flush=True))
    except (PlatformError, RegistryError, PublishRefusedError, StorageUnreachableError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m release.platforms.kubernetes", description="Bring tenants on a cluster to one version."
    )
    parser.add_argument("--version", type=int, required=True, help="a registered version that passed the gate")
    parser.add_argument("--tenant", dest="tenants", action="append", help="only this one (repeatable; else all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
