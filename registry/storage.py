"""The S3 client, from the ecosystem's own variables."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config

__all__ = ["s3_client"]


def s3_client() -> Any:
    """Return a boto3 S3 client for ``MLFLOW_S3_ENDPOINT_URL`` (or ``AWS_ENDPOINT_URL``) and the ``AWS_*`` credentials.

    It gives up after seconds, not minutes: whoever waits for it has a sentence to print.
    """
    return boto3.client(
        "s3",
        endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL") or None,
        region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        config=Config(
            connect_timeout=3,
            read_timeout=30,
            retries={"max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
        ),
    )
