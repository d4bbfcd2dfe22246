"""Moving the alias in a cluster's registry from outside of it, and waiting until tenants serve what it names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from artifact.trust import TRUSTED_KEYS
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.keys import ensure_secret
from infra.platform.trust import write_trust
from registry.__main__ import main as registry
from release.commands import wait
from release.platforms.kubernetes.desk import ClusterDesk

__all__ = ["rollout"]


def rollout(cluster: Cluster, version: int, tenants: Sequence[str]) -> int:
    """Move the alias to a version that verifies, wait for these tenants (or all), and return an exit code.

    Tenants that are not waited for follow the alias as well.

    Raises:
        PlatformError: the platform is not on this cluster.
    """
    with _registry(cluster):
        return registry(["promote", "--version", str(version)]) or wait(ClusterDesk(), tenants, None)


@contextmanager
def _registry(cluster: Cluster) -> Iterator[None]:
    """Lead the ecosystem's variables to the cluster's MLflow while the block runs."""
    secret = ensure_secret(cluster, "mlflow", "mlflow", _not_installed)
    with (
        cluster.forward("mlflow", "mlflow", 5000) as port,
        tempfile.TemporaryDirectory(prefix="ferryman-trust-") as folder,
    ):
        write_trust(cluster, Path(folder))
        os.environ |= {
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
            "MLFLOW_TRACKING_USERNAME": "admin",
            "MLFLOW_TRACKING_PASSWORD": secret["admin-password"],
            TRUSTED_KEYS: folder,
        }
        yield


def _not_installed() -> dict[str, str]:
    raise PlatformError("there is no secret mlflow in mlflow: is the platform installed on this cluster?")
