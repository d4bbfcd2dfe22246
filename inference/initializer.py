"""`python -m inference.initializer URI DESTINATION`: what KServe runs before a predictor, for ``s3://released/`` only.

The artifact goes to ``DESTINATION/artifact``, and what was verified to ``DESTINATION/verified.json`` beside it. A
refusal is one line on stderr, which KServe shows as the InferenceService's ``status.modelStatus.lastFailureInfo``.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from artifact import AddressError, ArtifactError, PublishedArtifact, Trust, TrustError, verify_signed
from artifact.address import ReleasedStore

__all__ = ["main"]


class _DownloadError(RuntimeError):
    """The object store does not answer, or does not give the artifact."""


def main(arguments: Sequence[str]) -> int:
    """Return 0 when the verified artifact lies in its place, or why it does not.

    1: it may not be loaded; 2: a wrong address; 3: the object store does not give it, so another try may help.
    """
    if len(arguments) != 2:
        print(
            "usage: python -m inference.initializer s3://released/<model>/<version>-<digest12>/ DESTINATION",
            file=sys.stderr,
        )
        return 2
    uri, destination = arguments[0], Path(arguments[1])
    folder = destination / "artifact"
    try:
        place = PublishedArtifact.parse(uri)
        # A container that was restarted finds what the one before had written.
        shutil.rmtree(folder, ignore_errors=True)
        _download(place, folder)
        signed = verify_signed(folder, place, Trust.from_environment())
    except AddressError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    except (ArtifactError, TrustError, _DownloadError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"refused: {error}", file=sys.stderr)
        return 3 if isinstance(error, _DownloadError) else 1
    statement = signed.statement
    verified = {
        "storageUri": uri,
        "model": statement.model,
        "version": statement.version,
        "digest": statement.digest,
        "keys": signed.keys,
    }
    (destination / "verified.json").write_text(json.dumps(verified) + "\n")
    print(f"verified {uri}: sha256 {statement.digest}, signed with {', '.join(signed.keys)}")
    return 0


def _download(place: PublishedArtifact, folder: Path) -> None:
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path"},
    )
    try:
        # Endpoint and keys come from the variables that KServe makes of the tenant's Secret.
        s3 = boto3.client("s3", config=config)
        store = ReleasedStore.from_environment()
        prefix = store.root + place.prefix
        keys = _keys(s3, store.bucket, prefix)
        for key in keys:
            target = folder / key.removeprefix(prefix)
            if not target.resolve().is_relative_to(folder.resolve()):
                raise ArtifactError(f"{place.uri}: {key!r} would be written outside its folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(store.bucket, key, str(target))
    except (BotoCoreError, ClientError) as error:
        raise _DownloadError(f"{place.uri} cannot be downloaded: {' '.join(str(error).split())}") from error
    if not keys:
        raise ArtifactError(f"{place.uri} holds nothing")


def _keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
