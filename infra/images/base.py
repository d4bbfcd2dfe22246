"""`python -m infra.images.base`: carry the pinned base to every Dockerfile of ours."""

from __future__ import annotations

import re
from pathlib import Path

from infra.images.build import ours
from infra.node.images import REPOSITORY

__all__ = ["dockerfiles", "pinned", "with_base"]

_PINNED = Path(__file__).with_name("Dockerfile")


def pinned() -> str:
    """The base by version and digest."""
    return str(re.findall(r"^FROM (\S+)$", _PINNED.read_text(), re.MULTILINE)[0])


def with_base(text: str, base: str) -> str:
    """Return a Dockerfile with this base as the default of its argument."""
    return re.sub(r"^ARG BASE_IMAGE=.*$", f"ARG BASE_IMAGE={base}", text, flags=re.MULTILINE)


def dockerfiles() -> list[Path]:
    """Every Dockerfile that an image of ours is built from."""
    return sorted({REPOSITORY / image.dockerfile for image in ours().values()})


if __name__ == "__main__":
    for file in dockerfiles():
        file.write_text(with_base(file.read_text(), pinned()))
