"""A cluster as a side of a backup: ModelReleases and Secrets by kubectl, databases by exec, MinIO by a forward."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from infra.backup.databases import Postgres
from infra.backup.errors import BackupError
from infra.backup.objects import Buckets
from infra.backup.side import Database, Piece
from infra.platform.cluster import Cluster
from infra.platform.trust import held_trust, put_trust

__all__ = ["OnCluster", "kept_release", "on_cluster", "with_admin_password"]

Object = dict[str, Any]

_KIND = "modelreleases.ferryman.dev"
_OURS = "ferryman.dev/"
_MANAGER = "ferryman-backup"
# What the rest is worth nothing without: the key that signs, and the passwords that MLflow's database holds the hashes
# of. Not the keys to MinIO and PostgreSQL, nor certificates: each installation makes its own.
_SECRETS = {
    ("training", "signing-key"): None,
    ("training", "training"): None,
    ("release", "registry"): None,
    ("mlflow", "mlflow"): ("admin-password",),
}
_WRITERS = (("mlflow", "mlflow"), ("release", "release-controller"))
_ROLLOUT_SECONDS = 300
_RELEASE = re.compile(r"releases/([a-z0-9-]+)/([a-z0-9-]+)\.json")
_SECRET = re.compile(r"keys/secrets/([a-z0-9-]+)/([a-z0-9-]+)\.json")
_TRUST = re.compile(r"keys/trust/([0-9a-f]+\.pem|revoked)")


class OnCluster:
    """A :class:`infra.backup.side.Side`; its methods may raise :class:`infra.platform.errors.PlatformError` as well."""

    kind = "cluster"

    def __init__(self, cluster: Cluster, buckets: Buckets) -> None:
        self.buckets = buckets
        self._cluster = cluster

    def releases(self) -> Sequence[Piece]:
        """See the base."""
        found = json.loads(self._cluster.kubectl("get", _KIND, "--all-namespaces", "--output=json"))["items"]
        return [
            _json(f"releases/{each['metadata']['namespace']}/{each['metadata']['name']}.json", kept_release(each))
            for each in found
        ]

    def databases(self) -> Sequence[Database]:
        """See the base. Permissions name models and experiments, so they come first."""
        password = self._secret("mlflow", "mlflow")["database-password"]
        elsewhere = self._cluster.exec_command("mlflow", "statefulset/postgresql", "postgresql")
        return [
            Postgres(name, f"postgresql://mlflow@localhost/{name}", password, elsewhere)
            for name in ("mlflow_auth", "mlflow")
        ]

    def keys(self) -> Sequence[Piece]:
        """See the base."""
        secrets = []
        for (namespace, name), wanted in _SECRETS.items():
            held = self._secret(namespace, name)
            chosen = {key: held[key] for key in wanted or held}
            secrets.append(_json(f"keys/secrets/{namespace}/{name}.json", chosen))
        trust = [Piece.of(f"keys/trust/{name}", text.encode()) for name, text in held_trust(self._cluster).items()]
        return [*secrets, *trust]

    def check(self, names: Sequence[str]) -> None:
        """See the base."""
        for name in names:
            if not any(form.fullmatch(name) for form in (_RELEASE, _SECRET, _TRUST)):
                raise BackupError(f"{name} belongs to no cluster")
        tenants = {found[1] for name in names if (found := _RELEASE.fullmatch(name))}
        for tenant in sorted(tenants):
            if self._cluster.get("namespace", tenant) is None:
                raise BackupError(f"the cluster has no namespace {tenant}; make it with: make tenant NAME={tenant}")

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """See the base. Predictors go on answering: they need neither MLflow nor the controller."""
        replicas = {}
        for namespace, name in _WRITERS:
            held = self._cluster.get("deployment", name, namespace)
            if held is None:
                raise BackupError(f"the cluster has no {namespace}/{name}: is the platform installed?")
            # None at all: a restore was killed here.
            replicas[namespace, name] = int(held["spec"]["replicas"]) or 1
        try:
            for namespace, name in _WRITERS:
                self._scale(namespace, name, 0)
                if self._cluster.find("pod", f"app.kubernetes.io/name={name}", namespace):
                    gone = ("wait", "--for=delete", "pod", f"--selector=app.kubernetes.io/name={name}")
                    self._cluster.kubectl(*gone, f"--namespace={namespace}", "--timeout=120s", seconds=130)
            yield
        finally:
            for (namespace, name), count in replicas.items():
                self._scale(namespace, name, count)
        for namespace, name in _WRITERS:
            self._cluster.kubectl(
                *("rollout", "status", f"--namespace={namespace}", f"deployment/{name}"),
                f"--timeout={_ROLLOUT_SECONDS}s",
                seconds=_ROLLOUT_SECONDS + 10,
            )

    def put(self, pieces: Mapping[str, bytes]) -> None:
        """See the base. A ModelRelease that is not in the backup stays as it is: to remove it would stop its tenant."""
        put_trust(self._cluster, {found[1]: data.decode() for found, data in _matching(_TRUST, pieces)})
        for found, data in _matching(_SECRET, pieces):
            self._put_secret(found[1], found[2], json.loads(data))
        for _, data in _matching(_RELEASE, pieces):
            self._put_release(json.loads(data))

    def _put_secret(self, namespace: str, name: str, values: dict[str, str]) -> None:
        if "admin-password" in values:
            configuration = self._secret(namespace, name)["basic_auth.ini"]
            values["basic_auth.ini"] = with_admin_password(configuration, values["admin-password"])
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
        # With a manager of its own, for the other keys of the Secret stay the installer's.
        self._cluster.apply([{**secret, "stringData": values}], manager=_MANAGER)

    def _put_release(self, release: Object) -> None:
        metadata = release["metadata"]
        place = f"--namespace={metadata['namespace']}"
        notes = metadata.pop("annotations")
        # Whose fields they are stays so: the spec Git's, requests nobody's.
        self._cluster.apply([{key: value for key, value in release.items() if key != "status"}])
        held = self._cluster.get(_KIND, metadata["name"], metadata["namespace"]) or {"metadata": {}}
        for note in held["metadata"].get("annotations", {}):
            if note.startswith(_OURS):
                notes.setdefault(note, None)
        said = [f"{note}-" if value is None else f"{note}={value}" for note, value in notes.items()]
        if said:
            self._cluster.kubectl("annotate", _KIND, metadata["name"], place, "--overwrite", *said)
        held = self._cluster.get(_KIND, metadata["name"], metadata["namespace"]) or held
        metadata["resourceVersion"] = held["metadata"]["resourceVersion"]
        self._cluster.kubectl("replace", "--subresource=status", "-f", "-", given=json.dumps(release))

    def _scale(self, namespace: str, name: str, count: int) -> None:
        self._cluster.kubectl("scale", f"deployment/{name}", f"--namespace={namespace}", f"--replicas={count}")

    def _secret(self, namespace: str, name: str) -> dict[str, str]:
        return _values(self._cluster, namespace, name)


@contextmanager
def on_cluster() -> Iterator[OnCluster]:
    """Yield the cluster that ``KUBECONFIG`` names, its object store within reach, for as long as the block runs.

    Raises:
        PlatformError: kubectl is missing, or the cluster or MinIO does not answer.
        BackupError: the platform is not installed.
    """
    cluster = Cluster()
    root = _values(cluster, "minio", "minio-root")
    with cluster.forward("minio", "minio", 9000) as port:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=root["MINIO_ROOT_USER"],
            aws_secret_access_key=root["MINIO_ROOT_PASSWORD"],
            region_name="us-east-1",
            config=Config(connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"}),
        )
        yield OnCluster(cluster, Buckets(client))


def kept_release(found: Object) -> Object:
    """Return what is kept of a ModelRelease: what was asked for, what people asked since, and where it stands."""
    metadata = found["metadata"]

    def ours(part: str) -> dict[str, str]:
        return {key: value for key, value in metadata.get(part, {}).items() if key.startswith(_OURS)}

    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": ours("labels"),
            "annotations": ours("annotations"),
        },
        "spec": found["spec"],
        "status": found.get("status", {}),
    }


def with_admin_password(configuration: str, password: str) -> str:
    """Return MLflow's configuration of users (``basic_auth.ini``) with another password of the administrator."""
    return re.sub(r"(?m)^(admin_password = ).*$", lambda found: found[1] + password, configuration)


def _values(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    held = cluster.get("secret", name, namespace)
    if held is None:
        raise BackupError(f"the cluster has no Secret {namespace}/{name}: is the platform installed?")
    return {key: base64.b64decode(value).decode() for key, value in held["data"].items()}


def _matching(form: re.Pattern[str], pieces: Mapping[str, bytes]) -> Iterator[tuple[re.Match[str], bytes]]:
    for name, data in pieces.items():
        if found := form.fullmatch(name):
            yield found, data


def _json(name: str, document: object) -> Piece:
    return Piece.of(name, json.dumps(document, indent=1).encode())
