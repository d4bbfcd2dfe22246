"""Asking MLflow to call when an alias moves."""

from __future__ import annotations

from mlflow.entities.webhook import WebhookEvent
from mlflow.exceptions import MlflowException

from registry.client import RegistryUnreachableError, mlflow_client

__all__ = ["register"]

_NAME = "ferryman"
_EVENTS = [WebhookEvent("model_version_alias", action) for action in ("created", "deleted")]


def register(url: str, secret: str) -> None:
    """Have MLflow call ``url`` whenever an alias is set, moved or deleted. A second time changes nothing.

    Raises:
        RegistryUnreachableError: MLflow does not answer, or refuses the address.
    """
    client = mlflow_client()
    try:
        held = [each for each in client.list_webhooks(max_results=100) if each.name == _NAME]
        if held:
            client.update_webhook(held[0].webhook_id, url=url, events=[*_EVENTS], secret=secret, status="ACTIVE")
        else:
            client.create_webhook(_NAME, url, [*_EVENTS], "wakes the release controller", secret, "ACTIVE")
    except MlflowException as error:
        said = error.message.partition(" with exception")[0]
        raise RegistryUnreachableError(f"the webhook cannot be registered: {said}") from error
