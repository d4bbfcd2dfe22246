"""Bringing the platform to a cluster that has Kubernetes, KServe, the Gateway API's and prometheus-operator's kinds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from infra.platform.cluster import Cluster
from infra.platform.credentials import platform_credentials
from infra.platform.errors import PlatformError
from infra.platform.external_s3 import ExternalS3, with_external_s3
from infra.platform.keys import held_secret
from infra.platform.manifests import ROOT, build, registry_of, substitute
from infra.platform.mlflow_users import ensure_mlflow_users
from infra.platform.object_store import MLFLOW_BUCKET, object_store, publisher_policy, whole_bucket_policy
from infra.platform.trust import ensure_trust

__all__ = ["install", "platform_objects", "provision"]

_NEEDED = {
    "inferenceservices.serving.kserve.io": "KServe",
    "httproutes.gateway.networking.k8s.io": "the Gateway API",
    "prometheuses.monitoring.coreos.com": "prometheus-operator",
}
# Its webhook judges what is applied here.
_KSERVE = ("kserve", "deployment/kserve-controller-manager")
_WORKLOADS = (
    ("minio", "statefulset/minio"),
    ("mlflow", "statefulset/postgresql"),
    ("gateway", "deployment/gateway"),
    ("mlflow", "deployment/mlflow"),
    ("release", "deployment/release-controller"),
)
# Tenants have one each.
_RELEASES = "customresourcedefinition/modelreleases.ferryman.dev"
_ROLLOUT_SECONDS = 300


def platform_objects(
    images: Mapping[str, str], domain: str, *, s3: ExternalS3 | None = None, https_only: bool = False
) -> list[dict[str, Any]]:
    """Return everything that tenants stand on, for one cluster.

    Raises:
        PlatformError: an image has no reference.
    """
    objects = substitute(build(ROOT / "infra" / ("https-only" if https_only else "platform")), images, domain)
    if s3:
        objects = with_external_s3(objects, s3)
    for found in objects:
        # The admission policies are told which registry is ours, and tenants that come later where models lie.
        if found["kind"] == "ConfigMap" and found["metadata"]["name"] == "tenant-policy":
            found["data"] |= {"registry": registry_of(images)} | ({"s3": s3.to_json()} if s3 else {})
    return objects


def install(
    cluster: Cluster,
    images: Mapping[str, str],
    domain: str,
    say: Callable[[str], None],
    *,
    s3: ExternalS3 | None = None,
    https_only: bool = False,
) -> None:
    """Apply everything and wait until it answers. A second time changes what differs and keeps every key.

    Args:
        cluster: where.
        images: the reference of each image that the manifests name.
        domain: tenants answer to ``<tenant>.<domain>``.
        say: told what was done.
        s3: a bucket instead of MinIO; pods are known there by their service accounts.
        https_only: whether the gateway's port 80 only redirects to 443.

    Raises:
        PlatformError: something that the platform stands on is missing, or a part does not come up.
    """
    _check(cluster)
    _wait(cluster, *_KSERVE, say)
    objects = platform_objects(images, domain, s3=s3, https_only=https_only)
    cluster.apply([found for found in objects if found["kind"] == "Namespace"])
    say("namespaces applied")
    for credential in platform_credentials(domain):
        if not (s3 and credential.of_minio):
            credential.ensure(cluster)
    ensure_trust(cluster)
    cluster.apply(objects)
    if not https_only:
        # It would stay from a platform that was installed with it.
        cluster.kubectl("delete", "httproute", "redirect", "--namespace=gateway", "--ignore-not-found")
    say(f"{len(objects)} objects applied")
    _come_up(cluster, say, minio=s3 is None)
    cluster.kubectl("wait", "--for=condition=Established", _RELEASES, "--timeout=60s")


def provision(cluster: Cluster, say: Callable[[str], None]) -> None:
    """Give a platform that something else applies, Argo CD, what no manifest can say: trust, buckets and users.

    Raises:
        PlatformError: a credential is not there, or a part does not come up.
    """
    ensure_trust(cluster)
    _come_up(cluster, say, minio=True)


def _come_up(cluster: Cluster, say: Callable[[str], None], *, minio: bool) -> None:
    for namespace, workload in _WORKLOADS:
        if minio or namespace != "minio":
            _wait(cluster, namespace, workload, say)
    mlflow = held_secret(cluster, "mlflow", "mlflow")
    if minio:
        with object_store(cluster, held_secret(cluster, "minio", "minio-root")) as store:
            store.make_buckets()
            store.ensure_user(mlflow, whole_bucket_policy(MLFLOW_BUCKET))
            store.ensure_user(held_secret(cluster, "release", "publisher"), publisher_policy())
        say("buckets and S3 users made")
    training, release = held_secret(cluster, "training", "training"), held_secret(cluster, "release", "registry")
    with cluster.forward("mlflow", "mlflow", 5000) as port:
        ensure_mlflow_users(f"http://127.0.0.1:{port}", mlflow["admin-password"], training, release)
    say("MLflow users made")


def _wait(cluster: Cluster, namespace: str, workload: str, say: Callable[[str], None]) -> None:
    begun = time.monotonic()
    cluster.kubectl(
        *("rollout", "status", "--namespace", namespace, workload, f"--timeout={_ROLLOUT_SECONDS}s"),
        seconds=_ROLLOUT_SECONDS + 10,
    )
    say(f"{workload.split('/')[1]} ready after {time.monotonic() - begun:.1f} s")


def _check(cluster: Cluster) -> None:
    held = cluster.kubectl("get", "customresourcedefinitions", "--output=name")
    missing = [name for kind, name in _NEEDED.items() if f"/{kind}\n" not in held]
    if missing:
        raise PlatformError(f"the cluster has no {', '.join(missing)}; see docs/e2e.md for what is needed")
