"""The one model that this process serves, as every protocol sees it."""

from __future__ import annotations

import itertools
import logging
import os
import re
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inference.capacity import MOMENT, Capacity
from inference.errors import RequestError
from inference.logs import RequestLog
from inference.metrics import Metrics
from inference.scoring import Scorer, Scores
from inference.tracing import from_environment

if TYPE_CHECKING:
    # 9 MB and most often not wanted.
    from inference.auth import Authority

__all__ = ["PLATFORM", "Service"]

PLATFORM = "sklearn"
# Printable, and neither a quote nor a backslash: it goes into headers and into the log as it is.
_REQUEST_ID = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_log = logging.getLogger("inference")


class Service:
    """Asks the model, counts and logs; knows no protocol."""

    def __init__(
        self, model: str, version: str, tenant: str, scorer: Scorer, authority: Authority | None = None
    ) -> None:
        self.model = model
        self.version = version
        self.tenant = tenant
        self.ready = False
        """Whether requests are wanted. Those that come all the same are answered: nothing in flight may fail."""
        self.metrics = Metrics(model, version, scorer.classes, scorer.reference)
        self.log = RequestLog(tenant, version)
        self.authority = authority
        """Who says who may ask; None lets everybody."""
        self._tracer = from_environment(os.environ, self.identity)
        self._scorer = scorer
        self._capacity = Capacity()
        self._ids = map(f"{secrets.token_hex(6)}-{{:x}}".format, itertools.count(1))

    def is_quick(self, size: int) -> bool:
        """Return whether a request of so many bytes is answered at once, without waiting for anything."""
        return self._scorer.seconds(size) <= MOMENT

    def check_caller(self, authorization: str | None) -> None:
        """Refuse who may not ask, by the header ``Authorization``.

        Raises:
            RequestError: 401 or 403.
        """
        if self.authority is not None:
            self.authority.check(authorization)

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
        """Return the scores of n texts, and count them.

        Raises:
            RequestError: 429 when too much is waiting.
        """
        scorer = self._scorer
        scores = await self._capacity.run(scorer.seconds(sum(map(len, texts))), lambda: scorer.score(texts))
        self.metrics.predicted(texts, scores)
        return scores

    async def explain(self, texts: Sequence[str], top: int | None) -> tuple[Scores, list[dict[str, Any]]]:
        """Return the scores of n texts and what they come from; explanations are not counted as predictions.

        Raises:
            RequestError: 501 when the model has no exact explanation, 429 when too much is waiting.
        """
        scorer = self._scorer
        # Naming and sorting every token takes about five times as long as weighing them.
        seconds = 5 * scorer.seconds(sum(map(len, texts)))
        return await self._capacity.run(seconds, lambda: (scorer.score(texts), scorer.explain(texts, top)))

    def request_id(self, given: str | None) -> str:
        """Return the caller's own request id if it is short and printable, else a new one."""
        return given if given and _REQUEST_ID.fullmatch(given) else next(self._ids)

    def close(self) -> None:
        """Write and send what was collected of the last answers."""
        self.log.flush()
        if self._tracer is not None:
            self._tracer.close()

    @property
    def identity(self) -> dict[str, str]:
        """What every answer says of who gave it."""
        return {"x-model-name": self.model, "x-model-version": self.version, "x-tenant": self.tenant}

    def answered(self, protocol: str, code: str, begun: float, request_id: str, traceparent: str | None) -> None:
        """Count and log one answer. Texts are never logged.

        Args:
            protocol: ``v1``, ``v2``, ``seed`` or ``grpc``.
            code: an HTTP status, or a gRPC code's name.
            begun: :func:`time.perf_counter` at the request's arrival.
            request_id: what its answer carries.
            traceparent: the W3C trace context header, if there was one.
        """
        seconds = time.perf_counter() - begun
        traced = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        trace = traced[1] if traced else ""
        if self._tracer is not None:
            trace = self._tracer.answered(protocol, code, seconds, request_id, traceparent if traced else None) or trace
        self.metrics.answered(protocol, code, seconds, trace)
        self.log.add(request_id, protocol, code, seconds, trace)
