"""The plainest release on a cluster: publish, start, wait, move the route, remove the old."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artifact import PublishedArtifact, Trust
from artifact.names import MODEL
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.keys import ensure_secret
from infra.platform.manifests import build, substitute
from infra.platform.tenant import TENANTS, domain_of
from infra.platform.trust import held_trust
from registry.client import Registry
from registry.publish import publish
from registry.storage import s3_client
from release.platforms.kubernetes.objects import MODEL_LABEL, name_of, route, version_objects, version_of

__all__ = ["published", "rollout"]

_READY_SECONDS = 300
# The route's new weights reach the gateway in milliseconds; requests in flight may take as long as this.
_DRAIN_SECONDS = 5


def published(cluster: Cluster, version: int) -> PublishedArtifact:
    """Publish a registered version to the cluster's object store, with the publisher's keys.

    Raises:
        registry.publish.PublishRefusedError: it may not be released.
        registry.client.RegistryError: it is not registered, or MLflow does not answer.
        PlatformError: the cluster does not answer.
    """
    with _environment(cluster), tempfile.TemporaryDirectory(prefix="ferryman-trust-") as folder:
        for name, content in held_trust(cluster).items():
            (Path(folder) / name).write_text(content)
        registry = Registry()
        return publish(registry, s3_client(), registry.get(MODEL, version), Trust.load(Path(folder))).place


@contextmanager
def _environment(cluster: Cluster) -> Iterator[None]:
    """Lead the ecosystem's variables to the cluster's MLflow and object store while the block runs."""
    mlflow = _keys(cluster, "mlflow", "mlflow")
    publisher = _keys(cluster, "release", "publisher")
    with cluster.forward("mlflow", "mlflow", 5000) as registry, cluster.forward("minio", "minio", 9000) as store:
        os.environ |= {
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{registry}",
            "MLFLOW_TRACKING_USERNAME": "admin",
            "MLFLOW_TRACKING_PASSWORD": mlflow["admin-password"],
            "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{store}",
            **publisher,
        }
        yield


def _keys(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    def absent() -> dict[str, str]:
        raise PlatformError(f"there is no secret {name} in {namespace}: is the platform installed on this cluster?")

    return ensure_secret(cluster, namespace, name, absent)


def rollout(cluster: Cluster, tenants: list[str], artifact: PublishedArtifact, say: Callable[[str], None]) -> None:
    """Bring every tenant to a published artifact, side by side; the old version answers until the new one is Ready.

    Raises:
        PlatformError: the new version does not come up at some tenant: there the old one goes on answering.
    """
    domain = domain_of(cluster)
    with ThreadPoolExecutor(len(tenants)) as pool:
        steps = {tenant: pool.submit(_bring, cluster, tenant, artifact, domain, say) for tenant in tenants}
    faults = [f"{tenant}: {step.exception()}" for tenant, step in steps.items() if step.exception()]
    if faults:
        raise PlatformError("\n".join(faults))


def _bring(cluster: Cluster, tenant: str, artifact: PublishedArtifact, domain: str, say: Callable[[str], None]) -> None:
    template = substitute(build(TENANTS / tenant / "predictor"), {}, domain)
    selector = f"{MODEL_LABEL}={artifact.model}"
    old = [
        found for found in cluster.find("inferenceservice", selector, tenant) if version_of(found) != artifact.version
    ]
    begun = time.monotonic()
    objects = version_objects(template, artifact, _replicas(cluster, tenant, old))
    owner = _start(cluster, objects)
    scaler = next(found for found in objects if found["kind"] == "HorizontalPodAutoscaler")
    _wait_ready(cluster, tenant, name_of(artifact.model, artifact.version), scaler["spec"]["minReplicas"])
    say(f"{tenant}: version {artifact.version} is ready after {time.monotonic() - begun:.1f} s")
    cluster.apply([route(template, artifact.model, {artifact.version: 100})])
    _wait_routed(cluster, tenant, artifact.model)
    if old:
        time.sleep(_DRAIN_SECONDS)
        for found in old:
            cluster.kubectl("delete", "inferenceservice", found["metadata"]["name"], "--namespace", tenant)
    # From now on the autoscaler decides, down to the template's own minimum.
    _apply_owned(cluster, version_objects(template, artifact, 0), owner)
    say(f"{tenant}: serves version {artifact.version} after {time.monotonic() - begun:.1f} s")


def _replicas(cluster: Cluster, tenant: str, old: list[dict[str, Any]]) -> int:
    """Return how many pods serve now: the new version takes all of their load at once."""
    names = [f"{found['metadata']['name']}-predictor" for found in old]
    held = [cluster.get("deployment", name, tenant) for name in names]
    return max((found["spec"]["replicas"] for found in held if found), default=0)


def _start(cluster: Cluster, objects: list[dict[str, Any]]) -> dict[str, str]:
    """Apply the InferenceService, then what goes with it; return it as the owner of the rest."""
    service = next(found for found in objects if found["kind"] == "InferenceService")
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    held = cluster.get("inferenceservice", name, namespace)
    if held is None:
        # Written once and never edited: any change of it would roll its pods.
        cluster.apply([service])
        held = cluster.get("inferenceservice", name, namespace)
    if held is None:
        raise PlatformError(f"{name} was deleted while it started")
    if held["spec"]["predictor"]["model"]["storageUri"] != service["spec"]["predictor"]["model"]["storageUri"]:
        raise PlatformError(f"{name} serves other bytes: delete it first")
    owner = {key: held[key] for key in ("apiVersion", "kind")} | {"name": name, "uid": held["metadata"]["uid"]}
    _apply_owned(cluster, objects, owner)
    return owner


def _apply_owned(cluster: Cluster, objects: list[dict[str, Any]], owner: dict[str, str]) -> None:
    """Apply all but the InferenceService; the cluster deletes them with it."""
    others = [found for found in objects if found["kind"] != "InferenceService"]
    for found in others:
        found["metadata"]["ownerReferences"] = [owner]
    cluster.apply(others)


def _wait_ready(cluster: Cluster, tenant: str, name: str, replicas: int) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < _READY_SECONDS:
        status = (cluster.get("inferenceservice", name, tenant) or {}).get("status", {})
        failure = status.get("modelStatus", {}).get("lastFailureInfo", {}).get("message")
        if failure:
            raise PlatformError(f"{name} does not start: {failure.strip()}")
        ready = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}.get("Ready")
        pods = cluster.get("deployment", f"{name}-predictor", tenant)
        if ready == "True" and pods and pods["status"].get("readyReplicas", 0) >= replicas:
            return
        time.sleep(0.5)
    raise PlatformError(f"{name} is not ready after {_READY_SECONDS} s; see: kubectl describe isvc -n {tenant} {name}")


def _wait_routed(cluster: Cluster, tenant: str, name: str) -> None:
    begun = time.monotonic()
    reason = "the gateway says nothing"
    while time.monotonic() - begun < _READY_SECONDS:
        found = cluster.get("httproute", name, tenant) or {}
        generation = found.get("metadata", {}).get("generation")
        for parent in found.get("status", {}).get("parents", []):
            conditions = {condition["type"]: condition for condition in parent["conditions"]}
            wanted = [conditions.get(name, {}) for name in ("Accepted", "ResolvedRefs")]
            if all(c.get("status") == "True" and c.get("observedGeneration") == generation for c in wanted):
                return
            reason = "; ".join(c["message"] for c in wanted if c.get("message")) or reason
        time.sleep(0.2)
    raise PlatformError(f"the gateway does not take the route {name}: {reason}")
