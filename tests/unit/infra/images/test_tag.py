"""Which tag may become a release."""

from __future__ import annotations

import pytest

from infra.images.errors import ImageError
from infra.images.tag import main, notes

CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.0 - 2030-01-01\n\n### Added\n- this\n\n## 1.1.0\n\n- before\n"
)


def test_a_release_says_what_the_changelog_says_of_it() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n- this\n"
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "- before\n"


@pytest.mark.parametrize(
    ("tag", "version", "says"),
    [
        ("v1.2.1", "1.2.0", "is not v1.2.0, the version in artifact/version.py"),
        ("1.2.0", "1.2.0", "is not v1.2.0"),
        ("v1.3.0", "1.3.0", "no section `## 1.3.0`"),
        ("v1.2", "1.2", "no section `## 1.2`"),
    ],
)
def test_a_tag_that_code_or_changelog_does_not_know_is_none(tag: str, version: str, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        notes(tag, version, CHANGELOG)


def test_the_command_wants_one_tag_and_names_the_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["v999.0.0"]) == 1
    assert "v999.0.0" in capsys.readouterr().err
