"""`python -m infra.images.tag v1.2.3`: whether a tag may become a release, and what the release says."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from artifact.version import VERSION
from infra.images.errors import ImageError
from infra.node.images import REPOSITORY

__all__ = ["main", "notes"]


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of the changelog that a tag releases.

    Raises:
        ImageError: the tag is not the version of the code, or the changelog has no section of it.
    """
    if tag != f"v{version}":
        raise ImageError(f"the tag {tag!r} is not v{version}, the version in artifact/version.py")
    found = re.search(
        rf"^## {re.escape(version)}(?![\w.])[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if not found or not found[1].strip():
        raise ImageError(f"CHANGELOG.md has no section `## {version}` with something in it")
    return found[1].strip() + "\n"


def main(arguments: Sequence[str]) -> int:
    """Return 0 and write the notes, 1 when the tag may not become a release, 2 for bad input."""
    if len(arguments) != 1:
        print("usage: python -m infra.images.tag v1.2.3", file=sys.stderr)
        return 2
    try:
        said = notes(arguments[0], VERSION, (REPOSITORY / "CHANGELOG.md").read_text())
    except ImageError as error:
        print(error, file=sys.stderr)
        return 1
    file = Path("build/release-notes.md")
    file.parent.mkdir(exist_ok=True)
    file.write_text(said)
    print(f"{arguments[0]} may be released; {file} says what is in it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
