"""One alert's life as promtool replays it: silent until the edge, firing from there on, then resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STEP = "15s"


@dataclass(frozen=True)
class Life:
    """What happens, and what is seen of it.

    ``series`` in promtool's notation, a value every ``step``. At ``silent``, just before the edge, nothing fires; at
    ``firing`` just this alert does, with these labels; at ``resolved`` nothing does again. Tenants that come as near to
    the edge as they can without crossing it are in the series, too.
    """

    alert: str
    story: str
    series: Mapping[str, str]
    silent: str
    firing: str
    resolved: str
    labels: Mapping[str, str] = field(default_factory=lambda: {"tenant": "tenant-a"})
    step: str = STEP


def replay(rules: str, life: Life, severity: str) -> dict[str, Any]:
    """The file for `promtool test rules`."""
    labels = {"alertname": life.alert, "alertstate": "firing", "severity": severity, **life.labels}
    written = "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"

    def at(moment: str, *samples: dict[str, Any]) -> dict[str, Any]:
        return {"expr": 'ALERTS{alertstate="firing"}', "eval_time": moment, "exp_samples": list(samples)}

    return {
        "rule_files": [rules],
        "evaluation_interval": life.step,
        # Otherwise in any order, and an alert would see what was recorded now, or a step ago.
        "group_eval_order": ["tenants", "slo", "predictors"],
        "tests": [
            {
                "name": life.story,
                "interval": life.step,
                "input_series": [{"series": name, "values": values} for name, values in life.series.items()],
                "promql_expr_test": [
                    at(life.silent),
                    at(life.firing, {"labels": written, "value": 1}),
                    at(life.resolved),
                ],
            }
        ],
    }
