"""The report of an A/B test: what is known while a person is asked to decide. Pure."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from release.analysis import Judgement, judge
from release.api.page.figures import Reading, reading
from release.api.page.numbers import MEASURES, clock
from release.api.page.plots import interval_plot
from release.moment import format_moment
from release.reasons import Reason
from release.status import CanaryStatus, Phase, VersionRef
from release.store import Release

__all__ = ["ab_test_report", "awaits_decision"]


def awaits_decision(release: Release) -> bool:
    """Whether the release is at a step with `pause: indefinite` that nobody has decided on."""
    return release.status.phase == Phase.PAUSED and release.status.reason == Reason.AWAITING_DECISION


def ab_test_report(release: Release, now: float) -> dict[str, str]:
    """Return the report on a release that awaits a decision, by file name: a page for people, and JSON.

    Effects, their intervals and limits are those of :mod:`release.analysis`; the intervals hold at every look, so
    deciding early, or looking often, does not spoil them.
    """
    trial, stable = release.status.canary, release.status.stable
    assert trial is not None and stable is not None  # noqa: S101, PT018 # what awaits a decision has both
    judgement = judge(trial.measured, release.spec.analysis)
    name = f"{release.tenant}-v{trial.version}"
    return {
        f"{name}.html": _page(release, trial, stable, judgement, now),
        f"{name}.json": json.dumps(_document(release, trial, stable, judgement, now), indent=2) + "\n",
    }


@dataclasses.dataclass(frozen=True)
class _Row:
    title: str
    reading: Reading
    plot: Markup


def _page(release: Release, trial: CanaryStatus, stable: VersionRef, judgement: Judgement, now: float) -> str:
    rows = []
    for measure in judgement.measures:
        words = MEASURES[measure.name]
        read = reading(words, dataclasses.asdict(measure))
        interval = (measure.lower, measure.effect, measure.upper)
        plot = interval_plot(
            interval,
            words.neutral,
            (measure.limit, read.limit),
            f"{read.effect}, between {read.lower} and {read.upper}; limit {read.limit}",
        )
        rows.append(_Row(words.title, read, plot))
    page: str = _template().render(
        release=release,
        trial=trial,
        stable=stable,
        judgement=judgement,
        rows=rows,
        samples=_samples(trial),
        confidence=release.spec.analysis.confidence,
        begun=clock(trial.started),
        written=clock(now),
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("release", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("ab_test.html")


def _samples(trial: CanaryStatus) -> dict[str, int]:
    steps = trial.measured.steps
    return {
        "stable": sum(step.stable.requests for step in steps),
        "canary": sum(step.canary.requests for step in steps),
    }


def _document(
    release: Release, trial: CanaryStatus, stable: VersionRef, judgement: Judgement, now: float
) -> dict[str, Any]:
    return {
        "tenant": release.tenant,
        "model": release.spec.model,
        "stable": stable.version,
        "canary": trial.version,
        "weight": trial.weight,
        "begun": format_moment(trial.started),
        "written": format_moment(now),
        "samples": _samples(trial),
        "confidence": release.spec.analysis.confidence,
        "outcome": str(judgement.outcome),
        "message": judgement.message,
        "measures": [_finite(dataclasses.asdict(each)) for each in judgement.measures],
    }


def _finite(numbers: dict[str, Any]) -> dict[str, Any]:
    """A bound that there is none of is null: JSON has no infinity."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }
