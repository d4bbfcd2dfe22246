"""Checks on the data, before anything is learned from it."""

from training.checks.engine import SuiteError
from training.checks.findings import CheckReport, Finding
from training.checks.report import render_html
from training.checks.run import check_raw, check_split
from training.checks.table import render_table

__all__ = ["CheckReport", "Finding", "SuiteError", "check_raw", "check_split", "render_html", "render_table"]
