"""`python -m release.platforms.kubernetes`: bring tenants on a cluster to one version."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Move the alias and wait; return 0, 1 when it was refused or did not arrive, or 3 when MLflow does not answer."""
    chosen = _parser().parse_args(arguments)
    from infra.platform.cluster import Cluster
    from infra.platform.errors import PlatformError
    from release.platforms.kubernetes.rollout import rollout
    from release.store import StoreError

    try:
        return rollout(Cluster(), chosen.version, chosen.tenants)
    except (PlatformError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m release.platforms.kubernetes",
        description="Move the alias `champion` in the cluster's registry, and wait until tenants serve what it names.",
    )
    parser.add_argument("--version", type=int, required=True, help="a registered version that passed the gate")
    parser.add_argument(
        "--tenant", dest="tenants", action="append", default=[], help="wait for this one (repeatable; else for all)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
