"""Asking predictors themselves, by their pods' addresses: what they counted, and the smoke set."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait

import httpx

from release.asking import read_counts, run_smoke_set, unanswered
from release.counts import Counts
from release.platforms.base import PlatformError
from release.platforms.kubernetes.names import HTTP_PORT
from release.platforms.kubernetes.sight import Pod

__all__ = ["Predictors"]

_READERS = 16
_ANSWER_SECONDS = 1.0
# However many there are: what was not read by then is read the next time.
_ALL_SECONDS = 2.0


class Predictors:
    """It works from wherever pods can be reached by their addresses."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=4 * _READERS, max_keepalive_connections=_READERS)
        self._http = httpx.Client(trust_env=False, limits=limits)
        self._readers = ThreadPoolExecutor(_READERS, "scrape")

    def counts(self, pods: Collection[Pod]) -> dict[str, Counts]:
        """Return what each pod counted, by its uid; those that do not answer in time are left out."""
        asked = {
            self._readers.submit(read_counts, self._http, _address(each), _ANSWER_SECONDS): each.uid
            for each in pods
            if each.address
        }
        done, late = wait(asked, timeout=_ALL_SECONDS)
        for each in late:
            each.cancel()
        return {asked[each]: counted for each in done if (counted := each.result()) is not None}

    def smoke(self, pod: Pod, model: str) -> str:
        """Return what is wrong with the pod's answers to the smoke set, or "".

        Raises:
            PlatformError: it cannot be reached; that says nothing about its model.
        """
        try:
            return run_smoke_set(self._http, _address(pod), model)
        except httpx.ConnectError as error:
            raise PlatformError(f"the predictor at {pod.address} cannot be reached: {error}") from error
        except httpx.HTTPError as error:
            return unanswered(error)


def _address(pod: Pod) -> str:
    return f"http://{pod.address}:{HTTP_PORT}"
