"""The pages of the site as the tests of them see them: blocks of commands, and the mark under which each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ["EXECUTED_BY", "ROOT", "Block", "Command", "blocks", "found_in_order", "guides"]

ROOT = Path(__file__).parents[1]
EXECUTED_BY = "tests/integration/test_guides.py"

_MARK = re.compile(r"\*(Executed by|Shown by|Not executed here:|Not measured yet:)\*(.*)", re.DOTALL)
_NAMED = re.compile(r"`((?:tests/|\.ci/)[\w/.]+(?:::\w+)?)`")


@dataclass(frozen=True)
class Command:
    """What is typed, over several lines if they begin with `> `, and the lines that are shown after it."""

    typed: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A block of commands.

    Attributes:
        line: where it begins, from 1.
        mark: the first words of the mark above it; empty when there is none.
        named: the tests that the mark names.
    """

    line: int
    mark: str
    named: tuple[str, ...]
    commands: tuple[Command, ...]


def blocks(page: Path) -> Iterator[Block]:
    """Yield each block of commands of a page.

    A mark is a paragraph. It holds until the next one, or to the end of its section with all that is below it.
    """
    marks: dict[int, tuple[str, tuple[str, ...]]] = {}
    level = 0
    tokens = MarkdownIt().parse(page.read_text())
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "heading_open":
            level = int(token.tag[1])
            marks = {at: mark for at, mark in marks.items() if at < level}
        elif token.type == "inline" and before is not None and before.type == "paragraph_open":
            if marked := _MARK.match(token.content):
                marks[level] = (marked[1].rstrip(":"), tuple(_NAMED.findall(marked[2])))
        elif token.type == "fence" and token.info == "console":
            assert token.map is not None
            mark, named = marks[max(marks)] if marks else ("", ())
            yield Block(token.map[0] + 1, mark, named, tuple(_commands(token.content)))


def _commands(text: str) -> Iterator[Command]:
    typed: list[str] = []
    shown: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            if typed:
                yield Command("\n".join(typed), tuple(shown))
            typed, shown = [line[2:]], []
        elif line.startswith(">") and not shown:
            typed.append(line.removeprefix(">").removeprefix(" "))
        elif line.strip():
            shown.append(line)
    if typed:
        yield Command("\n".join(typed), tuple(shown))


def found_in_order(shown: tuple[str, ...], printed: str) -> str | None:
    """Return the first shown line that was not printed after the ones before it, or None.

    `…` stands for anything, one space for any number of them; other lines may come between.
    """
    rest = iter(printed.splitlines())
    for line in shown:
        pattern = r"\s+".join(re.escape(word) for word in line.split()).replace("…", ".*")
        if not any(re.search(pattern, found) for found in rest):
            return line
    return None


def guides() -> list[Path]:
    """Return the guides in the order of the site, in which a reader goes through them."""
    index = (ROOT / "docs/index.md").read_text()
    return [ROOT / "docs" / f"{name}.md" for name in re.findall(r"^(guides/[\w-]+)$", index, re.MULTILINE)]
