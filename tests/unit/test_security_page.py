"""The threat model is what the tests show, and no more."""

from __future__ import annotations

import re
from pathlib import Path

from artifact import Reason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def test_every_threat_names_a_test_that_exists() -> None:
    threats = rows("Threats")
    assert len(threats) > 20
    for threat, _, shown in threats:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
        assert named, threat
        for file, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_every_word_of_a_refusal_is_explained() -> None:
    explained = re.findall(r"`(\w+)`", " ".join(row[0] for row in rows("What is refused")))
    assert sorted(explained) == sorted(Reason)
