"""What Argo CD makes of this repository: which Applications there are, and what each would apply, in its order.

Argo CD itself does not run here. This does what its repository server does for the few features that are used:
kustomize with components and patches, and an ApplicationSet over folders.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.manifests import ROOT, build

__all__ = ["MANAGER", "Application", "applications", "apply", "in_order", "rendered", "root_objects"]

Object = dict[str, Any]

MANAGER = "argocd-controller"
"""Argo CD's name as the owner of the fields that it applies."""

_HERE = "infra/gitops"
_WAVE = "argocd.argoproj.io/sync-wave"
# Argo CD orders by kind within a wave; of that order, only what others depend on.
_FIRST = ("Namespace", "CustomResourceDefinition")


@dataclass(frozen=True)
class Application:
    """An Application, as the root one or the ApplicationSet makes it.

    Attributes:
        wave: of the root's sync.
        spec: its whole `spec`.
        local: its source is a folder of this repository.
    """

    name: str
    wave: int
    spec: Mapping[str, Any]
    local: bool

    @property
    def path(self) -> str:
        """The folder that it applies; of its own repository if it is not local."""
        return str(self.spec["source"]["path"])


def root_objects(root: Path = ROOT) -> list[Object]:
    """Return what the root Application applies.

    Args:
        root: of the repository.
    """
    return in_order(build(root / _HERE / "applications"))


def applications(root: Path = ROOT) -> list[Application]:
    """Return every Application but the root one, in the order of waves."""
    found: list[Application] = []
    for each in root_objects(root):
        metadata = each["metadata"]
        if each["kind"] == "Application" and not _is_root(each):
            local = metadata.get("labels", {}).get("ferryman.dev/source") == "here"
            found.append(Application(metadata["name"], _wave(each), each["spec"], local))
        elif each["kind"] == "ApplicationSet":
            found += _expanded(each, root)
    return sorted(found, key=lambda each: each.wave)


def rendered(application: Application, root: Path = ROOT) -> list[Object]:
    """Return the objects of a local Application in the order in which they are applied.

    Raises:
        PlatformError: its folder does not build.
    """
    options = application.spec["source"].get("kustomize", {})
    with tempfile.TemporaryDirectory(prefix="ferryman-gitops-") as temporary:
        # Argo CD edits the kustomization in its checkout, too.
        checkout = Path(temporary)
        for part in ("infra/platform", _HERE, "kserve"):
            shutil.copytree(root / part, checkout / part, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        file = checkout / application.path / "kustomization.yaml"
        if not file.is_file():
            raise PlatformError(f"Application {application.name}: there is no {application.path}/kustomization.yaml")
        kustomization = yaml.safe_load(file.read_text())
        for key in ("components", "patches"):
            kustomization[key] = [*kustomization.get(key, ()), *options.get(key, ())]
        file.write_text(yaml.safe_dump(kustomization))
        return in_order(build(file.parent))


def in_order(objects: Sequence[Object]) -> list[Object]:
    """Return objects as Argo CD would apply them: by wave, namespaces and kinds first."""

    def place(found: Object) -> tuple[int, int]:
        kind = found["kind"]
        return _wave(found), _FIRST.index(kind) if kind in _FIRST else len(_FIRST)

    return sorted(objects, key=place)


def apply(cluster: Cluster, objects: Sequence[Object]) -> None:
    """Apply objects as Argo CD does with `ServerSideApply=true`: under its own name, and by force."""
    cluster.apply(objects, manager=MANAGER)


def _wave(found: Object) -> int:
    return int((found["metadata"].get("annotations") or {}).get(_WAVE, 0))


def _is_root(found: Object) -> bool:
    return bool(found["spec"]["source"].get("path") == f"{_HERE}/applications")


def _expanded(found: Object, root: Path) -> list[Application]:
    """Return what an ApplicationSet over folders makes."""
    made = []
    for generator in found["spec"]["generators"]:
        git = generator["git"]
        for place in git["directories"]:
            for folder in sorted(path for path in root.glob(place["path"]) if path.is_dir()):
                known = {"path.path": os.path.relpath(folder, root), "path.basename": folder.name}
                known |= {f"values.{key}": value for key, value in git.get("values", {}).items()}
                template = _filled(found["spec"]["template"], known)
                made.append(Application(template["metadata"]["name"], _wave(found), template["spec"], local=True))
    return made


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, known) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, known) for part in value]
    if not isinstance(value, str):
        return value
    for name, text in known.items():
        value = value.replace("{{." + name + "}}", text)
    if "{{" in value:
        raise PlatformError(f"ApplicationSet: {value!r} names something that is not known here")
    return value
