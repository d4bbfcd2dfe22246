"""Asking a predictor itself, past the gateway and on whichever platform: what it counted, and the smoke set."""

from __future__ import annotations

import httpx

from release.counts import Counts
from release.metrics_reader import parse_counts
from release.smoke import SMOKE_SET, smoke_fault

__all__ = ["read_counts", "run_smoke_set", "unanswered"]

_SMOKE_SECONDS = 10.0


def read_counts(client: httpx.Client, address: str, seconds: float) -> Counts | None:
    """Return the counters of the predictor at ``http://…``, or None when they cannot be read in so many seconds."""
    try:
        return parse_counts(client.get(f"{address}/metrics", timeout=seconds).raise_for_status().text)
    except (httpx.HTTPError, ValueError):
        return None


def run_smoke_set(client: httpx.Client, address: str, model: str) -> str:
    """Return what is wrong with the answers of the predictor at ``http://…``, or "".

    Raises:
        httpx.HTTPError: there is no answer; what that says of the model, the platform knows.
    """
    url = f"{address}/v1/models/{model}:predict"
    answer = client.post(url, json={"instances": list(SMOKE_SET)}, timeout=_SMOKE_SECONDS)
    if answer.status_code != httpx.codes.OK:
        return f"the smoke set is answered with {answer.status_code}: {answer.text.strip()[:200]}"
    return smoke_fault(answer.json()["predictions"])


def unanswered(error: httpx.HTTPError) -> str:
    """Return the fault of a model that leaves the smoke set without an answer."""
    return f"no answer to the smoke set ({type(error).__name__})"
