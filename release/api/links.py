"""Where people find things: one place for each address that is shown."""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["release_page", "version_page"]


def version_page(registry_url: str, model: str, version: int) -> str:
    """Return the address of a model version in MLflow's UI."""
    return f"{registry_url}/#/models/{quote(model, safe='')}/versions/{version}"


def release_page(name: str) -> str:
    """Return the path of a release's own page."""
    return f"/releases/{quote(name)}"
