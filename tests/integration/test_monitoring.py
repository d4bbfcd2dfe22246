"""Prometheus and Alertmanager beside the stack: what the rules ask for is there, and a real alert reaches a webhook."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator

import httpx
import psutil
import pytest
from conftest import Stack, eventually
from faults import Tenant
from monitored import VARIABLES, Monitored, monitored, needs_prometheus
from scrapes import elsewhere
from used import grouped, selectors

from monitoring.config import load
from monitoring.dashboards import Board, boards
from monitoring.generate import ROOT
from monitoring.rules import rules

pytestmark = [pytest.mark.timeout(400), needs_prometheus]

# What the scrape adds to every series.
TARGET = {"job", "instance"}


@pytest.fixture(scope="module")
def watched(released: Stack) -> Iterator[Monitored]:
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.3):
            released.ask("tenant-a")

    caller = threading.Thread(target=ask)
    with monitored(released) as found:
        caller.start()
        # As many as a predictor wants to see before it speaks of drift.
        for _ in range(6):
            Tenant(released, "tenant-a", lambda _: None).ask(["a great film"] * 100)
        try:
            eventually(lambda: found.query("inference_requests_total"), 20)
            yield found
        finally:
            over.set()
            caller.join()


def labels_of(watched: Monitored) -> dict[str, set[str]]:
    """Every metric that was scraped or recorded, with its labels."""
    answer = httpx.get(
        f"{watched.prometheus}/api/v1/series", params={"match[]": '{__name__=~".+"}'}, timeout=30, trust_env=False
    )
    found: dict[str, set[str]] = {}
    for series in answer.json()["data"]:
        found.setdefault(series.pop("__name__"), set()).update(series)
    return found


def test_every_metric_and_label_that_a_rule_asks_for_is_in_a_real_scrape(watched: Monitored) -> None:
    recorded = [each for group in rules(load(30))["groups"] for each in group["rules"]]
    eventually(lambda: watched.query("tenant:inference_requests:rate10s"), 30)
    known = {**elsewhere(), **labels_of(watched)}
    # What nothing has happened for yet has no series, and is a rule of this same file.
    for each in recorded:
        if "record" in each:
            known.setdefault(each["record"], {"tenant"})
    faults = []
    for each in recorded:
        asked = list(selectors(each["expr"]))
        assert asked, each
        for metric, matched in asked:
            if missing := matched - known.get(metric, set()) - TARGET:
                faults.append(f"{metric} has no label {missing}: {each}")
            if metric not in known:
                faults.append(f"nobody exports {metric}: {each}")
        reach = set().union(*(known.get(metric, set()) for metric, _ in asked)) | TARGET
        if missing := grouped(each["expr"]) - reach:
            faults.append(f"no metric there has {missing}: {each}")
    assert not faults, "\n".join(faults)


def test_that_check_finds_a_misspelt_metric_and_a_label_that_is_not_there(watched: Monitored) -> None:
    asked = dict(selectors('sum by (tenant) (rate(inference_request_total{kode="5"}[5m])) > 0.5'))
    assert asked == {"inference_request_total": {"kode"}}
    known = labels_of(watched)
    assert "inference_request_total" not in known
    assert "kode" not in known["inference_requests_total"]


def test_the_names_that_dashboards_of_plain_fastapi_services_ask_for_are_recorded(watched: Monitored) -> None:
    for name in ("fastapi_requests_total", "fastapi_request_duration_seconds_bucket"):
        eventually(lambda n=name: watched.query(f'{n}{{tenant="tenant-a"}}'), 20)


@pytest.mark.slow
def test_a_real_alert_reaches_the_webhook_and_says_when_it_is_over(watched: Monitored) -> None:
    name = next(each for each in watched.stack.predictors() if each.startswith("predictor-tenant-b"))
    predictor = psutil.Process(watched.stack.pid(name))
    predictor.suspend()
    try:
        eventually(lambda: ("tenant-b", "PredictorNotReady") in watched.fired(), 60)
    finally:
        predictor.resume()
    call = next(each for each in watched.calls if each.about == ("tenant-b", "PredictorNotReady"))
    assert call.annotations["summary"] == "A predictor of tenant-b is not ready"
    assert call.annotations["runbook_url"].endswith("PredictorNotReady.md")
    eventually(lambda: any(each.about == call.about and each.status == "resolved" for each in watched.calls), 60)
    assert ("tenant-a", "PredictorNotReady") not in watched.fired()


def test_without_the_programs_a_sentence_says_what_to_install(watched: Monitored) -> None:
    up = watched.stack.run("monitoring", "up", PATH="/nowhere")
    assert (up.returncode, "apt-get install" in up.stderr, "Traceback" in up.stderr) == (1, True, False), up.stderr


@pytest.mark.parametrize("board", boards(load(30)), ids=lambda board: board.uid)
def test_every_query_of_a_dashboard_returns_data(watched: Monitored, board: Board) -> None:
    for panel in board.panels:
        for query in panel.queries:
            ask = query.of(VARIABLES)
            eventually(lambda ask=ask: watched.query(ask), 20)


def test_every_query_of_the_runbooks_is_one_that_prometheus_takes(watched: Monitored) -> None:
    queries = list(commands("promql"))
    assert len(queries) > 20
    for query in queries:
        watched.query(query)


@pytest.mark.slow
def test_every_command_of_the_runbooks_runs_on_a_laptop(watched: Monitored) -> None:
    found = sorted(set(commands("sh laptop")))
    assert len(found) > 8
    stack = watched.stack
    for command in found:
        script = f'. "{stack.home}/env"; {command}'
        done = subprocess.run(
            ["/bin/sh", "-c", script], env=stack.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        # `release diff` says by its exit code whether there is a difference.
        assert done.returncode == 0 or command.endswith("diff"), f"{command}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, command


def commands(kind: str) -> Iterator[str]:
    for page in sorted((ROOT / "monitoring/runbooks").glob("*.md")):
        for block in re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield from block.splitlines()
