"""Building the Go components into the cache: one at a time, with Go caches of the rig's own that are dropped after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from infra.node import components
from infra.node.components import Component
from infra.node.errors import NodeError

__all__ = ["build", "missing", "size"]

_LARGEST_BUILD_CACHE = 6 * 2**30


def missing(cache: Path, beside: Collection[str] = ()) -> list[Component]:
    """The components whose binaries are not in the cache, in the order of building.

    Args:
        cache: the rig's cache.
        beside: names of those to have that the node does without.
    """
    version = _go_version()
    wanted = [each for each in components.load() if not each.apart or each.name in beside]
    return [each for each in wanted if _built(cache, each) != components.key(each, version)]


def build(cache: Path, say: Callable[[str], None], beside: Collection[str] = ()) -> None:
    """Build what is missing. Interrupted, it goes on where it stopped."""
    wanted = missing(cache, beside)
    for number, component in enumerate(wanted, 1):
        start = time.monotonic()
        say(f"build  {component.name} {component.version} ({number} of {len(wanted)}) …")
        _build_one(cache, component)
        say(f"build  {component.name} took {time.monotonic() - start:.0f} s")
    shutil.rmtree(cache / "go", ignore_errors=True)


def _build_one(cache: Path, component: Component) -> None:
    work, target = cache / "go" / "work" / component.name, cache / "components" / component.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    environment = _environment(cache)
    origin = json.loads(
        _go(["mod", "download", "-json", f"{component.module}@{component.version}"], cache / "go", environment)
    )
    upstream = json.loads(_go(["mod", "edit", "-json", origin["GoMod"]], cache / "go", environment))
    (work / "go.mod").write_text(components.go_mod(component, upstream))
    for binary in component.binaries:
        _go(_arguments(component, binary, work), work, environment)
    for folder in component.files:
        shutil.copytree(Path(origin["Dir"]) / folder, work / "files" / Path(folder).name, copy_function=shutil.copyfile)
    for folder_path in (work / "files").rglob("*/"):
        folder_path.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for made in ("bin", "files", "go.mod", "go.sum"):
        if (work / made).exists():
            (work / made).rename(target / made)
    (target / "key").write_text(components.key(component, _go_version()))
    shutil.rmtree(work)
    # Components share the standard library and little else: after all of them the build cache would hold 18 GB.
    if size(cache / "go" / "build") > _LARGEST_BUILD_CACHE:
        shutil.rmtree(cache / "go" / "build")


def _arguments(component: Component, binary: str, work: Path) -> list[str]:
    return [
        "build",
        "-mod=mod",
        "-trimpath",
        f"-ldflags=-s -w {' '.join(component.ldflags.split())}",
        # The linker drops it anyway; not to make it is a tenth of the time.
        "-gcflags=all=-dwarf=false",
        f"-tags={component.tags}",
        "-o",
        str(work / "bin" / binary),
        component.package(binary),
    ]


def _environment(cache: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "GOMODCACHE": str(cache / "go" / "mod"),
        "GOCACHE": str(cache / "go" / "build"),
        "GOFLAGS": "-modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        # The compiler lives too short to collect garbage: an eighth of the time.
        "GOGC": "off",
        "GOMEMLIMIT": "3GiB",
    }


def _go(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NodeError(f"go {' '.join(arguments)} failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    return done.stdout


def _go_version() -> str:
    if not shutil.which("go"):
        raise NodeError("Building the node's programs needs Go on PATH (1.26 or newer).")
    return subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()


def _built(cache: Path, component: Component) -> str:
    stamp = cache / "components" / component.name / "key"
    return stamp.read_text() if stamp.exists() else ""


def size(folder: Path) -> int:
    """How many bytes of the disk a folder takes."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
