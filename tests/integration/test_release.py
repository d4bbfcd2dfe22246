"""The release controller on the real stack: a canary promotes or leaves by itself, whatever happens meanwhile."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest
import yaml
from conftest import TENANTS, Stack, eventually, suspended
from mlflow import MlflowClient
from moving import REVIEWS, Releases, canaries, on

from infra.local.files import write_private
from infra.local.secret import webhook_keys
from infra.local.settings import Settings
from release.demo import models
from release.demo.strategy import by_canary

pytestmark = pytest.mark.timeout(500)


@pytest.fixture
def releases(released: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    yield from on(released, monkeypatch)


def test_a_canary_rises_step_by_step_and_is_promoted_without_a_failed_request(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack) as answered:
        releases.move(version)
        eventually(lambda: releases.stable(version), 150)
        assert answered.requests[str(version)] > 0
    for tenant in TENANTS:
        assert releases.phases(tenant, version) == ["Verifying", *["Canary"] * 4, "Promoting", "Stable"]
    tags = MlflowClient(releases.stack.mlflow).get_model_version
    eventually(lambda: "stable since" in tags("sentiment", str(version)).tags["ferryman.tenant-a"])


@pytest.mark.slow
def test_a_model_that_favours_one_label_is_rolled_back_by_itself_and_stays_away(releases: Releases) -> None:
    good = releases.champion
    broken = releases.copy(models.favouring_positive([text for text, _ in REVIEWS]))
    with canaries(releases.stack):
        releases.move(broken)
        eventually(lambda: releases.rejected(broken), 120)
        time.sleep(3)
        assert releases.rejected(broken)
    for tenant in TENANTS:
        assert releases.stack.status(tenant)["rejected"]["reason"] in ("PredictionsShifted", "SmokeFailed")
        assert releases.stack.served(tenant) == str(good)
    assert not [name for name in releases.stack.predictors() if name.endswith(f"-v{broken}")]


def processes(stack: Stack, *words: str) -> list[psutil.Process]:
    """The stack's processes with all of these words in their command lines."""
    found = []
    for process in psutil.process_iter():
        try:
            of_stack = process.environ().get("FERRYMAN_SUPERVISED") == str(stack.home)
            if of_stack and all(word in " ".join(process.cmdline()) for word in words):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _state(stack: Stack, tenant: str) -> str:
    held = stack.status(tenant)
    return f"{held['phase']} {(held['canary'] or {}).get('step', '')}"


def kill_at_every_state(stack: Stack, tenant: str, arrived: Callable[[], bool], seconds: float) -> list[str]:
    """Kill the controller whenever it has just kept a new state of this tenant; return the states."""
    states = [_state(stack, tenant)]
    deadline = time.monotonic() + seconds
    while not arrived() and time.monotonic() < deadline:
        state = _state(stack, tenant)
        if states[-1] != state:
            states.append(state)
            for process in processes(stack, "-m release run"):
                process.kill()
        time.sleep(0.02)
    return states


@pytest.mark.slow
def test_a_controller_killed_at_every_state_goes_on_and_does_nothing_twice(releases: Releases) -> None:
    stack, version = releases.stack, releases.copy()
    with canaries(stack):
        releases.move(version)
        states = kill_at_every_state(stack, "tenant-a", lambda: releases.stable(version), 300)
        assert releases.stable(version)
    assert [state.split()[0] for state in states[1:]].count("Canary") == 4, states
    running = [name for name in stack.predictors() if name.endswith(f"-v{version}")]
    assert sorted(running) == [f"predictor-{tenant}-v{version}" for tenant in TENANTS]
    for tenant in TENANTS:
        assert releases.phases(tenant, version) == ["Verifying", *["Canary"] * 4, "Promoting", "Stable"]
    # Reports were cut off, too: each line is there, and once.
    for tenant in TENANTS:
        kept = [each["number"] for each in stack.status(tenant)["history"]]
        eventually(lambda t=tenant, k=kept: set(k) <= {line["number"] for line in releases.history(t)})
        numbers = [line["number"] for line in releases.history(tenant)]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.slow
def test_what_the_registry_lost_of_a_history_is_there_again_once_a_controller_starts(releases: Releases) -> None:
    numbers = [line["number"] for line in releases.stack.status("tenant-a")["history"]]
    eventually(lambda: {line["number"] for line in releases.history("tenant-a")} >= set(numbers))
    before = releases.history("tenant-a")
    releases.forget_last_line("tenant-a")
    assert releases.history("tenant-a") == before[:-1]
    for process in processes(releases.stack, "-m release run"):
        process.kill()
    eventually(lambda: releases.history("tenant-a") == before, 60)


@pytest.mark.slow
def test_a_canary_goes_on_while_the_registry_is_down(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack):
        releases.move(version)
        eventually(lambda: releases.on_trial(version), 90)
        with suspended(releases.stack, "mlflow"):
            eventually(lambda: releases.stable(version), 120)
    # What could not be written back meanwhile arrives when the registry is back.
    tags = MlflowClient(releases.stack.mlflow).get_model_version
    eventually(lambda: "stable since" in tags("sentiment", str(version)).tags["ferryman.tenant-b"], 90)


@pytest.mark.slow
def test_nothing_new_starts_while_the_object_store_is_down_and_it_goes_on_by_itself(releases: Releases) -> None:
    before, version = releases.champion, releases.copy()
    with canaries(releases.stack) as answered:
        with suspended(releases.stack, "s3"):
            releases.move(version)
            eventually(lambda: releases.stack.status("tenant-a")["phase"] == "Verifying")
            time.sleep(5)
            assert releases.phases("tenant-a", version) == ["Verifying"]
            assert set(answered.requests) == {str(before)}
        eventually(lambda: releases.stable(version), 200)


