"""The MLflow server: tracking, registry and UI, artifacts on S3."""

from __future__ import annotations

import os
import sys

from infra.local.object_store import MLFLOW_BUCKET, ObjectStore
from infra.local.program import Program
from infra.local.secret import webhook_keys
from infra.local.settings import LOOPBACK, Settings

__all__ = ["database_uri", "tracking_server"]

# A version may only point at a model that a run logged: without this, whoever may create versions reads any
# artifact that the server can (field: source).
_SOURCE = r"^models:/m-[0-9a-f]{32}$"


def database_uri(settings: Settings) -> str:
    """Return where MLflow keeps what it knows: SQLite unless a database is named."""
    return os.environ.get("MLFLOW_BACKEND_STORE_URI") or f"sqlite:///{settings.home / 'mlflow.db'}"


def tracking_server(settings: Settings, store: ObjectStore) -> Program:
    """Return the server as a program: one worker, no job runner, no telemetry."""
    hosts = ",".join(f"{host}:{settings.mlflow_port}" for host in ("localhost", LOOPBACK))
    return Program(
        "mlflow",
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            LOOPBACK,
            "--port",
            str(settings.mlflow_port),
            "--workers",
            "1",
            "--allowed-hosts",
            hosts,
            "--artifacts-destination",
            f"s3://{MLFLOW_BUCKET}",
        ],
        {
            **store.environment(store.publisher),
            "MLFLOW_BACKEND_STORE_URI": database_uri(settings),
            "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": _SOURCE,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # The release controller listens on loopback, which MLflow would refuse to call.
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
            "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": webhook_keys(settings.home).encryption_key,
        },
    )
