"""A LitServe API."""

from __future__ import annotations

import sys

import litserve
from common import Model


class Sentiment(litserve.LitAPI):
    """The pipeline as an API."""

    def setup(self, device: str) -> None:  # noqa: ARG002 # LitServe passes it
        """Load the model in the worker."""
        self._model = Model()

    def decode_request(self, request):  # LitServe takes an annotation for a query parameter
        """Return the texts."""
        return request["texts"]

    def predict(self, texts: list[str]) -> list[float]:
        """Return the probabilities."""
        return self._model.positive(texts)

    def encode_response(self, output: list[float]) -> dict[str, list[float]]:
        """Return the answer."""
        return {"positive": output}


if __name__ == "__main__":
    server = litserve.LitServer(Sentiment(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, generate_client_file=False
    )
