"""Keys and passwords, generated once in the cluster and kept on a second run."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError

__all__ = [
    "MINIO",
    "ensure_secret",
    "held_secret",
    "mlflow_secret",
    "mlflow_user",
    "root_secret",
    "s3_keys",
    "tls_secret",
]

MINIO = "minio.minio:9000"


def ensure_secret(
    cluster: Cluster,
    namespace: str,
    name: str,
    make: Callable[[], Mapping[str, str]],
    *,
    kind: str = "Opaque",
    annotations: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the values of a Secret, making it the first time."""
    held = cluster.get("secret", name, namespace)
    if held is not None:
        return {key: base64.b64decode(value).decode() for key, value in held.get("data", {}).items()}
    values = dict(make())
    metadata = {"name": name, "namespace": namespace, "annotations": dict(annotations or {})}
    cluster.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": values}])
    return values


def held_secret(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """Return the values of a Secret.

    Raises:
        PlatformError: it is not there.
    """

    def missing() -> Mapping[str, str]:
        raise PlatformError(
            f"there is no Secret {name} in {namespace}: the installer makes it, or External Secrets brings it"
        )

    return ensure_secret(cluster, namespace, name, missing)


def root_secret() -> dict[str, str]:
    """MinIO's own user, which only the installer uses."""
    return {"MINIO_ROOT_USER": f"root-{secrets.token_hex(4)}", "MINIO_ROOT_PASSWORD": secrets.token_hex(20)}


def s3_keys(name: str) -> dict[str, str]:
    """One S3 user, under the variables by which the AWS SDKs know it; ``name`` tells users apart in logs."""
    return {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}


def mlflow_secret() -> dict[str, str]:
    """What MLflow and its database need."""
    password, admin = secrets.token_hex(16), secrets.token_hex(16)
    database = f"postgresql://mlflow:{password}@postgresql.mlflow:5432"
    auth = [
        "[mlflow]",
        # MLflow's own default lets every user read every model.
        "default_permission = NO_PERMISSIONS",
        f"database_uri = {database}/mlflow_auth",
        "admin_username = admin",
        f"admin_password = {admin}",
        # Hashing a password takes longer than most requests. There is one worker, so a change holds at once.
        "auth_cache_ttl_seconds = 60",
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth",
    ]
    return {
        **s3_keys("mlflow"),
        "database-password": password,
        "backend-store-uri": f"{database}/mlflow",
        "flask-secret-key": secrets.token_hex(32),
        "admin-password": admin,
        "basic_auth.ini": "\n".join(auth) + "\n",
    }


def mlflow_user(name: str) -> dict[str, str]:
    """One MLflow user, under the variables by which MLflow's client knows it."""
    return {"MLFLOW_TRACKING_USERNAME": name, "MLFLOW_TRACKING_PASSWORD": secrets.token_hex(16)}


def tls_secret(domain: str, days: int = 90) -> dict[str, str]:
    """A self-signed certificate for the gateway, until cert-manager replaces it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"*.{domain}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"*.{domain}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"tls.crt": certificate.public_bytes(encoding).decode(), "tls.key": private.decode()}
