"""The one model that this process serves, as every protocol sees it."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.pipeline import Pipeline

from inference.errors import RequestError
from inference.explain import Explainer
from inference.metrics import Metrics
from inference.scoring import Scorer, Scores

__all__ = ["PLATFORM", "Service"]

PLATFORM = "sklearn"
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_log = logging.getLogger("inference")


@dataclass
class Service:
    """Scores off the event loop, counts and logs; knows no protocol."""

    model: str
    version: str
    tenant: str
    pipeline: Pipeline
    ready: bool = True
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self._scorer = Scorer(self.pipeline)
        self._explainer = Explainer(self.pipeline)
        self.metrics = Metrics(self.model, self.version)

    def check_model(self, name: str) -> None:
        """Refuse any other model's name.

        Raises:
            RequestError: 404.
        """
        if name != self.model:
            raise RequestError(404, f"model: {name[:64]!r} is not served here; {self.model!r} is")

    async def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts.

        Raises:
            RequestError: 503 while the process is going away.
        """
        if not self.ready:
            raise RequestError(503, "the predictor is shutting down")
        scores = await asyncio.to_thread(self._scorer.score, texts)
        self.metrics.predicted(scores)
        return scores

    async def explain(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return the explanations of n texts.

        Raises:
            RequestError: 501 when the model is not linear.
        """
        return await asyncio.to_thread(self._explainer.explain, texts)

    def request_id(self, given: str | None) -> str:
        """Return the caller's own request id if it is short and printable, else a new one."""
        return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

    def headers(self, request_id: str) -> dict[str, str]:
        """Return what every answer carries."""
        return {
            "x-model-name": self.model,
            "x-model-version": self.version,
            "x-tenant": self.tenant,
            "x-request-id": request_id,
        }

    def answered(self, protocol: str, code: str, begun: float, request_id: str) -> None:
        """Count and log one answer; ``begun`` is :func:`time.perf_counter` at its arrival. Texts are never logged."""
        seconds = time.perf_counter() - begun
        self.metrics.answered(protocol, code, seconds)
        _log.info(
            "request_id=%s tenant=%s version=%s protocol=%s code=%s ms=%.2f",
            request_id,
            self.tenant,
            self.version,
            protocol,
            code,
            seconds * 1000,
        )
