"""Every file that is generated from ``config.toml``, and where it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from infra.platform.tenant import tenants
from monitoring.config import Config, load
from monitoring.dashboards import boards
from monitoring.dashboards.grafana import to_json
from monitoring.routing import PAGES, alertmanager, with_token
from monitoring.rules import prometheus_rule, rules
from monitoring.tables import filled
from monitoring.text import to_yaml

__all__ = ["ROOT", "generated", "write"]

ROOT = Path(__file__).parents[1]
_PAGE = "docs/monitoring.md"
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
    found = {path: _HEAD + to_yaml(make(config)) for path, make in _YAML.items()}
    found[_PAGE] = filled((ROOT / _PAGE).read_text(), config)
    return found | {f"monitoring/generated/dashboards/{each.uid}.json": to_json(each) for each in boards(config)}


def write() -> list[str]:
    """Write every file that differs from what is there, and return their paths."""
    changed = []
    for name, text in generated().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            changed.append(name)
    return changed
