from __future__ import annotations

import pytest
from mlflow.webhooks.delivery import _generate_hmac_signature

from registry.deliveries import Deliveries, WebhookRefusedError

SECRET, BODY, NOW = "secret", b'{"entity": "model_version_alias"}', 1_700_000_000.0


def signed(delivery: str = "1", at: float = NOW, body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    """The headers as MLflow itself makes them."""
    return {
        "x-mlflow-delivery-id": delivery,
        "x-mlflow-timestamp": str(int(at)),
        "x-mlflow-signature": _generate_hmac_signature(secret, delivery, str(int(at)), body.decode()),
    }


def test_a_call_of_mlflow_passes_once() -> None:
    deliveries = Deliveries(SECRET)
    deliveries.accept(signed(), BODY, NOW)
    deliveries.accept(signed("2"), BODY, NOW)
    with pytest.raises(WebhookRefusedError, match="accepted before"):
        deliveries.accept(signed(), BODY, NOW + 299)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "signature"),
        (signed(secret="guessed"), "signature"),
        (signed(body=b"{}"), "signature"),
        ({**signed(), "x-mlflow-timestamp": str(int(NOW) + 1)}, "signature"),
        ({**signed(), "x-mlflow-signature": "v1,é"}, "signature"),
        (signed(at=NOW - 301), "timestamp"),
        (signed(at=NOW + 301), "timestamp"),
    ],
)
def test_any_other_call_is_refused(headers: dict[str, str], said: str) -> None:
    with pytest.raises(WebhookRefusedError, match=said):
        Deliveries(SECRET).accept(headers, BODY, NOW)
