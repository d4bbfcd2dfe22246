"""What the alias names beside what tenants serve: the measures, the data and the parameters, by their tags."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from release.desk import Desk, chosen

__all__ = ["diff", "differing"]

_OURS = "ferryman."


def differing(stable: Mapping[str, str], target: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return ``(tag, stable's value, target's value)`` for every tag in which two versions differ. Pure."""
    names = sorted(name for name in stable.keys() | target.keys() if not name.startswith(_OURS))
    pairs = ((name, stable.get(name, ""), target.get(name, "")) for name in names)
    return [pair for pair in pairs if pair[1] != pair[2]]


def diff(desk: Desk, tenants: Sequence[str]) -> int:
    """Print the differences and return 0 when there are none, 1 when there are, 3 when the registry does not answer."""
    from registry.client import Registry, RegistryUnreachableError

    code = 0
    try:
        registry = Registry()
        aliases = registry.aliases()
        for release in chosen(desk, tenants):
            model, stable = release.spec.model, release.status.stable
            target = aliases.get(model, {}).get(release.spec.alias)
            serves = f"version {stable.version}" if stable else "nothing"
            names = f"version {target}" if target is not None else "nothing"
            if stable is not None and target == stable.version:
                print(f"{release.name} serves {serves}, as {release.spec.alias} says")
                continue
            code = 1
            title = f"{release.name} serves {serves}; {release.spec.alias} names {names} ({release.status.phase})"
            if stable is None or target is None:
                print(title)
                continue
            table = Table("tag", serves, names, title=title, title_justify="left")
            pair = (registry.get(model, stable.version).tags, registry.get(model, target).tags)
            for row in differing(*pair):
                table.add_row(*row)
            Console().print(table)
    except RegistryUnreachableError as error:
        print(f"{error}\nTenants go on answering. Start the stack with: make up", file=sys.stderr)
        return 3
    return code
