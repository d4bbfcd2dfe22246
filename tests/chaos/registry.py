"""What the registry and the object store hold, name by name, so that it can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import boto3
from botocore.config import Config
from mlflow import MlflowClient

from infra.local.secret import load_or_generate
from infra.local.settings import Settings

__all__ = ["BUCKETS", "holds", "objects", "published"]

BUCKETS = ("mlflow", "released")
_MOVED = ("champion", "steady")
"""Aliases that every scene moves."""


def holds(settings: Settings) -> dict[str, str]:
    """Return each version with its source and tags, each alias, and the digest of each object.

    What becomes of releases is written to tags and to histories all the time: the tags are left out, and of a history
    each line counts by itself.
    """
    client = MlflowClient(settings.mlflow_url, settings.mlflow_url)
    found = {}
    for version in client.search_model_versions("name = 'sentiment'"):
        tags = {key: value for key, value in version.tags.items() if not key.startswith("ferryman.")}
        found[f"version {version.version}"] = json.dumps([version.source, version.run_id, version.status, tags])
    aliases: Mapping[str, object] = client.get_registered_model("sentiment").aliases
    found |= {f"alias {name}": str(version) for name, version in aliases.items() if name not in _MOVED}
    return found | objects(settings)


def objects(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of each object's bytes; of a history that of each line."""
    client = _client(settings)
    found = {}
    for bucket in BUCKETS:
        for name in _names(settings, bucket):
            body = client.get_object(Bucket=bucket, Key=name)["Body"].read()
            if name.endswith(".jsonl"):
                found |= {f"{bucket}/{name} {line}": "" for line in body.decode().splitlines()}
            else:
                found[f"{bucket}/{name}"] = hashlib.sha256(body).hexdigest()
    return found


def published(settings: Settings) -> list[str]:
    """Return the names of what lies in the released bucket."""
    return _names(settings, "released")


def _names(settings: Settings, bucket: str) -> list[str]:
    pages = _client(settings).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def _client(settings: Settings) -> boto3.client:
    keys = load_or_generate(settings.home).publisher
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_url,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 3}),
    )
