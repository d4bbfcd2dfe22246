"""The failed checks as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from training.checks.findings import CRITICAL, CheckReport

__all__ = ["render_table"]

_EXAMPLES = 3
_STYLES = {CRITICAL: "bold red"}


def render_table(reports: Sequence[CheckReport]) -> Table:
    """Return the checks that failed, the critical ones first, with some rows that do not meet them."""
    table = Table(title="Checks that failed", title_justify="left", show_lines=True, expand=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Expected", ratio=3)
    table.add_column("Observed", ratio=2)
    table.add_column("Examples (row: value)", ratio=4)
    for finding in [each for report in reports for each in report.critical] + [
        each for report in reports for each in report.warnings
    ]:
        examples = "\n".join(f"{index}: {value}" for index, value in finding.examples[:_EXAMPLES])
        # Text and not str: a value such as "[red]" is no markup.
        table.add_row(
            Text(finding.severity, style=_STYLES.get(finding.severity, "yellow")),
            Text(f"{finding.expectation} [{finding.column}]"),
            Text(finding.observed),
            Text(examples, overflow="ellipsis"),
        )
    return table
