"""From kustomize folders to objects with the images and the domain of one cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from infra.platform.cluster import kubectl_binary
from infra.platform.errors import PlatformError

__all__ = ["DOMAIN", "ROOT", "build", "read_images", "registry_of", "substitute"]

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
DOMAIN = "example.com"
"""The domain that the manifests are written with."""


def build(folder: Path) -> list[Object]:
    """Return what ``kubectl kustomize`` makes of a folder.

    Raises:
        PlatformError: the folder does not build.
    """
    done = subprocess.run([kubectl_binary(), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlatformError(f"{folder} does not build: {done.stderr.strip()}")
    return [found for found in yaml.load_all(done.stdout, yaml.CSafeLoader) if found]


def substitute(objects: Sequence[Object], images: Mapping[str, str], domain: str) -> list[Object]:
    """Return the objects with each ``image: <name>`` replaced by its reference, and the manifests' domain by ours.

    Raises:
        PlatformError: an image has no reference.
    """

    def visit(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: visit(part, name) for name, part in value.items()}
        if isinstance(value, list):
            return [visit(part) for part in value]
        if key == "image" and isinstance(value, str):
            if value not in images:
                raise PlatformError(f"image {value}: no reference given; the file of images needs this key")
            return images[value]
        if isinstance(value, str) and (value == DOMAIN or value.endswith(f".{DOMAIN}")):
            return value.removesuffix(DOMAIN) + domain
        return value

    return [visit(found) for found in objects]


def read_images(file: Path) -> dict[str, str]:
    """Read a JSON file ``{"predictor": "registry/predictor@sha256:…", …}``.

    Raises:
        PlatformError: it cannot be read, or is not such a file.
    """
    try:
        images = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise PlatformError(f"{file} cannot be read: {error}") from error
    if not isinstance(images, dict) or not all(isinstance(value, str) for value in images.values()):
        raise PlatformError(f'{file}: expected {{"predictor": "registry/predictor@sha256:…", …}}')
    return images


def registry_of(images: Mapping[str, str]) -> str:
    """Return the registry, with its path, that tenants' images come from: the predictor's.

    Raises:
        PlatformError: the predictor is not named, or not by digest.
    """
    reference = images.get("predictor", "")
    if "@sha256:" not in reference or "/" not in reference:
        raise PlatformError(f"image predictor: {reference!r} is not <registry>/<name>@sha256:<digest>")
    return reference.rsplit("/", 1)[0]
