"""The release controller on the real stack: a canary promotes or leaves by itself, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from conftest import TENANTS, Stack, eventually
from mlflow import MlflowClient
from sklearn.pipeline import Pipeline

from infra.local.secret import signing_key, trusted_keys
from infra.local.settings import Settings
from registry.client import Registry
from release.demo import models
from release.demo.load import Answered, load
from release.demo.strategy import by_canary
from release.demo.texts import reviews

pytestmark = pytest.mark.timeout(500)

REVIEWS = reviews(400)


class Releases:
    """A stack on which versions are registered and the alias is moved."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._registry = Registry()
        self._client = MlflowClient(stack.mlflow, stack.mlflow)

    @property
    def champion(self) -> int:
        return int(self._client.get_model_version_by_alias("sentiment", "champion").version)

    def copy(self, change: Callable[[Pipeline], None] | None = None) -> int:
        """Register and sign a copy of the champion."""
        made = models.copy(self._registry, self.champion, change)
        models.sign(self._registry, made, "a test")
        return made

    def move(self, version: int) -> None:
        self._registry.set_alias("sentiment", "champion", version)

    def delete_alias(self) -> None:
        self._client.delete_registered_model_alias("sentiment", "champion")

    def phases(self, tenant: str, version: int) -> list[str]:
        return [each["phase"] for each in self.stack.status(tenant)["history"] if each["version"] == version]

    def stable(self, version: int) -> bool:
        """Whether every tenant has arrived there."""
        return all(
            (held := self.stack.status(tenant))["phase"] == "Stable" and held["stable"]["version"] == version
            for tenant in TENANTS
        )

    def rejected(self, version: int) -> bool:
        return all(
            (held := self.stack.status(tenant))["phase"] == "Rejected" and held["rejected"]["version"] == version
            for tenant in TENANTS
        )

    def on_trial(self, version: int) -> bool:
        """Whether the version has a share of every tenant's requests."""
        trials = [self.stack.status(tenant)["canary"] for tenant in TENANTS]
        return all(trial and trial["version"] == version and trial["weight"] > 0 for trial in trials)


@pytest.fixture
def releases(released: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    home = Path(released.home)
    for name, value in {
        "MLFLOW_TRACKING_URI": released.mlflow,
        "FERRYMAN_SIGNING_KEY": str(signing_key(home)),
        "FERRYMAN_TRUSTED_KEYS": str(trusted_keys(home)),
        **{name: value for name, value in released.environment.items() if name.startswith("FERRYMAN_")},
    }.items():
        monkeypatch.setenv(name, value)
    made = Releases(released)
    before = made.champion
    yield made
    made.move(before)
    eventually(lambda: made.stable(before), 120)


@contextmanager
def canaries(stack: Stack) -> Iterator[Answered]:
    """Have every tenant release by canary, under load."""
    settings = Settings()
    with by_canary(settings.release_specs), load(settings, TENANTS, REVIEWS) as answered:
        yield answered
    assert not answered.failed


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


@pytest.mark.slow
def test_a_controller_that_is_killed_goes_on_where_it_was(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack):
        releases.move(version)
        for _ in range(4):
            os.kill(releases.stack.pid("release"), signal.SIGKILL)
            eventually(lambda: psutil.pid_exists(releases.stack.pid("release")))
            time.sleep(4)
        eventually(lambda: releases.stable(version), 150)
    for tenant in TENANTS:
        numbers = [each["number"] for each in releases.stack.status(tenant)["history"]]
        assert numbers == sorted(set(numbers))
        assert releases.phases(tenant, version).count("Promoting") == 1


@pytest.mark.slow
def test_a_canary_goes_on_while_the_registry_is_down(releases: Releases) -> None:
    version = releases.copy()
    with canaries(releases.stack):
        releases.move(version)
        eventually(lambda: releases.on_trial(version), 90)
        server = psutil.Process(releases.stack.pid("mlflow"))
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            eventually(lambda: releases.stable(version), 120)
        finally:
            for process in processes:
                process.resume()
    # What could not be written back meanwhile arrives when the registry is back.
    tags = MlflowClient(releases.stack.mlflow).get_model_version
    eventually(lambda: "stable since" in tags("sentiment", str(version)).tags["ferryman.tenant-b"], 90)


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


def test_a_second_controller_ends_with_a_sentence(released: Stack) -> None:
    second = released.run("release", "run")
    assert (second.returncode, "another controller" in second.stderr) == (1, True)
    assert "Traceback" not in second.stderr
