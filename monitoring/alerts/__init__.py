"""The alerts, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring.alert import Alert
from monitoring.alerts import models, platform, predictors, releases, slo
from monitoring.config import Config

__all__ = ["by_group"]


def by_group(config: Config) -> Mapping[str, Sequence[Alert]]:
    """Return every alert, by the group of rules that it is in."""
    return {
        "slo": slo.alerts(config),
        "predictors": predictors.alerts(config),
        "models": models.alerts(config),
        "releases": releases.alerts(config),
        "platform": platform.alerts(config),
    }
