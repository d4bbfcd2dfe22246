"""Every alert is silent until its edge, fires from there on, alone, and resolves."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
import yaml
from lives import LIVES
from promtool import Life, replay

from monitoring.config import load
from monitoring.generate import ROOT

CONFIG = load()
RULES = ROOT / "monitoring/generated/rules.yaml"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="NOT RUN: the alerts' tests, for `promtool` is not on PATH"
)

# Of what is always there: without them, their absence would fire.
PRESENT = {f'up{{job="{job}",instance="{job}:1"}}': "1x1500" for job in ("gateway", "release")}


def with_platform(life: Life) -> dict[str, str]:
    said = [name for name in life.series if name.startswith("up{")]
    return {**{n: v for n, v in PRESENT.items() if not any(n.split(",")[0] in each for each in said)}, **life.series}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What promtool says of each life: all of them in one run, for it takes a second to get going."""
    folder = tmp_path_factory.mktemp("lives")
    files = [folder / f"{number}.yaml" for number in range(len(LIVES))]
    for file, life in zip(files, LIVES, strict=True):
        told = replace(life, series=with_platform(life))
        file.write_text(yaml.safe_dump(replay(str(RULES), told, CONFIG.alerts[life.alert].severity)))
    done = subprocess.run(
        ["promtool", "test", "rules", *map(str, files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return re.split(r"^ +(?=SUCCESS|FAILED)", done.stdout, flags=re.MULTILINE)[1:]


@needs_promtool
@pytest.mark.parametrize(
    ("number", "life"), list(enumerate(LIVES)), ids=[f"{life.alert}: {life.story}" for life in LIVES]
)
def test_an_alert_is_silent_before_its_edge_then_fires_alone_and_resolves(
    number: int, life: Life, said: list[str]
) -> None:
    assert len(said) == len(LIVES)
    assert said[number].startswith("SUCCESS"), said[number]


def test_no_alert_is_without_such_a_test() -> None:
    assert {life.alert for life in LIVES} == set(CONFIG.alerts)
