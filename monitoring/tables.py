"""The tables of docs/monitoring.md that are made from the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from monitoring.alerts import by_group
from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["between", "filled"]


def filled(page: str, config: Config) -> str:
    """Return the page with its tables as the configuration has them."""
    return between("alerts", _alerts(config), between("slo", _slo(config), page))


def between(name: str, rows: Iterable[str], page: str) -> str:
    """Return the page with these lines between its marks ``<!-- name -->`` and ``<!-- /name -->``."""
    found = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    return found.sub(lambda _: "".join(f"{row}\n" for row in rows), page)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _slo(config: Config) -> list[str]:
    slo = config.slo
    promises = [
        f"Over {prometheus(slo.period)}, {slo.availability:.1%} of a tenant's requests are answered, "
        f"and {slo.latency:.0%} of the answers take at most {slo.latency_seconds * 1000:g} ms.",
        "",
    ]
    rows = [
        (f"{each.factor:g}", prometheus(each.long), prometheus(each.short), each.severity, f"{slo.requests}")
        for each in slo.burn
    ]
    return promises + _table(("burns … times too fast", "for", "and still for", "is a", "from … requests"), rows)


def _alerts(config: Config) -> list[str]:
    rows = []
    for group in by_group(config).values():
        for alert in group:
            numbers = config.alerts[alert.name]
            said = re.sub(r"\{\{ (?:or )?\$(?:labels\.)?(\w+).*?\}\}", r"*\1*", alert.summary)
            link = f"[{alert.name}](../monitoring/runbooks/{alert.name}.md)"
            rows.append((link, numbers.severity, prometheus(numbers.hold), said))
    return _table(("alert", "is a", "after", "says"), rows)
