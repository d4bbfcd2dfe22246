"""Bringing the platform to a cluster that has Kubernetes, KServe, the Gateway API's and prometheus-operator's kinds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.keys import ensure_secret, mlflow_secret, mlflow_user, root_secret, s3_keys, tls_secret
from infra.platform.manifests import ROOT, build, registry_of, substitute
from infra.platform.mlflow_users import ensure_mlflow_users
from infra.platform.object_store import MLFLOW_BUCKET, object_store, publisher_policy, whole_bucket_policy
from infra.platform.trust import ensure_trust

__all__ = ["install"]

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


def install(
    cluster: Cluster, images: Mapping[str, str], domain: str, say: Callable[[str], None], *, https_only: bool = False
) -> None:
    """Apply everything and wait until it answers. A second time changes what differs and keeps every key.

    Args:
        cluster: where.
        images: the reference of each image that the manifests name.
        domain: tenants answer to ``<tenant>.<domain>``.
        say: told what was done.
        https_only: whether the gateway's port 80 only redirects to 443.

    Raises:
        PlatformError: something that the platform stands on is missing, or a part does not come up.
    """
    _check(cluster)
    _wait(cluster, *_KSERVE, say)
    objects = substitute(build(ROOT / "infra" / ("https-only" if https_only else "platform")), images, domain)
    _set_policy(objects, registry_of(images))
    cluster.apply([found for found in objects if found["kind"] == "Namespace"])
    say("namespaces applied")
    root = ensure_secret(cluster, "minio", "minio-root", root_secret)
    mlflow = ensure_secret(cluster, "mlflow", "mlflow", mlflow_secret)
    publisher = ensure_secret(cluster, "release", "publisher", lambda: s3_keys("publisher"))
    training = ensure_secret(cluster, "training", "training", lambda: mlflow_user("training"))
    release = ensure_secret(cluster, "release", "registry", lambda: mlflow_user("release"))
    ensure_secret(cluster, "gateway", "gateway-tls", lambda: tls_secret(domain), kind="kubernetes.io/tls")
    # Empty until somebody puts keys and tokens there: Alertmanager waits for the Secret itself.
    ensure_secret(cluster, "monitoring", "receivers", dict)
    ensure_trust(cluster)
    cluster.apply(objects)
    if not https_only:
        # It would stay from a platform that was installed with it.
        cluster.kubectl("delete", "httproute", "redirect", "--namespace=gateway", "--ignore-not-found")
    say(f"{len(objects)} objects applied")
    for namespace, workload in _WORKLOADS:
        _wait(cluster, namespace, workload, say)
    with object_store(cluster, root) as store:
        store.make_buckets()
        store.ensure_user(mlflow, whole_bucket_policy(MLFLOW_BUCKET))
        store.ensure_user(publisher, publisher_policy())
    say("buckets and S3 users made")
    with cluster.forward("mlflow", "mlflow", 5000) as port:
        ensure_mlflow_users(f"http://127.0.0.1:{port}", mlflow["admin-password"], training, release)
    say("MLflow users made")
    cluster.kubectl("wait", "--for=condition=Established", _RELEASES, "--timeout=60s")


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


def _set_policy(objects: list[dict[str, Any]], registry: str) -> None:
    """Tell the admission policies which registry is ours."""
    for found in objects:
        if found["kind"] == "ConfigMap" and found["metadata"]["name"] == "tenant-policy":
            found["data"]["registry"] = registry
