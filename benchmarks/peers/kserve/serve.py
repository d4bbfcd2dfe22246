"""A plain kserve.Model that calls the pipeline, as KServe's own scikit-learn server does; `noop` calls nothing."""

from __future__ import annotations

import os
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer

if os.environ.get("BENCH_NOOP"):

    def positive(texts: list[str]) -> list[float]:
        """Return a constant."""
        return [0.5] * len(texts)
else:
    from common import Model as Pipeline

    positive = Pipeline().positive


class Stock(Model):
    """The pipeline as a KServe model."""

    def __init__(self) -> None:
        super().__init__("sentiment")
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:  # noqa: ARG002 # KServe passes them
        """Answer V1's dictionary, or the V2 request of REST and gRPC."""
        if not isinstance(payload, InferRequest):
            return {"predictions": positive(payload["instances"])}
        data = payload.inputs[0].data
        texts = [each.decode() if isinstance(each, bytes) else each for each in data]
        output = InferOutput("positive", [len(texts)], "FP64", positive(texts))
        return InferResponse(payload.id, "sentiment", [output])


if __name__ == "__main__":
    # Its ports and `--enable_latency_logging false` come from the command line, which KServe parses when imported.
    ModelServer().start([Stock()])
