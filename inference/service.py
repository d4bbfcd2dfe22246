"""The one model that this process serves, as every protocol sees it."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Sequence
from typing import Any

from inference.errors import RequestError
from inference.metrics import Metrics
from inference.model import SentimentModel
from inference.scoring import Scores

__all__ = ["PLATFORM", "Service"]

PLATFORM = "sklearn"
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_log = logging.getLogger("inference")


class Service:
    """Asks the model, counts and logs; knows no protocol."""

    def __init__(self, model: SentimentModel, version: str, tenant: str) -> None:
        self._model = model
        self.model = str(model.name)
        self.version = version
        self.tenant = tenant
        self._metrics = Metrics(self.model, version)

    @property
    def ready(self) -> bool:
        """Whether requests are wanted. Those that come all the same are answered: nothing in flight may fail."""
        return bool(self._model.ready)

    @ready.setter
    def ready(self, wanted: bool) -> None:
        self._model.ready = wanted

    def check_model(self, name: str, version: str | None = None) -> None:
        """Refuse any other model's name, and any other version if one is asked for.

        Raises:
            RequestError: 404.
        """
        if name != self.model:
            raise RequestError(404, f"model: {name[:64]!r} is not served here; {self.model!r} is")
        if version and version != self.version:
            raise RequestError(404, f"version: {version[:64]!r} is not served here; {self.version!r} is")

    async def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores of n texts, and count them."""
        scores = await self._model.predict(texts)
        self._metrics.predicted(scores)
        return scores

    async def explain(self, texts: Sequence[str]) -> tuple[Scores, list[dict[str, Any]]]:
        """Return the scores of n texts and what they come from; explanations are not counted as predictions.

        Raises:
            RequestError: 501 when the model has no exact explanation.
        """
        explanations = await self._model.explain(texts)
        return await self._model.predict(texts), explanations

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
        self._metrics.answered(protocol, code, seconds)
        _log.info(
            "request_id=%s tenant=%s version=%s protocol=%s code=%s ms=%.2f",
            request_id,
            self.tenant,
            self.version,
            protocol,
            code,
            seconds * 1000,
        )
