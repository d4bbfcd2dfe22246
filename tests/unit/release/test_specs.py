from __future__ import annotations

import re
from pathlib import Path

import pytest

from release.platforms.local.specs import generate, parse, read
from release.store import StoreError

TENANT = "{model: sentiment, route: {hostnames: [%s.localhost]}, strategy: {blueGreen: {}}}"


def test_the_file_that_ships_is_right_and_what_a_person_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "releases.yaml"
    generate(path)
    assert list(read(path)) == ["tenant-a", "tenant-b"]
    path.write_text(f"tenant-c: {TENANT % 'c'}")
    generate(path)
    assert list(read(path)) == ["tenant-c"]


def test_the_canary_in_its_comment_is_right_too(tmp_path: Path) -> None:
    path = tmp_path / "releases.yaml"
    generate(path)
    block = re.search(r"(?:#   .*\n)+", path.read_text())
    assert block is not None
    shown = "\n".join(line.removeprefix("#   ") for line in block[0].splitlines())
    indented = "\n".join("  " + line for line in shown.splitlines())
    specs = parse(f"tenant-a:\n  model: sentiment\n  route: {{hostnames: [a.localhost]}}\n{indented}\n")
    assert [step.weight for step in specs["tenant-a"].strategy.steps] == [5, 25, 50]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no tenants"),
        ("a: [", "is not YAML"),
        ("Tenant A: {}", "is not a tenant's name"),
        ("tenant-a: {model: sentiment}", "tenant-a.route"),
        (f"tenant-a: {TENANT % 'a'}".replace("{blueGreen: {}}", "{}"), "exactly one of canary and blueGreen"),
        (f"tenant-a: {TENANT % 'a'}".replace("{}", "{keepPrevious: ten}"), "keepPrevious: is not a duration"),
        (
            f"tenant-a: {TENANT % 'a'}".replace("blueGreen: {}", "canary: {steps: [{weight: 500, pause: 5s}]}"),
            "tenant-a.strategy.canary.steps[0].weight",
        ),
        (f"tenant-a: {TENANT % 'x'}\ntenant-b: {TENANT % 'x'}", "x.localhost is named twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(text)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        read(tmp_path / "releases.yaml")