@pytest.mark.slow
def test_a_canary_that_fails_every_request_gets_none_ten_seconds_after_the_first(releases: Releases) -> None:
    stack, version = releases.stack, releases.copy()
    failed: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.02):
            if stack.ask("tenant-a").status_code != 200:
                failed.append(time.monotonic())

    callers = [threading.Thread(target=ask) for _ in range(2)]
    with by_canary(Settings().release_specs):
        for caller in callers:
            caller.start()
        try:
            releases.move(version)
            eventually(lambda: releases.on_trial(version), 90)
            assert not failed
            deadline = time.monotonic() + 60
            while stack.status("tenant-a")["phase"] != "Rejected" and time.monotonic() < deadline:
                # As often as the supervisor starts it: it never answers again.
                for process in processes(stack, "inference", "tenant-a", f"/{version}-"):
                    process.kill()
                time.sleep(0.2)
            time.sleep(3)
        finally:
            over.set()
            for caller in callers:
                caller.join()
        assert stack.status("tenant-a")["rejected"]["reason"] == "GatewayErrors"
    assert failed[-1] - failed[0] < 10


@pytest.mark.slow
def test_the_version_before_comes_back_at_once_and_a_deleted_alias_moves_nothing(releases: Releases) -> None:
    before = releases.champion
    version = releases.copy()
    releases.move(version)
    eventually(lambda: releases.stable(version), 90)
    releases.delete_alias()
    eventually(lambda: "AliasDeleted" in str(releases.stack.status("tenant-a")["conditions"]))
    assert releases.stable(version)
    begun = {name: releases.stack.pid(name) for name in releases.stack.predictors() if name.endswith(f"-v{before}")}
    assert len(begun) == len(TENANTS)
    releases.move(before)
    eventually(lambda: releases.stable(before))
    # The processes that were kept: nothing had to start.
    assert {name: releases.stack.pid(name) for name in begun} == begun


@pytest.mark.slow
def test_a_person_stops_a_canary_and_tries_it_again(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack):
        releases.move(version)
        eventually(lambda: releases.on_trial(version), 90)
        aborted = releases.stack.run("release", "abort", *TENANTS)
        assert aborted.returncode == 0, aborted.stderr
        eventually(lambda: releases.rejected(version))
        assert releases.stack.status("tenant-a")["rejected"]["reason"] == "Aborted"
        retried = releases.stack.run("release", "retry", *TENANTS)
        assert retried.returncode == 0, retried.stderr
        eventually(lambda: releases.stable(version), 150)


@pytest.mark.slow
def test_an_ab_test_is_reported_beside_the_history_and_ends_as_a_person_decides(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack, [{"weight": 50, "pause": "indefinite"}]):
        releases.move(version)
        eventually(lambda: releases.on_trial(version), 90)
        eventually(lambda: releases.stack.status("tenant-a")["reason"] == "AwaitingDecision")
        eventually(lambda: releases.ab_test("tenant-a", version)["samples"]["canary"] > 0, 150)
        decided = releases.stack.run("release", "resume", *TENANTS)
        assert decided.returncode == 0, decided.stderr
        eventually(lambda: releases.stable(version), 150)
    assert {each["name"] for each in releases.ab_test("tenant-a", version)["measures"]} >= {"errors", "predictions"}


@pytest.mark.slow
def test_entries_that_go_one_after_the_other_leave_no_predictor_and_one_that_comes_back_is_reported_anew(
    releases: Releases,
) -> None:
    stack, specs = releases.stack, Settings().release_specs
    before, kept = stack.predictors(), specs.read_text()
    entries = yaml.safe_load(kept)
    passing = [f"passing-{number}" for number in (1, 2, 3)]

    def entry(name: str) -> dict[str, object]:
        return dict(entries["tenant-a"] | {"route": {"hostnames": [f"{name}.localhost"]}})

    try:
        for count in (3, 2, 1, 0):
            added = {name: entry(name) for name in passing[:count]}
            write_private(specs, yaml.safe_dump(entries | added))
            eventually(lambda added=added: all(stack.served(name) for name in added), 90)
            # The next one goes while the last one's predictor is still on its way out.
            time.sleep(1.2)
        eventually(lambda: not list((stack.home / "releases").glob("passing-*")), 60)
        write_private(specs, yaml.safe_dump(entries | {"passing-1": entry("passing-1")}))
        eventually(lambda: [line["number"] for line in releases.history("passing-1")].count(1) == 2, 90)
    finally:
        write_private(specs, kept)
    # Its predictor may not be there yet: the status goes, too, when the controller looks next.
    eventually(lambda: stack.predictors() == before and not list((stack.home / "releases").glob("passing-*")), 60)


def test_the_webhook_takes_a_call_of_the_registry_once_and_no_other(released: Stack) -> None:
    body, now = b"{}", str(int(time.time()))

    def call(secret: str) -> int:
        signature = hmac.new(secret.encode(), f"1.{now}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "x-mlflow-delivery-id": "1",
            "x-mlflow-timestamp": now,
            "x-mlflow-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        url = f"{released.controller}/webhooks/mlflow"
        return httpx.post(url, content=body, headers=headers, timeout=10, trust_env=False).status_code

    secret = webhook_keys(released.home).secret
    assert [call("guessed"), call(secret), call(secret)] == [401, 204, 401]


def test_a_second_controller_ends_with_a_sentence(released: Stack) -> None:
    second = released.run("release", "run")
    assert (second.returncode, "another controller" in second.stderr) == (1, True)
    assert "Traceback" not in second.stderr
