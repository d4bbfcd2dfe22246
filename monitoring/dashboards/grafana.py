"""A dashboard as Grafana's JSON."""

from __future__ import annotations

from string import ascii_uppercase

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from monitoring.dashboards.board import Board, Panel

__all__ = ["to_json"]

_SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
_HEIGHT, _SPAN = 8, 12


def to_json(board: Board) -> str:
    """Return what Grafana imports."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags(["ferryman"])
        .refresh("30s")
        .time("now-6h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    used = " ".join(query.expr for panel in board.panels for query in panel.queries)
    for name, query in (
        ("tenant", "label_values(ferryman_release_phase, tenant)"),
        ("version", 'label_values(prediction_confidence_count{tenant=~"$tenant"}, version)'),
    ):
        if f"${name}" in used:
            made = made.with_variable(
                dashboard.QueryVariable(name)
                .datasource(_SOURCE)
                .query(query)
                .multi(True)
                .include_all(True)
                .all_value(".+")
            )
    for panel in board.panels:
        made = made.with_panel(_panel(panel))
    return str(JSONEncoder(sort_keys=True, indent=2).encode(made.build())) + "\n"


def _panel(panel: Panel) -> timeseries.Panel:
    drawn = timeseries.Panel().title(panel.title).unit(panel.unit).datasource(_SOURCE).height(_HEIGHT).span(_SPAN)
    for name, query in zip(ascii_uppercase, panel.queries, strict=False):
        drawn = drawn.with_target(prometheus.Dataquery().ref_id(name).expr(query.expr).legend_format(query.legend))
    return drawn
