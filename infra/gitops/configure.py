"""Writing what differs from cluster to cluster into the two files that hold it, for a person to review and commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from infra.platform.errors import PlatformError
from infra.platform.manifests import ROOT, registry_of

__all__ = ["configure"]

_FOLDER = "infra/gitops/cluster"
_REFERENCE = re.compile(r"(?P<name>[^@]+?)(:[\w][\w.-]{0,127})?@(?P<digest>sha256:[0-9a-f]{64})")


def configure(images: Mapping[str, str], domain: str, repository: str, revision: str, root: Path = ROOT) -> list[Path]:
    """Write both files and return them; the same arguments write the same again.

    Args:
        images: name in the manifests -> reference by digest.
        domain: tenants answer to ``<tenant>.<domain>``.
        repository: where Argo CD finds this repository.
        revision: the branch or tag that it follows.
        root: of the repository.

    Raises:
        PlatformError: an image is not named by digest.
    """
    facts = {"domain": domain, "registry": registry_of(images), "repository": repository, "revision": revision}
    settings, file = root / _FOLDER / "cluster.env", root / _FOLDER / "images" / "kustomization.yaml"
    text = file.read_text()
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    kustomization = yaml.safe_load(text) | {"images": [_image(name, images[name]) for name in sorted(images)]}
    settings.write_text("".join(f"{key}={value}\n" for key, value in facts.items()))
    file.write_text(comment + yaml.safe_dump(kustomization, sort_keys=False))
    return [settings, file]


def _image(name: str, reference: str) -> dict[str, str]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise PlatformError(f"image {name}: {reference!r} is not <name>@sha256:<64 hex digits>; a tag can move")
    return {"name": name, "newName": match["name"], "digest": match["digest"]}
