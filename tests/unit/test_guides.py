"""What the guides claim is executed, shown by a test, or marked as not executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from guides import EXECUTED_BY, ROOT, blocks, found_in_order, guides

PAGES = sorted(ROOT.glob("docs/**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_commands_stands_under_a_mark_and_its_tests_exist(page: Path) -> None:
    for block in blocks(page):
        assert block.mark, f"line {block.line}: is it *Executed by* or *Shown by* a test, or *Not executed here:*?"
        assert block.named or block.mark.startswith("Not "), f"line {block.line}: the mark names no test"
        for named in block.named:
            file, _, test = named.partition("::")
            assert (ROOT / file).is_file(), named
            assert not test or re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), named
        if EXECUTED_BY in block.named:
            assert page in guides(), f"{EXECUTED_BY} runs the guides of docs/index.md only"


@pytest.mark.parametrize("page", guides(), ids=lambda page: page.stem)
def test_a_guide_has_a_mark(page: Path) -> None:
    assert re.search(r"^\*(Executed by|Shown by|Not executed here:)\*", page.read_text(), re.MULTILINE)


def test_a_block_takes_the_mark_of_its_section_or_of_the_one_around_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n*Executed by* `.ci/run`.\n\n```console\n$ a\n> b\nc …\n$ d\n```\n"
        "## B\n\n```console\n$ e\n```\n\n*Not executed here:* why.\n\n```console\n$ f\n```\n"
        "## C\n\n```console\n$ g\n```\n"
    )
    found = list(blocks(page))
    assert [block.mark for block in found] == ["Executed by", "Executed by", "Not executed here", "Executed by"]
    assert [block.named for block in found] == [(".ci/run",), (".ci/run",), (), (".ci/run",)]
    assert [(command.typed, command.shown) for command in found[0].commands] == [("a\nb", ("c …",)), ("d", ())]


def test_a_line_that_was_not_printed_or_not_in_this_order_is_found() -> None:
    printed = "tenant-a   version 1  Stable\nother\ntenant-b   version 1  Stable\n"
    assert found_in_order(("tenant-a … Stable", "tenant-b version 1"), printed) is None
    assert found_in_order(("tenant-b …", "tenant-a …"), printed) == "tenant-a …"
    assert found_in_order(("tenant-a … Paused",), printed) == "tenant-a … Paused"


def test_addresses_elsewhere_are_whole_and_encrypted() -> None:
    for page in PAGES:
        for address in re.findall(r"\]\((\w+:[^)]*)\)", page.read_text()):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+(/[\w./%#?=&~+-]*)?", address), f"{page.name}: {address}"
