"""A dashboard as a picture, from the same queries: for who has no Grafana at hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl

from monitoring.dashboards.board import Board, Panel

__all__ = ["draw"]

_COLUMNS = 2
_DOTS = 90
_NAMES = 14


def draw(board: Board, prometheus: str, variables: Mapping[str, str], span: tuple[float, float], file: Path) -> None:
    """Ask Prometheus about a ``span`` (its beginning and end in seconds since 1970) and save a PNG."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = -(-len(board.panels) // _COLUMNS)
    with mpl.rc_context({"font.size": 8}):
        figure, axes = plt.subplots(rows, _COLUMNS, figsize=(13, 2.4 * rows), squeeze=False, layout="constrained")
        figure.suptitle(board.title)
        for axis, panel in zip(axes.flat, board.panels, strict=False):
            _draw(axis, panel, prometheus, variables, span)
        for axis in axes.flat[len(board.panels) :]:
            axis.set_visible(False)
        figure.savefig(file, dpi=_DOTS)
        plt.close(figure)


def _draw(axis: Any, panel: Panel, prometheus: str, variables: Mapping[str, str], span: tuple[float, float]) -> None:
    begin, end = span
    for query in panel.queries:
        parameters = {
            "query": query.of(variables),
            "start": f"{begin}",
            "end": f"{end}",
            "step": f"{(end - begin) / 120}",
        }
        answer = httpx.get(f"{prometheus}/api/v1/query_range", params=parameters, timeout=30, trust_env=False)
        for series in answer.raise_for_status().json()["data"]["result"]:
            moments = [datetime.fromtimestamp(at, UTC) for at, _ in series["values"]]
            axis.plot(moments, [float(value) for _, value in series["values"]], label=query.name(series["metric"]))
    axis.set_title(f"{panel.title} ({panel.unit})", loc="left")
    axis.set_xlim(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC))
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.tick_params(axis="x", labelsize=6)
    axis.grid(alpha=0.3)
    if axis.get_legend_handles_labels()[1]:
        # Beside the lines, not over them; what does not fit there has a line without a name.
        lines, names = axis.get_legend_handles_labels()
        axis.legend(lines[:_NAMES], names[:_NAMES], fontsize=6, loc="upper left", bbox_to_anchor=(1.0, 1.0))
