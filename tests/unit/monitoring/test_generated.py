"""What is generated is what is committed, and no number stands anywhere else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from monitoring.alerts import by_group
from monitoring.config import Config, load
from monitoring.duration import prometheus
from monitoring.generate import ROOT, generated
from monitoring.rules import rules
from monitoring.text import to_yaml

CONFIG = load()
ALERTS = [alert for alerts in by_group(CONFIG).values() for alert in alerts]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="NOT RUN: promtool's check of the rules, for it is not on PATH"
)


@pytest.mark.parametrize("path", generated())
def test_a_generated_file_is_what_make_generate_writes(path: str) -> None:
    assert (ROOT / path).read_text() == generated()[path], "run `make generate`"


@needs_promtool
@pytest.mark.parametrize("divisor", [1, 30])
def test_promtool_takes_the_rules(divisor: int, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(to_yaml(rules(load(divisor))))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_alert_says_how_bad_it_is_for_whom_what_is_broken_and_where_to_look() -> None:
    found = [each for group in rules(CONFIG)["groups"] for each in group["rules"] if "alert" in each]
    assert {each["alert"] for each in found} == set(CONFIG.alerts) == {alert.name for alert in ALERTS}
    for each in found:
        assert each["labels"]["severity"] in ("page", "ticket")
        assert "tenant" in each["labels"] or "tenant" in each["expr"], each["alert"]
        assert each["annotations"]["runbook_url"].endswith(f"/{each['alert']}.md")
        assert each["annotations"]["dashboard_url"].startswith(CONFIG.links.dashboards)
        assert len(each["annotations"]["summary"]) > 20


def test_no_tenant_is_named_in_a_rule() -> None:
    text = to_yaml(rules(CONFIG))
    assert "tenant-a" not in text
    assert "tenant-b" not in text


def test_the_autoscalers_maximum_is_the_one_in_its_manifest() -> None:
    release = yaml.safe_load((ROOT / "kserve/base/modelrelease.yaml").read_text())
    maximum = release["spec"]["template"]["spec"]["predictor"]["maxReplicas"]
    assert CONFIG.alerts["PredictorsAtMaximum"].above == maximum - 1


def test_the_operators_prometheus_scrapes_and_judges_as_often_as_the_laptops() -> None:
    objects = yaml.safe_load_all((ROOT / "infra/platform/monitoring/prometheus.yaml").read_text())
    spec = next(each["spec"] for each in objects if each["kind"] == "Prometheus")
    interval = prometheus(CONFIG.scrape.interval)
    assert (spec["scrapeInterval"], spec["evaluationInterval"]) == (interval, interval)


@pytest.mark.parametrize("place", ["infra/local/gateway.py", "infra/platform/gateway/traefik.yaml"])
def test_latency_is_judged_at_bounds_of_the_gateways_histogram(place: str) -> None:
    found = re.search(r"--metrics\.prometheus\.buckets=([\d.,]+)", (ROOT / place).read_text())
    assert found
    bounds = set(map(float, found[1].split(",")))
    assert {CONFIG.slo.latency_seconds, CONFIG.alerts["PredictorLatencyHigh"].above} <= bounds


def test_a_misspelt_or_wrong_number_is_named() -> None:
    fields = CONFIG.model_dump(by_alias=True)
    for wrong in ({"slo": {**fields["slo"], "availabilty": 1}}, {"slo": {**fields["slo"], "availability": 1.5}}):
        with pytest.raises(ValidationError, match="availab"):
            Config.model_validate({**fields, **wrong})
