"""The table of images (`images.toml`), and what each is made from. Pure but for reading the inputs."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Image", "base", "containerfile", "key", "load", "packages_image"]

TABLE = Path(__file__).with_name("images.toml")
REPOSITORY = Path(__file__).parents[2]
_LOCK = REPOSITORY / "requirements" / "lock.txt"
# The release of Debian in images, and its Python, for which packages are installed.
DEBIAN, PYTHON = "bookworm", "3.11"
# No user of any machine; the manifests run every container of ours as it.
USER = 65532


@dataclass(frozen=True)
class Image:
    """One row of the table; see there."""

    name: str
    component: str = ""
    program: str = ""
    arguments: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    packages: str = ""
    left_out: tuple[str, ...] = ()
    dockerfile: str = ""
    target: str = ""
    sources: tuple[str, ...] = ()


def load(table: Path = TABLE) -> list[Image]:
    """Read the table, in the order of building."""
    found = []
    for name, row in tomllib.loads(table.read_text()).items():
        lists = {each: tuple(row.get(each, ())) for each in ("arguments", "debian", "sources")}
        if "left_out" in row:
            lists["left_out"] = tuple((REPOSITORY / row["left_out"]).read_text().split())
        found.append(Image(name=name, **row | lists))
    return found


def packages_image(image: Image) -> Image:
    """The image of Python packages alone that one of ours is built on: a change of our code leaves it as it is."""
    return Image(name=f"{image.packages}-packages", packages=image.packages, left_out=image.left_out)


def base(image: Image) -> str:
    """The name of the image that another starts from; empty where it is from scratch."""
    if image.dockerfile:
        return packages_image(image).name
    return "python" if image.packages else ""


def containerfile(image: Image) -> str:
    """The build instructions of an image that has no Dockerfile in the repository."""
    if image.packages:
        return "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY packages /opt/ferryman/packages\n"
    if image.debian:
        return f"FROM scratch\nADD root.tar /\nENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin\nUSER {USER}\n"
    name = image.program or image.name
    entry = json.dumps([f"/bin/{name}", *image.arguments])
    return f"FROM scratch\nCOPY {name} /bin/{name}\nENV PATH=/bin\nUSER {USER}\nENTRYPOINT {entry}\n"


def key(image: Image, program: str, base_reference: str) -> str:
    """What an image is cached by: it changes with any of its inputs.

    Args:
        image: the image.
        program: what identifies the program in an image that holds just one.
        base_reference: the reference of the image that it starts from.
    """
    parts: list[object] = [asdict(image)]
    if image.component or image.program:
        parts += [program, containerfile(image)]
    elif image.debian:
        parts += [containerfile(image)]
    elif not image.dockerfile:
        parts += [base_reference, containerfile(image), _digest(_LOCK)]
    else:
        files = [REPOSITORY / image.dockerfile, *_sources(image)]
        parts += [base_reference, {str(path.relative_to(REPOSITORY)): _digest(path) for path in files}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _sources(image: Image) -> Iterable[Path]:
    for folder in image.sources:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
