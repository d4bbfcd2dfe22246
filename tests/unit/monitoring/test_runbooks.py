"""Somebody who is woken finds a page for the alert, and on it what to look at and what to do."""

from __future__ import annotations

import re

import pytest

from monitoring.config import load
from monitoring.generate import ROOT

ALERTS = set(load().alerts)
FOLDER = ROOT / "monitoring/runbooks"


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_has_its_page_with_meaning_impact_checks_deeds_and_who_is_next(alert: str) -> None:
    page = (FOLDER / f"{alert}.md").read_text()
    order = [
        page.find(part) for part in (f"# {alert}\n", "**Meaning.**", "**Impact.**", "## Check", "## Do", "## Escalate")
    ]
    assert order == sorted(order)
    assert min(order) == 0
    assert re.search(r"^```(sh laptop|sh cluster|promql)$", page, re.MULTILINE), "a check is a command or a query"
    for linked in re.findall(r"\]\((\w+\.md)\)", page):
        assert (FOLDER / linked).exists(), linked


def test_no_page_is_left_of_an_alert_that_is_no_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == ALERTS
