"""When the model was logged: an old one is no fault, but somebody should hear of it."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Gauge

from artifact import PublishedArtifact

__all__ = ["expose"]

_CREATED = Gauge("model_created_timestamp_seconds", "When the model was logged.", ["model", "version"])
# MLflow writes UTC without saying so. The line alone, so that the predictor ships without a YAML parser.
_LINE = re.compile(r"^utc_time_created: '?([\d :.-]+)'?$", re.MULTILINE)


def expose(folder: Path, place: PublishedArtifact) -> None:
    """Export when the artifact in ``folder`` was logged; nothing, when it does not say so."""
    file = folder / "MLmodel"
    found = _LINE.search(file.read_text(errors="replace")) if file.is_file() else None
    # Whatever else may stand there is no reason not to serve.
    with contextlib.suppress(ValueError):
        if found:
            created = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
            _CREATED.labels(place.model, str(place.version)).set(created.timestamp())
