"""`python -m inference`: serve one published artifact for one tenant."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from artifact import AddressError, ArtifactError, PublishedArtifact
from inference.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop and return 0; 2 for what was asked wrongly, 1 for what may not or cannot be served."""
    settings = Settings.parse(arguments, os.environ)
    try:
        place = PublishedArtifact.parse(settings.storage_uri)
    except AddressError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    from inference import logs
    from inference.load import DownloadError, load

    logs.configure()
    try:
        scorer = load(place, settings.model_dir)
    except (ArtifactError, DownloadError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1

    # gRPC prints its own line about a port that is taken.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from inference.listen import ListenError
    from inference.server import PredictorServer
    from inference.service import Service

    authority = None
    if settings.jwks:
        from inference.auth import Authority, KeysError

        try:
            authority = Authority(settings.jwks, settings.tenant)
        except KeysError as error:
            print(f"refused: {error}", file=sys.stderr)
            return 1
    service = Service(place.model, str(place.version), settings.tenant, scorer, authority)
    try:
        PredictorServer(service, settings.host, settings.http_port, settings.grpc_port, settings.lame_duck).serve()
    except ListenError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
