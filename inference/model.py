"""The pipeline as a KServe model: what KServe's own routes list and call ready, and what ours ask for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import kserve

from inference.explain import Explainer
from inference.scoring import Scorer, Scores

__all__ = ["SentimentModel"]


class SentimentModel(kserve.Model):  # type: ignore[misc] # kserve ships no types
    """Texts in, scores out, in a thread of their own: a synchronous predict would stop KServe's health checks."""

    def __init__(self, name: str, scorer: Scorer, explainer: Explainer) -> None:
        super().__init__(name)
        self._scorer = scorer
        self._explainer = explainer

    async def predict(
        self,
        payload: Sequence[str],
        headers: dict[str, str] | None = None,  # noqa: ARG002 # KServe's signature
        response_headers: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Scores:
        """Return the scores of n texts."""
        return await asyncio.to_thread(self._scorer.score, payload)

    async def explain(
        self,
        payload: Sequence[str],
        headers: dict[str, str] | None = None,  # noqa: ARG002
    ) -> list[dict[str, Any]]:
        """Return the token attributions of n texts (see :meth:`inference.explain.Explainer.explain`)."""
        return await asyncio.to_thread(self._explainer.explain, payload)
