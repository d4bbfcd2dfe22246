"""The platform on an S3 that somebody else runs, whose pods are known by service accounts instead of keys. Pure.

Made for EKS Pod Identity and the bucket and roles of infra/terraform. Nothing here was run on AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from typing import Any

from infra.platform.errors import PlatformError

__all__ = ["ExternalS3", "with_external_s3"]

Object = dict[str, Any]

_MINIO = "minio"
# EKS' agent on each node: what a pod asks for its credentials.
_AGENT = "169.254.170.23/32"
_KEYS = {"MLFLOW_S3_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}


@dataclass(frozen=True)
class ExternalS3:
    """One bucket, with ``mlflow/`` and ``released/`` in it; ``cidrs`` are the addresses at which its S3 answers."""

    bucket: str
    region: str
    cidrs: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse addresses that are none, and the whole internet.

        Raises:
            PlatformError: which, and what is expected.
        """
        for cidr in self.cidrs:
            try:
                wide = ip_network(cidr).prefixlen == 0
            except ValueError as error:
                raise PlatformError(f"--s3-cidrs: {error}") from error
            if wide:
                raise PlatformError(f"--s3-cidrs: {cidr} is the whole internet; name the addresses of S3")
        if not self.cidrs:
            raise PlatformError("--s3-cidrs: pods reach no S3 without its addresses")

    def to_json(self) -> str:
        """Write it for the ConfigMap that remembers it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ExternalS3:
        """Read what :meth:`to_json` wrote."""
        held = json.loads(text)
        return cls(held["bucket"], held["region"], tuple(held["cidrs"]))


def with_external_s3(objects: Iterable[Object], s3: ExternalS3) -> list[Object]:
    """Return the platform's or a tenant's objects without MinIO and without its users' keys."""
    kept = [_changed(found, s3) for found in objects if not _is_minio(found)]
    # Who reads and writes the registry's artifacts; the database in the same namespace does not.
    if any(found["kind"] == "Deployment" and found["metadata"]["name"] == "mlflow" for found in kept):
        metadata = {"name": "mlflow", "namespace": "mlflow"}
        kept.append(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": metadata,
                "automountServiceAccountToken": False,
            }
        )
    return kept


def _is_minio(found: Object) -> bool:
    metadata = found["metadata"]
    return (
        metadata.get("namespace") == _MINIO
        or (found["kind"], metadata["name"]) == ("Namespace", _MINIO)
        # Whose disks it watches are gone.
        or (found["kind"], metadata["name"]) == ("PodMonitor", "s3")
    )


def _changed(found: Object, s3: ExternalS3) -> Object:
    kind, name = found["kind"], found["metadata"]["name"]
    if kind == "NetworkPolicy":
        spec = found["spec"]
        egress = [changed for rule in spec.get("egress", ()) for changed in _egress(rule, s3)]
        return {**found, "spec": {**spec, **({"egress": egress} if "egress" in spec else {})}}
    if kind == "ServiceAccount" and name == "predictor":
        return {key: value for key, value in found.items() if key != "secrets"}
    if kind == "ClusterStorageContainer":
        container = found["spec"]["container"]
        return {**found, "spec": {**found["spec"], "container": {**container, "env": _environment(container, s3)}}}
    if kind == "Deployment" and name in ("mlflow", "release-controller"):
        return _deployment(found, s3)
    return found


def _egress(rule: Object, s3: ExternalS3) -> list[Object]:
    """Replace the way to MinIO by the ways to S3 and to the node's agent."""
    places = [to.get("namespaceSelector", {}).get("matchLabels", {}) for to in rule.get("to", ())]
    if {"kubernetes.io/metadata.name": _MINIO} not in places:
        return [rule]
    return [
        {
            "to": [{"ipBlock": {"cidr": cidr}} for cidr in s3.cidrs],
            "ports": [{"protocol": "TCP", "port": 443}],
        },
        {"to": [{"ipBlock": {"cidr": _AGENT}}], "ports": [{"protocol": "TCP", "port": 80}]},
    ]


def _environment(container: Mapping[str, Any], s3: ExternalS3) -> list[Object]:
    kept = [each for each in container.get("env", ()) if each["name"] not in _KEYS]
    return [
        *kept,
        {"name": "AWS_DEFAULT_REGION", "value": s3.region},
        {"name": "FERRYMAN_S3_BUCKET", "value": s3.bucket},
    ]


def _deployment(found: Object, s3: ExternalS3) -> Object:
    pod = found["spec"]["template"]["spec"]
    [container] = pod["containers"]
    changed = {**container, "env": _environment(container, s3)}
    if "envFrom" in container:
        changed["envFrom"] = [each for each in container["envFrom"] if each["secretRef"]["name"] != "publisher"]
    if "args" in container:
        old, new = "--artifacts-destination=s3://mlflow", f"--artifacts-destination=s3://{s3.bucket}/mlflow"
        changed["args"] = [new if argument == old else argument for argument in container["args"]]
    template = {**found["spec"]["template"], "spec": {**pod, "containers": [changed]}}
    if found["metadata"]["name"] == "mlflow":
        template["spec"]["serviceAccountName"] = "mlflow"
    return {**found, "spec": {**found["spec"], "template": template}}
