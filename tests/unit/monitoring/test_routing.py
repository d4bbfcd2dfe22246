"""Alertmanager's own word on who hears of what."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from monitoring.config import load
from monitoring.routing import alertmanager
from monitoring.text import to_yaml

pytestmark = pytest.mark.skipif(
    shutil.which("amtool") is None, reason="NOT RUN: Alertmanager's routes, for `amtool` is not on PATH"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "alertmanager.yaml"
    made.write_text(to_yaml(alertmanager(load(), ["tenant-a", "tenant-b"], tmp_path)))
    return made


def amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


def test_amtool_takes_the_configuration(file: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(file))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"severity": "page", "tenant": "tenant-a"}, "tenant-a,pages"),
        ({"severity": "ticket", "tenant": "tenant-b"}, "tenant-b,tickets"),
        ({"severity": "page", "tenant": "platform"}, "platform,pages"),
        # A tenant that was made since: nobody of its own yet, but somebody hears.
        ({"severity": "ticket", "tenant": "tenant-c"}, "tickets"),
        ({"alertname": "SomebodyElses"}, "tickets"),
    ],
)
def test_an_alert_reaches_its_tenant_and_who_is_paged_or_gets_the_ticket(
    file: Path, labels: dict[str, str], receivers: str
) -> None:
    words = [f"{name}={value}" for name, value in labels.items()]
    assert amtool("config", "routes", "test", f"--config.file={file}", *words) == receivers


def test_no_secret_stands_in_the_configuration_and_a_missing_one_leaves_its_receiver_deaf(tmp_path: Path) -> None:
    text = to_yaml(alertmanager(load(), ["tenant-a"], Path("/secrets"), have=["tenant-a"]))
    assert text.count("/secrets/tenant-a") == 1
    assert "pagerduty" not in text
    made = tmp_path / "alertmanager.yaml"
    made.write_text(text)
    amtool("check-config", str(made))
