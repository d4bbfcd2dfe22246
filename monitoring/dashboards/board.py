"""What a dashboard is, before anybody draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Board", "Panel", "Query"]


@dataclass(frozen=True)
class Query:
    """``expr`` is PromQL with Grafana's variables, ``legend`` names a line by its labels: ``{{tenant}}``."""

    expr: str
    legend: str

    def of(self, variables: Mapping[str, str]) -> str:
        """Return the expression with its variables put in."""
        text = self.expr
        for name, value in variables.items():
            text = text.replace(f"${name}", value)
        return text

    def name(self, labels: Mapping[str, str]) -> str:
        """Return the legend of one series."""
        text = self.legend
        for label, value in labels.items():
            text = text.replace(f"{{{{{label}}}}}", value)
        return text


@dataclass(frozen=True)
class Panel:
    """``unit`` is Grafana's word for it: reqps, s, percentunit, short, bytes, cores."""

    title: str
    unit: str
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Board:
    """``uid`` is its address in Grafana and the name of its files."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
