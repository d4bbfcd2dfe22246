"""Buckets, S3 users and what each may do; on MinIO through a port-forward."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider

from artifact.address import RELEASED_BUCKET
from infra.platform.cluster import Cluster

__all__ = ["MLFLOW_BUCKET", "ObjectStore", "object_store", "publisher_policy", "reader_policy", "whole_bucket_policy"]

MLFLOW_BUCKET = "mlflow"

Policy = dict[str, Any]


def _policy(*statements: Mapping[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def reader_policy(models: Sequence[str]) -> Policy:
    """What a tenant may: read the published artifacts of the models that it follows."""
    bucket = f"arn:aws:s3:::{RELEASED_BUCKET}"
    prefixes = [f"{model}/*" for model in models]
    return _policy(
        {"Action": ["s3:GetObject"], "Resource": [f"{bucket}/{prefix}" for prefix in prefixes]},
        {
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": prefixes}},
        },
    )


def publisher_policy() -> Policy:
    """What the publisher may: read and add published artifacts. It deletes none."""
    bucket = f"arn:aws:s3:::{RELEASED_BUCKET}"
    return _policy(
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": [f"{bucket}/*"]},
        {"Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": [bucket]},
    )


def whole_bucket_policy(bucket: str) -> Policy:
    """Everything in one bucket."""
    return _policy({"Action": ["s3:*"], "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})


class ObjectStore:
    """MinIO, as its root."""

    def __init__(self, endpoint: str, root: Mapping[str, str]) -> None:
        user, password = root["MINIO_ROOT_USER"], root["MINIO_ROOT_PASSWORD"]
        self._s3 = Minio(endpoint=endpoint, access_key=user, secret_key=password, secure=False, region="us-east-1")
        self._admin = MinioAdmin(endpoint=endpoint, credentials=StaticProvider(user, password), secure=False)

    def make_buckets(self) -> None:
        """Make the buckets that are not there."""
        for bucket in (MLFLOW_BUCKET, RELEASED_BUCKET):
            if not self._s3.bucket_exists(bucket_name=bucket):
                self._s3.make_bucket(bucket_name=bucket)

    def ensure_user(self, keys: Mapping[str, str], policy: Policy) -> None:
        """Make a user that may do what the policy says and nothing else; a second time sets both anew."""
        user = keys["AWS_ACCESS_KEY_ID"]
        self._admin.policy_add(user, policy=policy)
        self._admin.user_add(access_key=user, secret_key=keys["AWS_SECRET_ACCESS_KEY"])
        held = json.loads(self._admin.user_info(access_key=user)).get("policyName", "")
        if user not in held.split(","):
            self._admin.attach_policy(policies=[user], user=user)

    def remove_user(self, user: str) -> None:
        """Remove a user and its policy; nothing that it read or wrote."""
        if user in json.loads(self._admin.user_list()):
            self._admin.user_remove(access_key=user)
        if user in json.loads(self._admin.policy_list()):
            self._admin.policy_remove(user)


@contextmanager
def object_store(cluster: Cluster, root: Mapping[str, str]) -> Iterator[ObjectStore]:
    """Reach the cluster's MinIO for as long as the block runs."""
    with cluster.forward("minio", "minio", 9000) as port:
        yield ObjectStore(f"127.0.0.1:{port}", root)
