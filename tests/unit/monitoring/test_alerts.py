"""Every alert is silent until its edge, fires from there on, alone, and resolves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

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


@needs_promtool
@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.alert}: {life.story}")
def test_an_alert_is_silent_before_its_edge_then_fires_alone_and_resolves(life: Life, tmp_path: Path) -> None:
    told = Life(**{**vars(life), "series": with_platform(life)})
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(replay(str(RULES), told, CONFIG.alerts[life.alert].severity)))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_is_without_such_a_test() -> None:
    assert {life.alert for life in LIVES} == set(CONFIG.alerts)
