"""What the checks found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CRITICAL", "WARNING", "CheckReport", "Finding"]

CRITICAL = "critical"
"""Great Expectations' own severity: a failure stops the job."""
WARNING = "warning"
"""Great Expectations' own severity: a failure is reported."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one expectation.

    Attributes:
        suite: the suite's name, ``raw``, ``split`` or ``drift``.
        expectation: what was expected, as a sentence.
        column: the column that it is about, or ``table``.
        severity: ``critical`` or ``warning``.
        passed: whether the data met it.
        observed: what was measured, for people to read.
        expected: the expectation's parameters, for people to read.
        examples: (row index, shortened printable value) of some rows that do not meet it.
    """

    suite: str
    expectation: str
    column: str
    severity: str
    passed: bool
    observed: str
    expected: str
    examples: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """The outcome of the checks on one table.

    Attributes:
        title: which table, as a heading.
        findings: every expectation, met or not, in the suites' order.
        statistics: measures of the table, for people to read.
    """

    title: str
    findings: tuple[Finding, ...]
    statistics: Mapping[str, str] = field(default_factory=dict)

    @property
    def critical(self) -> list[Finding]:
        """The failures that stop the job."""
        return [finding for finding in self.findings if not finding.passed and finding.severity == CRITICAL]

    @property
    def warnings(self) -> list[Finding]:
        """The failures that are only reported."""
        return [finding for finding in self.findings if not finding.passed and finding.severity != CRITICAL]

    @property
    def success(self) -> bool:
        """Whether the job may go on."""
        return not self.critical
