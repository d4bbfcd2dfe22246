"""A BentoML service with one API."""

from __future__ import annotations

import bentoml
from common import Model


@bentoml.service(workers=1)
class Sentiment:
    """The pipeline as a service."""

    def __init__(self) -> None:
        self._model = Model()

    @bentoml.api
    def predict(self, texts: list[str]) -> list[float]:
        """Return the probabilities."""
        return self._model.positive(texts)
