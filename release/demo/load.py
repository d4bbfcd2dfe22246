"""Requests one after the other, and what became of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

import httpx

from artifact.names import MODEL
from infra.local.gateway import tenant_client
from infra.local.settings import Settings

__all__ = ["Answered", "load"]

_CALLERS = 2
# Without it callers take the processors from what they ask.
_PAUSE_SECONDS = 0.01


@dataclass
class Answered:
    """What callers got: requests and right labels by version, and requests that failed."""

    requests: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


@contextmanager
def load(settings: Settings, tenants: Sequence[str], reviews: Sequence[tuple[str, str]]) -> Iterator[Answered]:
    """Ask every tenant about these labelled reviews, over and over, while the body runs."""
    answered = Answered()
    stop = threading.Event()
    lock = threading.Lock()

    def ask(tenant: str, begin: int) -> None:
        with tenant_client(settings, tenant, 10) as client:
            for text, label in islice(cycle(reviews), begin, None):
                if stop.wait(_PAUSE_SECONDS):
                    return
                try:
                    answer = client.post(f"/v1/models/{MODEL}:predict", json={"instances": [text]})
                    failed = "" if answer.status_code == httpx.codes.OK else str(answer.status_code)
                except httpx.HTTPError as error:
                    failed = type(error).__name__
                with lock:
                    if failed:
                        answered.failed[failed] += 1
                        continue
                    version = answer.headers["x-model-version"]
                    answered.requests[version] += 1
                    answered.right[version] += answer.json()["predictions"][0]["label"] == label

    starts = range(0, len(reviews), max(1, len(reviews) // _CALLERS))[:_CALLERS]
    callers = [threading.Thread(target=ask, args=(tenant, start)) for tenant in tenants for start in starts]
    for caller in callers:
        caller.start()
    try:
        yield answered
    finally:
        stop.set()
        for caller in callers:
            caller.join()
