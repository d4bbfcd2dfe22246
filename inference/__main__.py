"""`python -m inference`: serve one published artifact for one tenant."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from artifact import AddressError, ArtifactError, PublishedArtifact


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop and return 0; 2 for what was asked wrongly, 1 for an artifact that may not be served."""
    chosen = _parser().parse_args(arguments)
    if not chosen.storage_uri:
        print("--storage-uri (or STORAGE_URI) is missing: which artifact is to be served?", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("kserve_storage", "botocore", "boto3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        place = PublishedArtifact.parse(chosen.storage_uri)
    except AddressError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    from inference.load import DownloadError, load

    try:
        pipeline = load(place, chosen.model_dir)
    except (ArtifactError, DownloadError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1

    from inference.server import PredictorServer
    from inference.service import Service

    service = Service(place.model, str(place.version), chosen.tenant, pipeline)
    try:
        PredictorServer(service, chosen.host, chosen.http_port, chosen.grpc_port).serve()
    except OSError as error:
        print(f"cannot listen on {chosen.host}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference", description="Serve one published artifact.")
    parser.add_argument(
        "--storage-uri",
        default=os.environ.get("STORAGE_URI"),
        help="s3://released/<model>/<version>-<digest12>/ (or STORAGE_URI); says which version and digest is served",
    )
    parser.add_argument(
        "--tenant",
        default=os.environ.get("FERRYMAN_TENANT", "default"),
        help="the tenant named in answers (or FERRYMAN_TENANT)",
    )
    parser.add_argument(
        "--model-dir", type=Path, help="a folder that holds the artifact already; else it is downloaded"
    )
    parser.add_argument("--host", default="127.0.0.1", help="the interface to listen on (default: %(default)s)")
    parser.add_argument("--http-port", type=int, default=8080, help="REST (default: %(default)s)")
    parser.add_argument("--grpc-port", type=int, default=8081, help="gRPC (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
