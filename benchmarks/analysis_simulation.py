"""How often the analysis is wrong, and how soon it is right: `python benchmarks/analysis_simulation.py`.

Whole releases are simulated, with the release controller's own judge: requests arrive by chance, a look every 2 s, the
weight rises after a Successful judgement and a minute, until promotion, rollback or the deadline. Prints the tables of
docs/analysis.md and writes its plot.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.pool import Pool
from pathlib import Path

import matplotlib as mpl
import numpy as np

from release.analysis import Judgement, Outcome, judge
from release.counts import BUCKET_BOUNDS, Counts
from release.spec import Analysis
from release.status import Compared, Measured

mpl.use("agg")
# The same figure is the same file.
mpl.rcParams["svg.hashsalt"] = "ferryman"

_RULES = Analysis()
_WEIGHTS = (5, 25, 50)
_STEP_SECONDS = 60
_P95_Z = 1.6449


@dataclass(frozen=True)
class Model:
    """A version: the share of errors, log-normal latency (median in seconds), the share of one of two labels."""

    errors: float = 0.005
    median: float = 0.002
    sigma: float = 0.5
    positive: float = 0.5

    def buckets(self) -> np.ndarray:
        """Return the chance of each latency bucket, ``[len(BUCKET_BOUNDS) + 1]``."""
        from scipy.stats import lognorm

        below = lognorm.cdf(BUCKET_BOUNDS, self.sigma, scale=self.median)
        return np.diff([0.0, *below, 1.0])


@dataclass(frozen=True)
class Case:
    """What is simulated. ``weights`` one: it stays there. ``burst``: the last minutes' errors, of both versions."""

    name: str
    stable: Model
    canary: Model
    rate: float = 50.0
    weights: tuple[int, ...] = _WEIGHTS
    seconds: int = _RULES.progress_deadline
    most_requests: int = 1_000_000
    burst: float | None = None


@dataclass(frozen=True)
class Result:
    """How a release ended, after how many of the canary's requests and seconds."""

    ended: str
    requests: int
    seconds: int


class Traffic:
    """One version's requests."""

    def __init__(self, model: Model, chance: np.random.Generator) -> None:
        self._model = model
        self._buckets = model.buckets()
        self._chance = chance

    def answer(self, requests: int, errors: float | None = None) -> Counts:
        """Return the counts of so many requests."""
        failed = int(self._chance.binomial(requests, self._model.errors if errors is None else errors))
        positive = int(self._chance.binomial(requests - failed, self._model.positive))
        return Counts(
            requests=requests,
            errors=failed,
            latency=tuple(self._chance.multinomial(requests, self._buckets).tolist()),
            labels={"positive": positive, "negative": requests - failed - positive},
        )


def _sum(left: Counts, right: Counts) -> Counts:
    return Counts(
        requests=left.requests + right.requests,
        errors=left.errors + right.errors,
        latency=tuple(a + b for a, b in zip(left.latency or (0,) * len(right.latency), right.latency, strict=True)),
        labels={label: left.labels.get(label, 0) + count for label, count in right.labels.items()},
    )


def looks(case: Case, seed: int) -> Iterator[tuple[int, int, Judgement]]:
    """Yield the seconds, the canary's requests and the judgement at each look, until promotion."""
    chance = np.random.default_rng(seed)
    # Where in a bucket the 95th percentile lies is chance, or the table would be about one place.
    factor = 2 ** chance.uniform()
    models = (replace(model, median=model.median * factor) for model in (case.stable, case.canary))
    stable, canary = (Traffic(model, chance) for model in models)
    measured, begun, total = Measured(steps=(Compared(weight=case.weights[0]),)), 0, 0
    for now in range(_RULES.interval, case.seconds + 1, _RULES.interval):
        step = measured.steps[-1]
        requests = int(chance.poisson(case.rate * _RULES.interval))
        to_canary = int(chance.binomial(requests, step.weight / 100))
        total += to_canary
        errors = case.burst if step.weight == _WEIGHTS[-1] else None
        grown = Compared(
            weight=step.weight,
            stable=_sum(step.stable, stable.answer(requests - to_canary, errors)),
            canary=_sum(step.canary, canary.answer(to_canary, errors)),
        )
        measured = Measured(steps=(*measured.steps[:-1], grown))
        judgement = judge(measured, _RULES)
        yield now, total, judgement
        watched = now - begun >= _STEP_SECONDS and len(case.weights) > 1
        if judgement.outcome is Outcome.SUCCESSFUL and watched:
            if len(measured.steps) == len(case.weights):
                return
            measured, begun = Measured(steps=(*measured.steps, Compared(weight=case.weights[len(measured.steps)]))), now


def release(case: Case, seed: int) -> Result:
    """Simulate one release."""
    now, total, outcome = 0, 0, Outcome.INCONCLUSIVE
    for now, total, judgement in looks(case, seed):
        outcome = judgement.outcome
        if outcome is Outcome.FAILED:
            return Result("rolled back", total, now)
        if total >= case.most_requests:
            break
    return Result("promoted" if outcome is Outcome.SUCCESSFUL else "held", total, now)


def naive(requests: int, errors: float, seed: int) -> bool:
    """Whether a rule that looks at the last 50 requests, and allows stable's share and a point, ever rolls back."""
    failed = np.random.default_rng(seed).random(requests) < errors
    windows = np.convolve(failed, np.ones(50), mode="valid")
    return bool((windows / 50 > errors + _RULES.max_error_increase).any())


