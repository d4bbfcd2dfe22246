"""The object store's two buckets, over S3."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any, cast

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from artifact.address import RELEASED_BUCKET
from infra.backup.archive import Readable
from infra.backup.errors import BackupError
from infra.backup.side import Content, Piece

__all__ = ["BUCKETS", "Buckets"]

BUCKETS = ("mlflow", RELEASED_BUCKET)
_PREFIX = "objects/"
# One part at a time: a stream cannot be read at two places.
_SERIAL = TransferConfig(use_threads=False)
_MOST_DELETED = 1000


class Buckets:
    """Both buckets, with a client that may do everything in them."""

    def __init__(self, client: Any) -> None:
        self._s3 = client

    def pieces(self, bucket: str) -> list[Piece]:
        """Return every object of a bucket."""
        return [
            Piece(f"{_PREFIX}{bucket}/{key}", size, partial(self._open, bucket, key))
            for key, size in self._list(bucket)
        ]

    def takes(self, name: str) -> bool:
        """Whether a piece is an object of these buckets."""
        return name.startswith(tuple(f"{_PREFIX}{bucket}/" for bucket in BUCKETS))

    def put(self, name: str, body: Readable) -> None:
        """Write the object that a piece is; one that is there is replaced."""
        bucket, _, key = name.removeprefix(_PREFIX).partition("/")
        try:
            self._s3.upload_fileobj(body, bucket, key, Config=_SERIAL)
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"{name} cannot be written: {error}") from error

    def count(self) -> int:
        """Return how many objects there are."""
        return sum(1 for bucket in BUCKETS for _ in self._list(bucket))

    def retain(self, names: Collection[str]) -> None:
        """Remove every object that is none of these pieces."""
        for bucket in BUCKETS:
            gone = [key for key, _ in self._list(bucket) if f"{_PREFIX}{bucket}/{key}" not in names]
            for start in range(0, len(gone), _MOST_DELETED):
                keys = [{"Key": key} for key in gone[start : start + _MOST_DELETED]]
                try:
                    self._s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                except (BotoCoreError, ClientError) as error:
                    raise BackupError(f"objects of {bucket} cannot be removed: {error}") from error

    def _list(self, bucket: str) -> Iterator[tuple[str, int]]:
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for found in page.get("Contents", []):
                    yield found["Key"], found["Size"]
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"the bucket {bucket} cannot be listed: {error}") from error

    def _open(self, bucket: str, key: str) -> Content:
        try:
            found = self._s3.get_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"{bucket}/{key} cannot be read: {error}") from error
        # Not the size that was listed: the history of releases grows meanwhile.
        return Content(int(found["ContentLength"]), cast("Readable", found["Body"]))
