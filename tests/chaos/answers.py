"""Both tenants under a steady, bounded load on loopback, and every answer kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from stacks import TENANTS, Stack

from chaos.seen import NO_ROUTE, Answer

__all__ = ["Answers", "load"]

_OF_THE_GATEWAY = "404 page not found"
_TEXT = "a quiet film that stays with you"
_CALLERS = 2
_PAUSE_SECONDS = 0.03
# Longer than the gateway waits for a predictor: whoever gives up, it is not the caller.
_PATIENCE_SECONDS = 40


class Answers:
    """What callers have got so far."""

    def __init__(self) -> None:
        self._all: list[Answer] = []
        self._lock = threading.Lock()

    def add(self, answer: Answer) -> None:
        with self._lock:
            self._all.append(answer)

    def all(self) -> list[Answer]:
        with self._lock:
            return list(self._all)

    def well_since(self, moment: float, count: int) -> bool:
        """Whether the last so many answers of each tenant that were asked for since then are good."""
        after = [answer for answer in self.all() if answer.asked >= moment]
        last = [[each for each in after if each.tenant == tenant][-count:] for tenant in TENANTS]
        return all(len(each) == count and not any(answer.failed for answer in each) for each in last)


@contextmanager
def load(stack: Stack) -> Iterator[Answers]:
    """Ask each tenant the same thing, over and over, while the body runs."""
    answers = Answers()
    stop = threading.Event()

    def ask(tenant: str) -> None:
        url = f"{stack.gateway}/v1/models/sentiment:predict"
        headers = {"Host": f"{tenant}.localhost"}
        with httpx.Client(headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False) as client:
            while not stop.is_set():
                answers.add(_asked(client, url, tenant))
                stop.wait(_PAUSE_SECONDS)

    callers = [threading.Thread(target=ask, args=(tenant,)) for tenant in TENANTS for _ in range(_CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield answers
    finally:
        stop.set()
        for caller in callers:
            caller.join()


def _asked(client: httpx.Client, url: str, tenant: str) -> Answer:
    asked = time.monotonic()
    try:
        answer = client.post(url, json={"instances": [_TEXT]})
    except httpx.HTTPError as error:
        return Answer(tenant, asked, time.monotonic(), type(error).__name__)
    done = time.monotonic()
    if answer.status_code != httpx.codes.OK:
        failed = NO_ROUTE if answer.text.strip() == _OF_THE_GATEWAY else str(answer.status_code)
        return Answer(tenant, asked, done, failed)
    confidence = round(answer.json()["predictions"][0]["confidence"], 9)
    return Answer(tenant, asked, done, "", int(answer.headers["x-model-version"]), confidence)
