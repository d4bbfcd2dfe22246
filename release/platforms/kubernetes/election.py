"""Which replica acts: the one that holds a Lease. The client's own election, with an end to waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kubernetes.client import ApiClient, CoordinationV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock
from urllib3.exceptions import HTTPError

__all__ = ["lead"]

_NAME = "release-controller"
# Another takes over when the Lease was not renewed for the first; the holder ends itself after the second.
_LEASE_SECONDS, _RENEW_SECONDS, _RETRY_SECONDS = 15, 10, 2
_ANSWER_SECONDS = 4.0


class _Impatient(ApiClient):
    """Ends what the client would wait for without end, and calls a server that is gone a refusal."""

    def call_api(self, *request: Any, **more: Any) -> Any:
        more["_request_timeout"] = _ANSWER_SECONDS
        try:
            return super().call_api(*request, **more)
        except (HTTPError, OSError) as error:
            raise ApiException(status=0, reason=type(error).__name__) from error


def lead(client: ApiClient, namespace: str, identity: str, work: Callable[[], None]) -> None:
    """Wait for the Lease, then work in a thread; return when the Lease is lost or the work raised."""
    logging.getLogger("leaderelection").setLevel(logging.WARNING)
    lock = LeaseLock(_NAME, namespace, identity)  # type: ignore[no-untyped-call]
    lock.api_instance = CoordinationV1Api(_Impatient(client.configuration))
    config = Config(lock, _LEASE_SECONDS, _RENEW_SECONDS, _RETRY_SECONDS, work, _nothing)  # type: ignore[no-untyped-call]
    LeaderElection(config).run()  # type: ignore[no-untyped-call]


def _nothing() -> None:
    return
