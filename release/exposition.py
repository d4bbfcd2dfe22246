"""The controller's own metrics, made anew from the board at each scrape, so that no series outlives its release."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from release.board import Board
from release.status import Phase

__all__ = ["registry_of"]

_LABELS = ["tenant", "model"]


class _Releases(Collector):
    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        phase = GaugeMetricFamily("ferryman_release_phase", "1 for the phase it is in.", labels=[*_LABELS, "phase"])
        since = GaugeMetricFamily("ferryman_release_phase_seconds", "How long it has been in it.", labels=_LABELS)
        weight = GaugeMetricFamily("ferryman_release_weight", "Percent of the requests.", labels=[*_LABELS, "version"])
        transitions = CounterMetricFamily(
            "ferryman_release_transitions", "Transitions into a phase.", labels=[*_LABELS, "phase"]
        )
        conditions = GaugeMetricFamily(
            "ferryman_release_condition",
            "1 for what each condition says.",
            labels=[*_LABELS, "type", "status", "reason"],
        )
        reachable = GaugeMetricFamily("ferryman_registry_reachable", "1 while the registry answers.")
        reachable.add_metric([], float(self._board.registry_reachable))
        judgements = CounterMetricFamily(
            "ferryman_release_judgements", "Judgements of a canary.", labels=[*_LABELS, "outcome"]
        )
        now = time.time()
        for shown in self._board.all():
            status, labels = shown.release.status, [shown.release.tenant, shown.release.spec.model]
            for each in Phase:
                phase.add_metric([*labels, each], float(each == status.phase))
                transitions.add_metric([*labels, each], shown.transitions[each])
            for condition in status.conditions:
                conditions.add_metric([*labels, condition.type, condition.status, condition.reason], 1.0)
            since.add_metric(labels, max(0.0, now - status.phase_since))
            for version, percent in shown.seen.weights.items():
                weight.add_metric([*labels, str(version)], percent)
            for outcome, count in shown.judgements.items():
                judgements.add_metric([*labels, outcome], count)
        yield from (phase, since, weight, transitions, conditions, reachable, judgements)


def registry_of(board: Board) -> CollectorRegistry:
    """Return a registry that says what the board shows."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Releases(board))
    return registry
