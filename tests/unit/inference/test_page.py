"""The page about the predictor says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from conftest import Predictor

from inference.limits import BODY_BYTES, TEXT_CHARACTERS, TEXTS
from inference.routes import find
from inference.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "predictor.md").read_text()


def test_the_limits_are_the_codes() -> None:
    stated = re.search(r"(\d+) bytes a request, (\d+) texts, (\d+) characters a text", PAGE)
    assert stated is not None
    assert tuple(map(int, stated.groups())) == (BODY_BYTES, TEXTS, TEXT_CHARACTERS)


def test_every_flag_and_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Settings.parse(["--help"], {})
    named = set(re.findall(r"--[a-z]+-?[a-z]+|FERRYMAN_[A-Z_]+|STORAGE_URI", capsys.readouterr().out)) - {"--help"}
    assert len(named) == 16
    assert not {name for name in named if f"`{name}`" not in PAGE}


def test_every_metric_on_the_page_is_exposed(predictor: Predictor) -> None:
    exposed = httpx.get(f"{predictor.http}/metrics", trust_env=False).text
    named = re.findall(r"^\| `([a-z_]+)` \| `model`", PAGE, re.MULTILINE)
    assert len(named) == 4
    assert not [name for name in named if f"# TYPE {name} " not in exposed]


@pytest.mark.parametrize(
    ("method", "path"), re.findall(r"\| `(POST|GET) (/[^`]*)`", PAGE), ids=lambda value: str(value).replace("/", ".")
)
def test_every_route_that_opens_a_line_is_answered(method: str, path: str) -> None:
    assert find(method, path).name not in ("unknown", "other-method")
