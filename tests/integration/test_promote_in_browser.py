"""The promise of the README: a person moves the alias in the MLflow UI, and both tenants follow."""

from __future__ import annotations

import pytest
from browser import move_alias, needs_browser, open_page
from conftest import TENANTS, Stack, eventually, under_load

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]


@needs_browser
def test_an_alias_that_a_person_moves_in_the_ui_brings_both_tenants_without_a_failed_request(released: Stack) -> None:
    before = released.served("tenant-a")
    assert before is not None
    trained = released.run("training", "--sample", "4200")
    assert trained.returncode == 0, trained.stderr
    newest = released.run("registry", "list").stdout.split()[1].removeprefix("v")
    assert newest != before
    with under_load(released) as answers:
        with open_page() as page:
            move_alias(page, released.mlflow, "sentiment", "champion", newest)
        eventually(lambda: all(released.served(tenant) == newest for tenant in TENANTS))
    # Trained on more rows, this champion would fail the candidates of later tests at the gate.
    assert released.run("registry", "promote", "--version", before).returncode == 0
    eventually(lambda: all(released.served(tenant) == before for tenant in TENANTS))
    for tenant in TENANTS:
        assert {code for code, _ in answers[tenant]} == {200}, tenant
        assert {version for _, version in answers[tenant]} == {before, newest}
