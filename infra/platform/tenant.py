"""A tenant: the files that describe it, its S3 user, and its namespace on a cluster."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from infra.platform.cluster import Cluster
from infra.platform.credentials import tenant_credential
from infra.platform.errors import PlatformError
from infra.platform.external_s3 import ExternalS3, with_external_s3
from infra.platform.keys import held_secret
from infra.platform.manifests import ROOT, build, substitute
from infra.platform.object_store import object_store, reader_policy
from infra.platform.trust import copy_trust

__all__ = [
    "MODELS",
    "RESERVED",
    "TENANTS",
    "apply_tenant",
    "delete_tenant",
    "domain_of",
    "models_of",
    "provision_tenant",
    "tenants",
    "write_overlay",
]

TENANTS = ROOT / "kserve" / "tenants"
MODELS = "ferryman.dev/models"

_TEMPLATE = ROOT / "kserve" / "templates" / "tenant"
_TEMPLATE_NAME = "tenant-template"
# A namespace's name, short enough for `<name>-v<n>` objects and a hostname's label.
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
RESERVED = frozenset(
    {
        *("gateway", "minio", "mlflow", "training", "release", "monitoring", "kserve", "default"),
        *("argocd", "cert-manager", "external-secrets", "prometheus-operator"),
    }
)
"""Namespaces that are no tenant's."""


def write_overlay(name: str, folder: Path = TENANTS) -> bool:
    """Write a tenant's overlay from the template; False when it is there already, which is left as it is.

    Raises:
        PlatformError: the name cannot be a tenant's.
    """
    if not _NAME.fullmatch(name) or name in RESERVED or name.startswith("kube-"):
        raise PlatformError(
            f"{name!r} cannot be a tenant's name: a-z, 0-9 and -, at most 40, no namespace of the platform"
        )
    overlay = folder / name
    if overlay.exists():
        return False
    for source in sorted(_TEMPLATE.rglob("*.yaml")):
        target = overlay / source.relative_to(_TEMPLATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace(_TEMPLATE_NAME, name))
    return True


def tenants() -> list[str]:
    """Return the names of all tenants that have an overlay."""
    return sorted(path.parent.name for path in TENANTS.glob("*/kustomization.yaml"))


def models_of(objects: list[dict[str, Any]]) -> list[str]:
    """Return the models that the tenant's namespace says it follows."""
    namespace = next(found for found in objects if found["kind"] == "Namespace")
    return [model.strip() for model in namespace["metadata"]["annotations"][MODELS].split(",")]


def domain_of(cluster: Cluster) -> str:
    """Return the domain that the platform was installed with.

    Raises:
        PlatformError: the platform is not installed.
    """
    return str(_policy(cluster)["domain"])


def _external_s3(cluster: Cluster) -> ExternalS3 | None:
    held = _policy(cluster).get("s3")
    return ExternalS3.from_json(held) if held else None


def _policy(cluster: Cluster) -> dict[str, str]:
    policy = cluster.get("configmap", "tenant-policy", "gateway")
    if policy is None:
        raise PlatformError("the platform is not on this cluster; install it with: python -m infra.platform install")
    return dict(policy["data"])


def apply_tenant(cluster: Cluster, name: str) -> None:
    """Make the tenant on the cluster, or bring it to what its files say; its key is made once."""
    objects = substitute(build(_overlay(name)), {}, domain_of(cluster))
    cluster.apply([found for found in objects if found["kind"] == "Namespace"])
    if s3 := _external_s3(cluster):
        objects = with_external_s3(objects, s3)
    else:
        tenant_credential(name).ensure(cluster)
    _provision(cluster, name, objects, minio=s3 is None)
    cluster.apply(objects)


def provision_tenant(cluster: Cluster, name: str) -> None:
    """Give a tenant whose objects something else applies, Argo CD, what no manifest can say: S3 user and trust.

    Raises:
        PlatformError: its namespace or its key is not there yet.
    """
    _provision(cluster, name, build(_overlay(name)), minio=_external_s3(cluster) is None)


def delete_tenant(cluster: Cluster, name: str, *, files: bool) -> None:
    """Remove the tenant's namespace and S3 user from the cluster, and with ``files`` its overlay too.

    Published artifacts and the registry stay: they are the model's, not the tenant's.
    """
    overlay = _overlay(name)
    if _external_s3(cluster) is None:
        with object_store(cluster, held_secret(cluster, "minio", "minio-root")) as store:
            store.remove_user(f"{name}-reader")
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s", seconds=150)
    if files:
        shutil.rmtree(overlay)


def _provision(cluster: Cluster, name: str, objects: list[dict[str, Any]], *, minio: bool) -> None:
    if minio:
        keys = held_secret(cluster, name, "s3-reader")
        with object_store(cluster, held_secret(cluster, "minio", "minio-root")) as store:
            store.ensure_user(keys, reader_policy(models_of(objects)))
    copy_trust(cluster, name)


def _overlay(name: str) -> Path:
    overlay = TENANTS / name
    if not (overlay / "kustomization.yaml").exists():
        raise PlatformError(
            f"there is no tenant {name}: no kserve/tenants/{name}; make it with: make tenant NAME={name}"
        )
    return overlay
