"""Four dashboards: what they ask, as Grafana's JSON, and as a picture."""

from __future__ import annotations

from monitoring.dashboards.board import Board, Panel, Query
from monitoring.dashboards.boards import boards

__all__ = ["Board", "Panel", "Query", "boards"]
