"""What Argo CD would say of an object's health: our checks, from the ConfigMap that it reads, in Lua 5.1."""

from __future__ import annotations

import functools
from typing import Any

from lupa.lua51 import LuaRuntime

from infra.platform.manifests import ROOT, build

__all__ = ["STATUSES", "health"]

STATUSES = {"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"}

# Argo CD opens no other library of Lua's, but for a part of `os`.
_ABSENT = ("string", "math", "io", "os", "debug", "coroutine", "python")


@functools.cache
def _checks() -> dict[str, str]:
    [settings] = [found for found in build(ROOT / "infra/gitops/bootstrap") if found["metadata"]["name"] == "argocd-cm"]
    return {name.removeprefix("resource.customizations.health."): text for name, text in settings["data"].items()}


def health(found: dict[str, Any]) -> tuple[str, str]:
    """Return status and message for an object that has a check of ours.

    Raises:
        KeyError: it has none.
    """
    script = _checks()[f"{found['apiVersion'].partition('/')[0]}_{found['kind']}"]
    lua = LuaRuntime(register_eval=False)
    for name in _ABSENT:
        lua.globals()[name] = None
    lua.globals().obj = lua.table_from(found, recursive=True)
    said = dict(lua.execute(script))
    assert said["status"] in STATUSES, said
    assert isinstance(said["message"], str), said
    return said["status"], said["message"]
