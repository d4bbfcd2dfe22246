"""A person at a browser: a real Chromium, and what somebody clicks in the MLflow UI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect, sync_playwright

__all__ = ["move_alias", "needs_browser", "open_page"]

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Of a busy machine: MLflow's UI is large, and its first page takes a while.
_PATIENCE_MILLISECONDS = 60_000

needs_browser = pytest.mark.skipif(not _CHROMIUM, reason="NOT RUN: a person's clicks, for `chromium` is not on PATH")


@contextmanager
def open_page() -> Iterator[Page]:
    """Yield an empty page of a browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(_PATIENCE_MILLISECONDS)
            expect.set_options(timeout=_PATIENCE_MILLISECONDS)
            # What MLflow shows to whoever comes for the first time.
            page.add_locator_handler(page.get_by_role("button", name="Try it now"), lambda button: button.click())
            yield page
        finally:
            browser.close()


def move_alias(page: Page, mlflow: str, model: str, alias: str, version: str) -> None:
    """Go the README's way through the UI at address ``mlflow`` to a version, and give it the alias."""
    page.goto(mlflow)
    page.get_by_text("Model training", exact=True).click()
    page.get_by_role("link", name="Model registry").click()
    page.get_by_role("link", name=model, exact=True).click()
    page.get_by_role("link", name=f"Version {version}", exact=True).click()
    # The pencil has no name that a reader of the page could hear.
    page.locator("[data-component-id*=aliaseditor]").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill(alias)
    dialog.get_by_role("combobox").press("Enter")
    dialog.get_by_role("button", name="Save aliases").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text(f"@ {alias}")).to_be_visible()
