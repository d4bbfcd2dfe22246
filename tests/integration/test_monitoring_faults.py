"""Every fault that can be caused on a laptop, for real: just the expected alerts reach the webhook, and then end."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TENANTS, Stack, eventually, s3, suspended
from faults import AT_TENANTS, LATER, Fault, Tenant, starting_quickly
from mlflow import MlflowClient
from monitored import DIVISOR, VARIABLES, Monitored, monitored, needs_prometheus
from moving import Releases, on

from infra.local.secret import load_or_generate
from infra.local.settings import Settings
from monitoring.config import load
from monitoring.dashboards import boards
from monitoring.dashboards.picture import draw
from monitoring.duration import prometheus
from registry.client import Registry
from release.demo import models

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow, needs_prometheus]

PAGE = Path(__file__).parents[2] / "docs/monitoring.md"
FAULTS = (*AT_TENANTS, LATER)
# What follows, in turn: which server stands still, and what is said about the platform.
AT_PLATFORM = (
    ("MLflow stands still", "mlflow", "RegistryUnreachable"),
    ("the release controller stands still", "release", "ControllerDown"),
    ("the object store stands still", "s3", "TargetDown"),
)
ARRIVE_SECONDS = 120
CALM_SECONDS = 10


@pytest.fixture
def releases(released: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    yield from on(released, monkeypatch)


@pytest.fixture
def versions(releases: Releases) -> dict[str, int]:
    """Registered versions, by what is wrong with them."""
    made = {"good": releases.copy(), "altered": releases.copy(), "broken": releases.copy(calls_everything_positive)}
    made["ungated"] = models.copy(Registry(), releases.champion)
    uri = MlflowClient(releases.stack.mlflow).get_model_version_download_uri("sentiment", str(made["altered"]))
    key = f"{uri.removeprefix('mlflow-artifacts:/')}/requirements.txt"
    store = s3(Settings().s3_url, load_or_generate(releases.stack.home).publisher)
    store.put_object(Bucket="mlflow", Key=key, Body=b"altered")
    return made


def calls_everything_positive(pipeline: Any) -> None:
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + 100


@pytest.fixture
def tenants(releases: Releases, versions: dict[str, int]) -> Iterator[dict[str, Tenant]]:
    """A tenant for each fault, beside the two that nothing happens to; all of them serve the champion."""
    stack, registry = releases.stack, Registry()

    def mover(alias: str) -> Callable[[int], None]:
        return lambda version: registry.set_alias("sentiment", alias, version)

    made = {each.name: Tenant(stack, each.tenant, mover(each.alias), versions) for each in FAULTS}
    specs = Settings().release_specs
    before = specs.read_text()
    for fault in FAULTS:
        made[fault.name].move(releases.champion)
    specs.write_text(before + "".join(map(_spec, FAULTS)))
    try:
        with starting_quickly(stack):
            eventually(lambda: all(stack.served(each.tenant) for each in FAULTS), 90)
            eventually(lambda: all(stack.status(each.tenant)["phase"] == "Stable" for each in FAULTS), 30)
            yield made
    finally:
        specs.write_text(before)
        eventually(lambda: not any("with-" in name for name in stack.predictors()), 60)


def _spec(fault: Fault) -> str:
    return "\n" + yaml.safe_dump(
        {
            fault.tenant: {
                "model": "sentiment",
                "alias": fault.alias,
                "route": {"hostnames": [f"{fault.tenant}.localhost"]},
                "strategy": yaml.safe_load(fault.strategy),
                "analysis": yaml.safe_load(fault.analysis),
            }
        }
    )


def cause(watched: Monitored, fault: Fault, tenant: Tenant, found: dict[str, float]) -> None:
    """Cause a fault until its alerts have arrived; keep the seconds."""
    begun = time.monotonic()
    expected = {(fault.tenant, name) for name in fault.alerts}

    def holds() -> bool:
        return not expected <= watched.fired() and time.monotonic() - begun < ARRIVE_SECONDS

    fault.cause(tenant, holds)
    found[fault.name] = time.monotonic() - begun


def all_at_once(watched: Monitored, tenants: dict[str, Tenant], found: dict[str, float]) -> None:
    faults = [threading.Thread(target=cause, args=(watched, each, tenants[each.name], found)) for each in AT_TENANTS]
    for fault in faults:
        fault.start()
    for fault in faults:
        fault.join()


def test_each_fault_raises_just_its_alerts_and_they_end_with_it(
    tenants: dict[str, Tenant], releases: Releases, tmp_path: Path
) -> None:
    stack = releases.stack
    full = shutil.disk_usage(stack.home)
    lasting = {("platform", "ObjectStoreNearlyFull")} if full.free / full.total < 0.12 else set()
    seconds: dict[str, float] = {}
    with monitored(stack, tenants=[*TENANTS, *(each.tenant for each in FAULTS)]) as watched:
        begun = time.time()
        time.sleep(CALM_SECONDS)
        assert watched.fired() <= lasting, "something fired before anything was wrong"
        all_at_once(watched, tenants, seconds)
        for _, server, alert in AT_PLATFORM:
            with suspended(stack, server):
                if server == "mlflow":
                    cause(watched, LATER, tenants[LATER.name], seconds)
                eventually(lambda name=alert: ("platform", name) in watched.fired(), 60)
            eventually(lambda name=alert: ("platform", name) not in watched.firing(), 60)
        print({name: round(each, 1) for name, each in seconds.items()})
        eventually(lambda: watched.firing() <= lasting, 120, lambda: str(watched.firing() - lasting))
        arrived = watched.fired() - lasting
        folder = PAGE.parent / "monitoring" if os.environ.get("UPDATE_DOCS") else tmp_path
        folder.mkdir(exist_ok=True)
        for board in boards(load(DIVISOR)):
            span = (begun, time.time())
            draw(board, watched.prometheus, VARIABLES, span, folder / f"{board.uid}.png")
        summaries = {call.about: call.annotations["summary"] for call in watched.calls}
    expected = {(each.tenant, name) for each in FAULTS for name in each.alerts}
    expected |= {("platform", name) for _, _, name in AT_PLATFORM}
    assert arrived == expected, f"missing: {expected - arrived}, unexpected: {arrived - expected}"
    assert all(tenant in text for (tenant, _), text in summaries.items() if tenant != "platform"), summaries
    _compare_with_the_page(arrived)


def _compare_with_the_page(arrived: set[tuple[str, str]]) -> None:
    """The table in docs is what was seen; `UPDATE_DOCS=1` writes it."""
    at_tenants = [(each.story, {name for who, name in arrived if who == each.tenant}) for each in FAULTS]
    at_platform = [(story, {name for _, name in arrived} & {alert}) for story, _, alert in AT_PLATFORM]
    lines = ["| fault | alerts that arrived |", "| --- | --- |"]
    lines += [f"| {story} | {', '.join(sorted(names))} |" for story, names in (*at_tenants, *at_platform)]
    page = PAGE.read_text()
    table = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- /faults -->)", re.DOTALL)
    made = table.sub("\n".join(lines).replace("\\", r"\\") + "\n", page)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made)
    assert page == made or os.environ.get("UPDATE_DOCS"), "UPDATE_DOCS=1 writes the table of docs/monitoring.md anew"


def test_the_durations_of_this_test_are_the_configured_ones_divided() -> None:
    alert = "PredictorNotReady"
    assert prometheus(load(DIVISOR).alerts[alert].hold) == prometheus(load().alerts[alert].hold / DIVISOR)
