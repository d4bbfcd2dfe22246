"""The checks as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from training.checks.findings import CheckReport

__all__ = ["render_html"]


def render_html(reports: Sequence[CheckReport]) -> str:
    """Return a page with every check, met or not, what was measured, and rows that do not meet it.

    The page loads nothing: no script, no style sheet, no font, no picture. Values from the data are escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training.checks", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(reports=reports)
