"""What a ModelRelease asks for. The CustomResourceDefinition's schema is generated from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from release.duration import Seconds
from release.model import Document

__all__ = ["Analysis", "BlueGreen", "Canary", "ParentRef", "ReleaseSpec", "Route", "Step", "Strategy"]


class Step(Document):
    """One weight of the canary, and how long it is watched there at least.

    ``pause: indefinite`` is an A/B test: the numbers are reported, and a person decides.
    """

    weight: int = Field(ge=1, le=99)
    pause: Seconds | Literal["indefinite"]


class Canary(Document):
    """Rising shares of a tenant's requests, each judged before the next; the old version stays for ``keepPrevious``."""

    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    keep_previous: Seconds = 600

    @model_validator(mode="after")
    def _rising(self) -> Canary:
        weights = [step.weight for step in self.steps]
        if weights != sorted(set(weights)):
            raise ValueError("steps: each weight must be higher than the one before")
        return self


class BlueGreen(Document):
    """All requests at once, after the smoke set; the old version stays for ``keepPrevious``."""

    keep_previous: Seconds = 600


class Strategy(Document):
    """Exactly one of the two."""

    canary: Canary | None = None
    blue_green: BlueGreen | None = None

    @model_validator(mode="after")
    def _one(self) -> Strategy:
        if (self.canary is None) == (self.blue_green is None):
            raise ValueError("exactly one of canary and blueGreen must be given")
        return self

    @property
    def steps(self) -> tuple[Step, ...]:
        """The canary's steps; none for blueGreen."""
        return self.canary.steps if self.canary else ()

    @property
    def keep_previous(self) -> int:
        """Seconds that the old version stays after a promotion."""
        chosen = self.canary or self.blue_green
        assert chosen is not None  # noqa: S101 # the validator above
        return chosen.keep_previous


class Analysis(Document):
    """How the canary is judged against the stable version of the same time.

    ``maxErrorIncrease`` is a difference of shares, ``maxLatencyP95Ratio`` a ratio, ``maxPredictionShift`` the total
    variation of the label shares (0 to 1), ``confidence`` that of each sequential test.
    """

    interval: Seconds = 2
    min_requests: int = Field(default=300, ge=1)
    max_error_increase: float = Field(default=0.01, gt=0, lt=1)
    max_latency_p95_ratio: float = Field(default=1.3, gt=1)
    max_prediction_shift: float = Field(default=0.25, gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    progress_deadline: Seconds = 1800


class ParentRef(Document):
    """The Gateway that a route attaches to."""

    name: str
    namespace: str


class Route(Document):
    """Under which host names the tenant's clients ask, and at which Gateways."""

    hostnames: tuple[str, ...] = Field(min_length=1)
    parent_refs: tuple[ParentRef, ...] = ()


class ReleaseSpec(Document):
    """A ModelRelease's ``spec``: follows one alias of one registered model for one tenant.

    ``template`` is an InferenceService's spec without a storageUri; the local platform has no use for it.
    """

    model: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    alias: str = Field(default="champion", pattern=r"^[A-Za-z0-9_-]{1,255}$")
    wave: int = Field(default=0, ge=0)
    template: dict[str, Any] = Field(default_factory=dict)
    route: Route
    strategy: Strategy
    analysis: Analysis = Analysis()
