"""The file that a shell sources to reach the stack with the ecosystem's own variables."""

from __future__ import annotations

from infra.local.files import write_private
from infra.local.object_store import ObjectStore
from infra.local.secret import signing_key, trusted_keys
from infra.local.settings import Settings

__all__ = ["write_environment"]


def write_environment(settings: Settings, store: ObjectStore) -> None:
    """Write ``env`` under the stack's home, mode 0600. A variable that is set already keeps its value."""
    values = {
        "MLFLOW_TRACKING_URI": settings.mlflow_url,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "FERRYMAN_TLS": str(settings.tls),
        "FERRYMAN_SIGNING_KEY": str(signing_key(settings.home)),
        "FERRYMAN_TRUSTED_KEYS": str(trusted_keys(settings.home)),
        **store.environment(store.publisher),
    }
    lines = [f': "${{{name}:={value}}}"; export {name}' for name, value in values.items()]
    write_private(settings.home / "env", "\n".join(lines) + "\n")
