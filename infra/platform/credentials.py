"""Every credential of a cluster: where it lies, and how it is made. The one list, for the installer and for GitOps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from artifact.keys import generate_private_key
from infra.platform.cluster import Cluster
from infra.platform.keys import (
    MINIO,
    ensure_secret,
    mlflow_secret,
    mlflow_user,
    root_secret,
    s3_keys,
    tls_secret,
)
from infra.platform.trust import SIGNING_KEY_FILE

__all__ = ["Credential", "platform_credentials", "tenant_credential"]

_S3 = {
    "serving.kserve.io/s3-endpoint": MINIO,
    "serving.kserve.io/s3-usehttps": "0",
    "serving.kserve.io/s3-region": "us-east-1",
    "serving.kserve.io/s3-usevirtualbucket": "false",
}


@dataclass(frozen=True)
class Credential:
    """A Secret.

    Attributes:
        make: returns new values, by key.
        kind: the Secret's type.
        annotations: what readers of the Secret have to know beside its values.
        of_minio: whether it goes with MinIO, so that a platform on another S3 has none.
    """

    namespace: str
    name: str
    make: Callable[[], Mapping[str, str]]
    kind: str = "Opaque"
    annotations: Mapping[str, str] = field(default_factory=dict)
    of_minio: bool = False

    def ensure(self, cluster: Cluster) -> None:
        """Make it in the cluster, unless it is there."""
        ensure_secret(cluster, self.namespace, self.name, self.make, kind=self.kind, annotations=self.annotations)


def platform_credentials(domain: str) -> tuple[Credential, ...]:
    """Return those of the platform, for tenants that answer to ``<tenant>.<domain>``."""
    return (
        Credential("minio", "minio-root", root_secret, of_minio=True),
        Credential("mlflow", "mlflow", mlflow_secret),
        Credential("release", "publisher", lambda: s3_keys("publisher"), of_minio=True),
        Credential("release", "registry", lambda: mlflow_user("release")),
        Credential("training", "training", lambda: mlflow_user("training")),
        Credential("training", "signing-key", lambda: {SIGNING_KEY_FILE: generate_private_key()}),
        Credential("gateway", "gateway-tls", lambda: tls_secret(domain), "kubernetes.io/tls"),
        # Empty until somebody puts keys and tokens there: Alertmanager waits for the Secret itself.
        Credential("monitoring", "receivers", dict),
    )


def tenant_credential(tenant: str) -> Credential:
    """Return the S3 user with which a tenant's predictors read their artifacts."""
    return Credential(tenant, "s3-reader", lambda: s3_keys(f"{tenant}-reader"), annotations=_S3)
