"""`python -m inference`: serve one published artifact for one tenant."""

from __future__ import annotations

import logging
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
    # One line a request is ours; of the libraries' logs only what somebody has to act on.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("inference").setLevel(logging.INFO)
    from inference.load import DownloadError, load
    from inference.scoring import Scorer

    try:
        pipeline = load(place, settings.model_dir)
        scorer = Scorer(pipeline)
    except (ArtifactError, DownloadError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1

    # KServe parses the command line when it is imported; gRPC prints its own line about a port that is taken.
    del sys.argv[1:]
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from inference.explain import Explainer
    from inference.listen import ListenError
    from inference.model import SentimentModel
    from inference.server import PredictorServer
    from inference.service import Service

    model = SentimentModel(place.model, scorer, Explainer(pipeline))
    service = Service(model, str(place.version), settings.tenant)
    try:
        PredictorServer(model, service, settings.host, settings.http_port, settings.grpc_port).serve()
    except ListenError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
