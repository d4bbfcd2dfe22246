"""Telling a webhook call of MLflow from any other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping

__all__ = ["Deliveries", "WebhookRefusedError"]

_MOST_AGE_SECONDS = 300.0


class WebhookRefusedError(ValueError):
    """The call is not MLflow's, or was made before."""


class Deliveries:
    """Lets each call of MLflow pass once (mlflow.org, Webhooks: signature ``v1,base64(HMAC-SHA256(…))``)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def accept(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Accept a call; ``headers`` by lower-case names, ``now`` in seconds since the epoch.

        Raises:
            WebhookRefusedError: the signature is missing or another's, the call is old, or it was accepted before.
        """
        delivery = headers.get("x-mlflow-delivery-id", "")
        timestamp = headers.get("x-mlflow-timestamp", "")
        signed = f"{delivery}.{timestamp}.".encode() + body
        expected = b"v1," + base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest())
        if not hmac.compare_digest(expected, headers.get("x-mlflow-signature", "").encode()):
            raise WebhookRefusedError("x-mlflow-signature: is not the registry's")
        if not timestamp.isdecimal() or abs(now - int(timestamp)) > _MOST_AGE_SECONDS:
            raise WebhookRefusedError("x-mlflow-timestamp: is not of these minutes")
        with self._lock:
            self._seen = {each: at for each, at in self._seen.items() if now - at <= 2 * _MOST_AGE_SECONDS}
            if delivery in self._seen:
                raise WebhookRefusedError("x-mlflow-delivery-id: was accepted before")
            self._seen[delivery] = now
