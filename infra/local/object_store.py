"""S3 for the laptop: MinIO when it is on PATH, else SeaweedFS from its wheel, or a store that somebody else runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from artifact.address import RELEASED_BUCKET
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.ports import remembered
from infra.local.program import Program
from infra.local.secret import Credentials, Secrets
from infra.local.settings import LOOPBACK, Settings

__all__ = ["MLFLOW_BUCKET", "ObjectStore", "external_endpoint", "object_store"]

MLFLOW_BUCKET = "mlflow"
_BUCKETS = (MLFLOW_BUCKET, RELEASED_BUCKET)


@dataclass(frozen=True)
class ObjectStore:
    """Where artifacts lie, who may write there, and who may only read what is released."""

    kind: str
    endpoint: str
    publisher: Credentials
    reader: Credentials
    program: Program | None

    def environment(self, credentials: Credentials) -> dict[str, str]:
        """The variables by which MLflow, boto3 and kserve-storage find the store."""
        return {
            **credentials.environment(),
            "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
            "AWS_ENDPOINT_URL": self.endpoint,
            "MLFLOW_S3_ENDPOINT_URL": self.endpoint,
        }

    def client(self) -> Any:
        """Return a boto3 client with the publisher's keys; it gives up after seconds."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.publisher.access_key,
            aws_secret_access_key=self.publisher.secret_key,
            region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
            config=Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 5, "mode": "standard"}),
        )

    def prepare(self) -> None:
        """Make the buckets, and on MinIO the reader. A second time changes nothing.

        Raises:
            StackError: the store refuses, or does not answer.
        """
        client = self.client()
        try:
            for bucket in _BUCKETS:
                # Not by listing all buckets: keys to these two are enough.
                try:
                    client.list_objects_v2(Bucket=bucket, MaxKeys=1)
                except client.exceptions.NoSuchBucket:
                    client.create_bucket(Bucket=bucket)
            if self.kind == "minio":
                self._add_minio_reader()
        except (BotoCoreError, ClientError) as error:
            raise StackError(f"the object store at {self.endpoint} refuses: {error}") from error

    def _add_minio_reader(self) -> None:
        from minio import MinioAdmin
        from minio.credentials.providers import StaticProvider

        admin = MinioAdmin(
            endpoint=self.endpoint.removeprefix("http://"),
            credentials=StaticProvider(self.publisher.access_key, self.publisher.secret_key),
            secure=False,
        )
        admin.policy_add("released-read", policy=_READER_POLICY)
        admin.user_add(access_key=self.reader.access_key, secret_key=self.reader.secret_key)
        if "released-read" not in json.loads(admin.user_info(access_key=self.reader.access_key)).get("policyName", ""):
            admin.attach_policy(policies=["released-read"], user=self.reader.access_key)


_READER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": [f"arn:aws:s3:::{RELEASED_BUCKET}", f"arn:aws:s3:::{RELEASED_BUCKET}/*"],
        }
    ],
}


def external_endpoint(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Return the endpoint of a store that somebody else runs, if the usual variables name one."""
    endpoint = environment.get("MLFLOW_S3_ENDPOINT_URL") or environment.get("AWS_ENDPOINT_URL")
    return None if endpoint in (None, "", settings.s3_url) else endpoint


def object_store(settings: Settings, secrets: Secrets) -> ObjectStore:
    """Choose the store for this stack.

    Raises:
        StackError: an external endpoint is named without credentials, or no store is installed.
    """
    external = external_endpoint(settings, os.environ)
    if external:
        try:
            keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        except KeyError as error:
            raise StackError(f"{external} is to be the object store, but {error.args[0]} is not set") from error
        return ObjectStore("external", external, keys, keys, None)
    minio = shutil.which("minio")
    kind, program = (
        ("minio", _minio(minio, settings, secrets)) if minio else ("seaweedfs", _seaweedfs(settings, secrets))
    )
    return ObjectStore(kind, settings.s3_url, secrets.publisher, secrets.reader, program)


def _minio(binary: str, settings: Settings, secrets: Secrets) -> Program:
    data = settings.home / "minio"
    data.mkdir(mode=0o700, exist_ok=True)
    console = remembered(settings.home / "ports.json", ("console",))["console"]
    return Program(
        "s3",
        [
            binary,
            "server",
            "--address",
            f"{LOOPBACK}:{settings.s3_port}",
            "--console-address",
            f"{LOOPBACK}:{console}",
            str(data),
        ],
        {
            "MINIO_ROOT_USER": secrets.publisher.access_key,
            "MINIO_ROOT_PASSWORD": secrets.publisher.secret_key,
            # How full its disks are is no secret, and it listens on loopback.
            "MINIO_PROMETHEUS_AUTH_TYPE": "public",
        },
    )


def _seaweedfs(settings: Settings, secrets: Secrets) -> Program:
    beside_python = Path(sys.executable).parent / "weed"
    binary = str(beside_python) if beside_python.exists() else shutil.which("weed")
    if binary is None:
        raise StackError("neither `minio` nor SeaweedFS' `weed` is installed; `make install` brings the latter")
    data = settings.home / "seaweedfs"
    data.mkdir(mode=0o700, exist_ok=True)
    identities = data / "identities.json"
    write_private(identities, json.dumps({"identities": _identities(secrets)}, indent=2))
    ports = remembered(
        settings.home / "ports.json",
        (
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
            "filer.port",
            "filer.port.grpc",
            "s3.port.grpc",
            "metricsPort",
            "admin.port",
            "admin.port.grpc",
        ),
    )
    options = {
        "dir": ".",
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "s3.port": settings.s3_port,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": identities.name,
        # Sockets beside the data, named relatively: /tmp is shared, and a socket's path has to be short.
        "s3.localSocket": "s3.sock",
        "filer.localSocket": "filer.sock",
        "s3.iam": "false",
        "master.telemetry": "false",
        "admin.ui": "false",
        "webdav": "false",
        **ports,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    return Program("s3", [binary, "-logtostderr=true", "mini", *flags], folder=data)


def _identities(secrets: Secrets) -> list[dict[str, object]]:
    def identity(name: str, keys: Credentials, actions: list[str]) -> dict[str, object]:
        pair = {"accessKey": keys.access_key, "secretKey": keys.secret_key}
        return {"name": name, "credentials": [pair], "actions": actions}

    return [
        identity("publisher", secrets.publisher, ["Admin", "Read", "List", "Write", "Tagging"]),
        identity("reader", secrets.reader, [f"Read:{RELEASED_BUCKET}", f"List:{RELEASED_BUCKET}"]),
    ]
