"""The numbers of ``config.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from monitoring.duration import Seconds

__all__ = ["AlertNumbers", "Burn", "Config", "Severity", "load"]

Severity = Literal["page", "ticket"]
_FILE = Path(__file__).with_name("config.toml")
_Model = TypeVar("_Model", bound=BaseModel)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scrape(_Document):
    """How often everything is asked for its metrics."""

    interval: Seconds


class Links(_Document):
    """Where runbooks and dashboards are found, and what takes alerts."""

    runbooks: str
    dashboards: str
    webhooks: str


class Burn(_Document):
    """One pair of windows in which an error budget burns faster than ``factor``."""

    factor: float = Field(gt=0)
    long: Seconds
    short: Seconds
    severity: Severity


class Slo(_Document):
    """What each tenant is promised over ``period``, as shares of its requests."""

    availability: float = Field(gt=0, lt=1)
    latency: float = Field(gt=0, lt=1)
    latency_seconds: float = Field(gt=0)
    period: Seconds
    requests: int = Field(ge=1)
    burn: tuple[Burn, ...] = Field(min_length=1)


class AlertNumbers(_Document):
    """One alert's numbers; the comments in the file say what ``above`` or ``below`` counts."""

    severity: Severity
    hold: Seconds = Field(alias="for")
    window: Seconds = 0.0
    above: float = 0.0
    below: float = 0.0
    requests: int = 0
    confidence: float = 0.0


class Config(_Document):
    """The whole file."""

    scrape: Scrape
    links: Links
    slo: Slo
    alerts: dict[str, AlertNumbers]

    def windows(self) -> tuple[float, ...]:
        """Return every window of the burn rates in seconds, shortest first."""
        return tuple(sorted({each for burn in self.slo.burn for each in (burn.short, burn.long)}))


def load(divisor: float = 1.0) -> Config:
    """Read the file, with every duration divided by ``divisor``: a test has no hours.

    Raises:
        pydantic.ValidationError: a field is missing, misspelt or wrong; the message names it.
    """
    return _divided(Config.model_validate(tomllib.loads(_FILE.read_text())), divisor)


def _divided(config: Config, divisor: float) -> Config:
    def shorter(part: _Model, *names: str) -> _Model:
        return part.model_copy(update={name: getattr(part, name) / divisor for name in names})

    alerts = {name: shorter(each, "hold", "window") for name, each in config.alerts.items()}
    # So long in one phase is a duration, too.
    alerts["ReleaseStuck"] = shorter(alerts["ReleaseStuck"], "above")
    burn = tuple(shorter(each, "long", "short") for each in config.slo.burn)
    return config.model_copy(
        update={
            "scrape": shorter(config.scrape, "interval"),
            "slo": config.slo.model_copy(update={"burn": burn}),
            "alerts": alerts,
        }
    )
