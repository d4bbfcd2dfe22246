"""Moving the alias and watching what the tenants do, as the tests of releases need it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import TENANTS, Stack, eventually
from mlflow import MlflowClient
from sklearn.pipeline import Pipeline

from infra.local.secret import signing_key, trusted_keys
from infra.local.settings import Settings
from registry.client import Registry
from registry.history import ReleaseHistory, _file
from release.demo import models
from release.demo.load import Answered, load
from release.demo.strategy import STEPS, by_canary
from release.demo.texts import reviews

__all__ = ["REVIEWS", "Releases", "canaries", "on"]

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

    def history(self, tenant: str) -> list[dict[str, Any]]:
        """The lines that the registry holds."""
        return ReleaseHistory().read("sentiment", tenant)

    def forget_last_line(self, tenant: str) -> None:
        """Leave the registry without the last line that it holds."""
        history = ReleaseHistory()
        kept = "".join(json.dumps(line) + "\n" for line in history.read("sentiment", tenant)[:-1])
        self._client.log_text(history._run("sentiment"), kept, _file(tenant))

    def ab_test(self, tenant: str, version: int) -> dict[str, Any]:
        """The newest report on the version's A/B test that the registry holds; of no samples if there is none."""
        try:
            return dict(json.loads(ReleaseHistory().attached("sentiment", f"{tenant}-v{version}.json")))
        except KeyError:
            return {"samples": {"canary": 0}}

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


def on(released: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """Yield the releases of a stack; afterwards its tenants are back where they were."""
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
def canaries(stack: Stack, steps: Sequence[Mapping[str, Any]] = STEPS) -> Iterator[Answered]:
    """Have every tenant release by canary, under load."""
    settings = Settings()
    with by_canary(settings.release_specs, steps), load(settings, TENANTS, REVIEWS) as answered:
        yield answered
    assert not answered.failed
