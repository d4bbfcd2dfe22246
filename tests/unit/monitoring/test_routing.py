"""Alertmanager's own word on who hears of what."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitoring.config import load
from monitoring.routing import PAGES, alertmanager, with_token
from monitoring.text import to_yaml

pytestmark = pytest.mark.skipif(
    shutil.which("amtool") is None, reason="NOT RUN: Alertmanager's routes, for `amtool` is not on PATH"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "alertmanager.yaml"
    config = load()
    routing = alertmanager(config, ["tenant-a", "tenant-b"], with_token(config, tmp_path), tmp_path / PAGES)
    made.write_text(to_yaml(routing))
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


def test_no_secret_stands_in_the_configuration_only_the_files_that_hold_them(file: Path) -> None:
    receivers = yaml.safe_load(file.read_text())["receivers"]
    keys = [each["routing_key_file"] for found in receivers for each in found.get("pagerduty_configs", ())]
    hooks = [each for found in receivers for each in found.get("webhook_configs", ())]
    tokens = [each["http_config"]["authorization"]["credentials_file"] for each in hooks]
    names = ["tickets", "tenant-a", "tenant-b", "platform"]
    assert [*keys, *tokens] == [str(file.parent / name) for name in (PAGES, *names)]


def test_a_receiver_that_nobody_set_up_hears_nothing(tmp_path: Path) -> None:
    made = tmp_path / "alertmanager.yaml"
    made.write_text(to_yaml(alertmanager(load(), ["tenant-a"], lambda _: None, None)))
    amtool("check-config", str(made))
    assert all(set(found) == {"name"} for found in yaml.safe_load(made.read_text())["receivers"])
