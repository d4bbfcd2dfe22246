"""The table of Go components (`components.toml`), and the go.mod that each is built by. Pure."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Component", "go_mod", "key", "load"]

TABLE = Path(__file__).with_name("components.toml")


@dataclass(frozen=True)
class Component:
    """One Go module of the table.

    Attributes:
        binaries: name -> package's folder in the module; "." is its root.
        staging: the version of modules that the module's own go.mod takes from folders of its repository.
        without_replace: modules whose `replace` in the module's own go.mod is left out.
        files: folders of the module to keep.
        apart: whether the node does without it, so that only who asks for it has it built.
    """

    name: str
    module: str
    version: str
    binaries: Mapping[str, str]
    staging: str = ""
    without_replace: tuple[str, ...] = ()
    ldflags: str = ""
    tags: str = ""
    files: tuple[str, ...] = ()
    apart: bool = False

    def package(self, binary: str) -> str:
        """The import path of a binary's main package."""
        folder = self.binaries[binary]
        return self.module if folder == "." else f"{self.module}/{folder}"


def load(table: Path = TABLE) -> list[Component]:
    """Read the table, in the order of building."""
    found = []
    for name, row in tomllib.loads(table.read_text()).items():
        version = row["version"]
        row["ldflags"] = row.get("ldflags", "").replace("{version}", version)
        row["files"] = [each.replace("{version}", version) for each in row.get("files", ())]
        lists = {each: tuple(row.get(each, ())) for each in ("without_replace", "files")}
        found.append(Component(name=name, **row | lists))
    return found


def key(component: Component, go_version: str) -> str:
    """What the built binaries are cached by: it changes with any of their inputs."""
    inputs = {name: value for name, value in asdict(component).items() if name != "apart"}
    text = json.dumps([inputs, go_version], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def go_mod(component: Component, upstream: Mapping[str, Any]) -> str:
    """Write the go.mod that builds ``component``.

    A `replace` or `exclude` counts in the main module alone, so those of the component's own go.mod are repeated here.

    Args:
        component: the component.
        upstream: its module's own go.mod, as `go mod edit -json` prints it.
    """
    lines = [f"module ferryman.dev/node/{component.name}", "", f"go {upstream['Go']}", ""]
    lines += [f"tool {component.package(binary)}" for binary in component.binaries]
    lines += ["", f"require {component.module} {component.version}", ""]
    for each in upstream.get("Replace") or []:
        old, new = each["Old"], each["New"]
        if old["Path"] in component.without_replace:
            continue
        source = " ".join(filter(None, (old["Path"], old.get("Version"))))
        if new.get("Version"):
            lines.append(f"replace {source} => {new['Path']} {new['Version']}")
        elif component.staging:
            lines.append(f"replace {source} => {old['Path']} {component.staging}")
    lines += [f"exclude {each['Path']} {each['Version']}" for each in upstream.get("Exclude") or []]
    return "\n".join(lines) + "\n"