_SAME = Model()
_IDENTICAL = (
    Case("errors 0.5 %, 50 requests/s", _SAME, _SAME),
    Case("no errors, 50 requests/s", Model(errors=0.0), Model(errors=0.0)),
    Case("errors 2 %, 50 requests/s", Model(errors=0.02), Model(errors=0.02)),
    Case("errors 0.5 %, 2 requests/s", _SAME, _SAME, rate=2.0),
    Case("errors 0.5 %, 1,000 requests/s", _SAME, _SAME, rate=1000.0),
    Case("wide latency (sigma 1)", Model(sigma=1.0), Model(sigma=1.0)),
    Case("narrow latency (sigma 0.1)", Model(sigma=0.1), Model(sigma=0.1)),
    Case("labels 95 : 5", Model(positive=0.95), Model(positive=0.95)),
    Case("20 % errors of both during the last step", _SAME, _SAME, burst=0.2),
    Case("an hour at 50 % (1,800 looks)", _SAME, _SAME, weights=(50,), seconds=3600),
)
_HARMFUL = (
    ("errors 1 % (within the limit)", Model(errors=0.01)),
    ("p95 1.15 times (within the limit)", Model(median=0.0023)),
    ("errors 2 %", Model(errors=0.02)),
    ("errors 5 %", Model(errors=0.05)),
    ("errors 20 %", Model(errors=0.2)),
    ("every request fails", Model(errors=1.0)),
    ("p95 1.5 times", Model(median=0.003)),
    ("p95 3 times", Model(median=0.006)),
    ("labels 50 : 50 to 85 : 15", Model(positive=0.85)),
    ("labels 50 : 50 to 95 : 5", Model(positive=0.95)),
    ("one label only", Model(positive=1.0)),
)


def _many(pool: Pool, case: Case, runs: int) -> list[Result]:
    return pool.starmap(release, [(case, seed) for seed in range(runs)], chunksize=8)


def _quantiles(values: list[int]) -> str:
    return f"{np.median(values):,.0f} | {np.quantile(values, 0.9):,.0f}" if values else "- | -"


def print_identical(pool: Pool, runs: int) -> None:
    """Print how releases of a model that equals stable end."""
    print(
        f"| stable and canary alike, {runs} releases each | rolled back | held at the deadline "
        "| seconds, median | 90th percentile |"
    )
    print("|---|---|---|---|---|")
    for case in _IDENTICAL:
        results = _many(pool, case, runs)
        back, held = (sum(each.ended == ended for each in results) for ended in ("rolled back", "held"))
        print(
            f"| {case.name} | {back / runs:.1%} | {held / runs:.1%} | {_quantiles([r.seconds for r in results])} |",
            flush=True,
        )
    for requests in (530, 2400):
        share = np.mean([naive(requests, 0.005, seed) for seed in range(2000)])
        print(f"the last 50 requests alone, errors 0.5 %, {requests} requests: {share:.1%} rolled back", flush=True)


def print_harmful(pool: Pool, runs: int) -> None:
    """Print how many requests it takes to catch a bad canary, and what becomes of it in a release."""
    print(
        f"\n| canary, {runs} releases each | requests at 5 %, median | 90th percentile | at 50 % | 90th percentile "
        "| release at 50/s: rolled back | after seconds | 90th percentile | at 5/s: rolled back | held | promoted |"
    )
    print("|" + "---|" * 11)
    for name, model in _HARMFUL:
        cells = [name]
        for weight, rate in ((5, 200.0), (50, 20.0)):
            case = Case(name, _SAME, model, rate, (weight,), 10**9, 10_000)
            results = _many(pool, case, runs)
            # What is not caught by then counts as caught there: the quantiles are at least that.
            cells.append(_quantiles([each.requests for each in results]))
        for rate in (50.0, 5.0):
            results = _many(pool, Case(name, _SAME, model, rate), runs)
            back = [each.seconds for each in results if each.ended == "rolled back"]
            cells.append(f"{len(back) / runs:.0%}")
            if rate > 5:
                cells.append(_quantiles(back))
            else:
                cells += [
                    f"{sum(each.ended == ended for each in results) / runs:.0%}" for ended in ("held", "promoted")
                ]
        print(f"| {' | '.join(cells)} |", flush=True)


def plot(path: Path, seed: int) -> None:
    """Draw the bounds of the error difference over one harmless and one harmful release."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, title, model in zip(axes, ("alike", "errors 5 %"), (_SAME, Model(errors=0.05)), strict=True):
        seen = [
            (now, found.measures[0])
            for now, _, found in _until_failed(Case(title, _SAME, model), seed)
            if found.measures
        ]
        seconds = [now for now, _ in seen]
        axis.fill_between(seconds, [m.lower for _, m in seen], [m.upper for _, m in seen], alpha=0.25, label="interval")
        axis.plot(seconds, [m.effect for _, m in seen], label="difference")
        axis.axhline(_RULES.max_error_increase, color="black", linestyle="--", linewidth=1, label="allowed")
        axis.set(title=f"canary: {title}", xlabel="seconds since the canary's first request", ylim=(-0.05, 0.15))
    axes[0].set_ylabel("share of errors, canary less stable")
    axes[1].legend()
    figure.savefig(path, metadata={"Date": None})


def _until_failed(case: Case, seed: int) -> Iterator[tuple[int, int, Judgement]]:
    for look in looks(case, seed):
        yield look
        if look[2].outcome is Outcome.FAILED:
            return


def main() -> None:
    """Simulate everything and print it."""
    parser = argparse.ArgumentParser(description="The analysis, simulated: false rollbacks and power.")
    parser.add_argument("--runs", type=int, default=200, help="releases of each harmless case (default: %(default)s)")
    parser.add_argument("--plot", type=Path, default=Path("docs/analysis.svg"), help="default: %(default)s")
    chosen = parser.parse_args()
    plot(chosen.plot, 1)
    with Pool() as pool:
        print_identical(pool, chosen.runs)
        print_harmful(pool, chosen.runs // 2)


if __name__ == "__main__":
    main()
