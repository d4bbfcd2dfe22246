"""Our images, one after the other: built, pushed where that was asked for, each with its list of contents."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from artifact.version import VERSION
from infra.images import sbom
from infra.images.engine import Engine
from infra.images.errors import ImageError
from infra.node import images as table
from infra.node.pack import debian

__all__ = ["Builder", "collect", "note", "ours", "upstream"]

Say = Callable[[str], None]

_UPSTREAM = table.REPOSITORY / "infra" / "kind" / "images.json"


def ours() -> dict[str, table.Image]:
    """The images that have a Dockerfile in this repository, by name."""
    return {image.name: image for image in table.load() if image.dockerfile}


def upstream() -> dict[str, str]:
    """What others build and a platform needs too: name -> reference."""
    named = json.loads(_UPSTREAM.read_text())
    return {name: reference for name, reference in named.items() if name not in ours()}


def note(folder: Path, name: str, reference: str) -> None:
    """Write down where an image of ours is. A tag beside the digest is dropped: it says nothing more.

    Raises:
        ImageError: it is none of ours.
    """
    _known([name])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.reference").write_text(re.sub(r":[^/@]+(?=@)", "", reference) + "\n")


def collect(folder: Path) -> Path:
    """Write ``images.json``: every image of ours that was noted, and what others build. Return that file."""
    noted = {file.stem: file.read_text().strip() for file in folder.glob("*.reference")}
    file = folder / "images.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(upstream() | noted, indent=2, sort_keys=True) + "\n")
    return file


def _known(names: Collection[str]) -> None:
    if unknown := set(names) - set(ours()):
        raise ImageError(f"image {', '.join(sorted(unknown))}: not one of {', '.join(ours())}")


@dataclass(frozen=True)
class Builder:
    """Builds into an engine's store, and writes about it into a folder."""

    engine: Engine
    folder: Path
    say: Say

    def build(self, names: Collection[str], *, registry: str = "", from_debian: bool = False) -> Path:
        """Build images and return the file that names them.

        Args:
            names: of which images; all when empty.
            registry: where to push, as `registry/path`; nowhere when empty.
            from_debian: start from a Debian that is made here from its packages, not from the base that the Dockerfiles
                name. Linux, root, mmdebstrap.

        Raises:
            ImageError: a name is none of ours, or what the engine says of a failure.
        """
        _known(names)
        rows = ours()
        bases = self._debian() if from_debian else ()
        for name in names or rows:
            begun = time.monotonic()
            reference = self._image(rows[name], registry, bases)
            note(self.folder, name, reference)
            self.say(f"{name:<12} {reference}  took {time.monotonic() - begun:.0f} s")
        return collect(self.folder)

    def describe(self, name: str, reference: str) -> Path:
        """Write the list of what an image holds, and return its file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.engine.files(reference) as root:
            document = sbom.document(name, VERSION, root)
        file = self.folder / f"{name}.cdx.json"
        file.write_text(document + "\n")
        return file

    def _image(self, image: table.Image, registry: str, bases: Collection[str]) -> str:
        tag = f"localhost/ferryman/{image.name}:{VERSION}"
        target = [f"--target={image.target}"] if image.target else []
        self.engine.build(table.REPOSITORY / image.dockerfile, table.REPOSITORY, tag, *target, *bases)
        self.describe(image.name, tag)
        return self.engine.push(tag, f"{registry}/{image.name}:{VERSION}") if registry else tag

    def _debian(self) -> tuple[str, ...]:
        """Make the bases of one day, unless they are there, and return the arguments that name them."""
        row = next(image for image in table.load() if image.name == "python")
        made = []
        for argument, packages in (("BASE_IMAGE", row.debian), ("BUILD_IMAGE", (*row.debian, "python3-pip"))):
            tag = f"localhost/ferryman/{argument.lower().replace('_', '-')}:{table.DEBIAN}-{time.strftime('%Y%m%d')}"
            if not self.engine.has(tag):
                begun = time.monotonic()
                with tempfile.TemporaryDirectory(prefix="ferryman-") as context:
                    debian(packages, Path(context) / "root.tar")
                    file = Path(context) / "Containerfile"
                    file.write_text("FROM scratch\nADD root.tar /\nENV PATH=/usr/bin:/bin\n")
                    self.engine.build(file, Path(context), tag)
                self.say(f"{tag}  took {time.monotonic() - begun:.0f} s")
            made.append(f"--build-arg={argument}={tag}")
        return tuple(made)
