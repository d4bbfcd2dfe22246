"""The promise of the README: a person moves the alias in the MLflow UI, and both tenants follow.

The person watches them on the controller's page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from browser import move_alias, needs_browser, open_page
from conftest import TENANTS, Stack, eventually, under_load
from playwright.sync_api import expect

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

ARRIVES_MILLISECONDS = 240_000
AT_ONCE = "strategy: {blueGreen: {keepPrevious: 10m}}"
STEP_BY_STEP = """strategy: {canary: {steps: [{weight: 25, pause: 5s}, {weight: 50, pause: 5s}]}}
  analysis: {minRequests: 50, maxLatencyP95Ratio: 20, maxErrorIncrease: 0.5, maxPredictionShift: 0.9}"""
"""With wide limits: what is judged is not what is tested here, and the machine may be busy."""


@contextmanager
def by_canary(stack: Stack) -> Iterator[None]:
    """Have every tenant release by canary for a while."""
    specs = stack.home / "releases.yaml"
    before = specs.read_text()
    assert before.count(AT_ONCE) == len(TENANTS)
    specs.write_text(before.replace(AT_ONCE, STEP_BY_STEP))
    try:
        yield
    finally:
        specs.write_text(before)


@needs_browser
def test_an_alias_moved_in_mlflow_is_watched_on_the_page_from_canary_to_stable_and_no_request_fails(
    released: Stack,
) -> None:
    before = released.served("tenant-a")
    assert before is not None
    trained = released.run("training", "--sample", "4300")
    assert trained.returncode == 0, trained.stderr
    newest = released.run("registry", "list").stdout.split()[1].removeprefix("v")
    assert newest != before
    # A canary that nobody asks is not judged.
    with by_canary(released), under_load(released) as answers, open_page() as clicked:
        assert clicked.context.browser is not None
        watched = clicked.context.browser.new_page()
        watched.goto(released.controller)
        for tenant in TENANTS:
            card = watched.get_by_role("article", name=tenant)
            expect(card).to_contain_text("Stable")
            expect(card.get_by_role("link", name=f"version {newest} in MLflow")).to_have_count(0)
        move_alias(clicked, released.mlflow, "sentiment", "champion", newest)
        for tenant in TENANTS:
            card = watched.get_by_role("article", name=tenant)
            expect(card.get_by_role("img", name=re.compile(rf"version {newest} has [1-9]"))).to_be_visible(
                timeout=ARRIVES_MILLISECONDS
            )
        for tenant in TENANTS:
            row = watched.get_by_role("region", name="Quiet").get_by_role("article", name=tenant)
            expect(row).to_contain_text(f"version {newest} in MLflow 100 %", timeout=ARRIVES_MILLISECONDS)
        link = watched.get_by_role("article", name=TENANTS[0]).get_by_role("link", name=f"version {newest} in MLflow")
        link.first.click()
        expect(watched.get_by_text(f"Version {newest}").first).to_be_visible()
    assert all(released.served(tenant) == newest for tenant in TENANTS)
    # Trained on more rows, this champion would fail the candidates of later tests at the gate.
    assert released.run("registry", "promote", "--version", before).returncode == 0
    eventually(lambda: all(released.served(tenant) == before for tenant in TENANTS))
    for tenant in TENANTS:
        assert {code for code, _ in answers[tenant]} == {200}, tenant
        assert {version for _, version in answers[tenant]} == {before, newest}
