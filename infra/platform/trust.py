"""The key that signs models, known to training alone, and what verifiers are given: public keys and revoked digests.

The ConfigMap in the namespace `release` is the one to edit; the others are copies of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from artifact.keys import key_id, private_key, public_pem
from artifact.trust import REVOKED_FILE
from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.keys import held_secret

__all__ = ["SIGNING_KEY_FILE", "copy_trust", "ensure_trust", "held_trust", "put_trust", "write_trust"]

SIGNING_KEY_FILE = "signing-key.pem"

_NAME = "ferryman-trust"
_SOURCE = "release"


def ensure_trust(cluster: Cluster) -> None:
    """Make the ConfigMap of trust from the signing key the first time, and copy it to training."""
    key = held_secret(cluster, "training", "signing-key")
    if cluster.get("configmap", _NAME, _SOURCE) is None:
        public = private_key(key[SIGNING_KEY_FILE].encode()).public_key()
        cluster.apply([_trust(_SOURCE, {f"{key_id(public)}.pem": public_pem(public), REVOKED_FILE: ""})])
    copy_trust(cluster, "training")


def copy_trust(cluster: Cluster, namespace: str) -> None:
    """Bring a namespace's ConfigMap of trust to what the platform's says."""
    cluster.apply([_trust(namespace, held_trust(cluster))])


def held_trust(cluster: Cluster) -> dict[str, str]:
    """Return file names and contents of what verifiers are given.

    Raises:
        PlatformError: the platform is not installed.
    """
    held = cluster.get("configmap", _NAME, _SOURCE)
    if held is None:
        raise PlatformError(f"there is no ConfigMap {_NAME} in {_SOURCE}: is the platform installed on this cluster?")
    return dict(held["data"])


def put_trust(cluster: Cluster, files: dict[str, str]) -> None:
    """Replace what verifiers are given, at the platform and wherever there is a copy of it."""
    selector = f"metadata.name={_NAME}"
    said = cluster.kubectl("get", "configmaps", "--all-namespaces", f"--field-selector={selector}", "--output=json")
    copies = {found["metadata"]["namespace"] for found in json.loads(said)["items"]}
    cluster.apply([_trust(namespace, files) for namespace in sorted({_SOURCE, *copies})])


def write_trust(cluster: Cluster, folder: Path) -> None:
    """Write what verifiers are given into a folder, for commands outside of the cluster.

    Raises:
        PlatformError: the platform is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in held_trust(cluster).items():
        (folder / name).write_text(text)


def _trust(namespace: str, files: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _NAME, "namespace": namespace},
        "data": files,
    }
