"""Every file that is generated from ``config.toml``, and where it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from infra.platform.tenant import tenants
from monitoring.config import Config, load
from monitoring.routing import PAGES, alertmanager, with_token
from monitoring.rules import prometheus_rule, rules
from monitoring.text import to_yaml

__all__ = ["ROOT", "generated", "write"]

ROOT = Path(__file__).parents[1]
_HEAD = "# Generated from monitoring/config.toml by `make generate`. Edit that.\n"

# Where prometheus-operator mounts the Secret `receivers`.
_SECRETS = Path("/etc/alertmanager/secrets/receivers")

_YAML: Mapping[str, Callable[[Config], object]] = {
    "monitoring/generated/rules.yaml": rules,
    "infra/platform/monitoring/rules.yaml": prometheus_rule,
    "infra/platform/monitoring/routing.yaml": lambda config: alertmanager(
        config, tenants(), with_token(config, _SECRETS), _SECRETS / PAGES
    ),
}


def generated(config: Config | None = None) -> dict[str, str]:
    """Return the text of every generated file, by its path in the repository."""
    config = config or load()
    return {path: _HEAD + to_yaml(make(config)) for path, make in _YAML.items()}


def write() -> list[str]:
    """Write every file that differs from what is there, and return their paths."""
    changed = []
    for name, text in generated().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            changed.append(name)
    return changed
