"""A tenant that follows an alias of its own by a canary of short steps, and the models that it is tried with."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pandas as pd
import pytest
from live import Live
from pods import TEXT, eventually

from artifact.names import TEXT_COLUMN
from infra.gitops.argo import applications, apply, rendered
from infra.platform.keys import ensure_secret
from infra.platform.manifests import substitute
from infra.platform.mlflow_users import grant
from infra.platform.tenant import TENANTS, apply_tenant, delete_tenant, write_overlay
from infra.platform.trust import SIGNING_KEY_FILE, write_trust
from registry.client import Registry
from release.demo import models

NAME, ALIAS = "tenant-trial", "e2e"
_PATCHES = """
  - target: {kind: ModelRelease, name: sentiment}
    patch: |-
      - {op: replace, path: /spec/alias, value: e2e}
      - op: replace
        path: /spec/strategy
        value: {canary: {keepPrevious: 1h, steps: [{weight: 10, pause: 3s}, {weight: 50, pause: 3s}]}}
      - op: add
        path: /spec/analysis
        value: {minRequests: 20, progressDeadline: 90s, maxErrorIncrease: 0.2, maxLatencyP95Ratio: 20}
      - {op: replace, path: /spec/template/spec/predictor/minReplicas, value: 1}
"""


class Trial:
    """The tenant, and its model's versions."""

    def __init__(self, live: Live, base: int) -> None:
        self.live = live
        self.base = base

    @property
    def host(self) -> str:
        return self.live.host(NAME)

    def copy(self, change: Callable[[Any], None] | None = None, *, signed: bool = True) -> int:
        """Register a copy of the version that it began with."""
        with registry(self.live) as client:
            version = models.copy(client, self.base, change)
            if signed:
                models.sign(client, version, "a test")
        return version

    def move(self, version: int) -> None:
        with registry(self.live) as client:
            client.set_alias("sentiment", ALIAS, version)

    def get(self, kind: str, name: str) -> Any:
        return self.live.cluster.get(kind, name, NAME)

    @property
    def status(self) -> Any:
        return self.get("modelrelease", "sentiment").get("status", {})

    def stable(self, version: int) -> bool:
        return bool(self.status["phase"] == "Stable" and self.status.get("stable", {}).get("version") == version)

    def rejected(self, version: int) -> bool:
        return bool(self.status["phase"] == "Rejected" and self.status["rejected"]["version"] == version)

    def canary(self, version: int) -> int:
        """The version's weight while it is on trial; else 0."""
        trial = self.status.get("canary", {})
        return int(trial["weight"]) if trial.get("version") == version else 0

    def phases(self, version: int) -> list[str]:
        return [each["phase"] for each in self.status["history"] if each.get("version") == version]

    def ready(self, version: int) -> int:
        found = self.get("deployment", f"sentiment-v{version}-predictor")
        return int(found["status"].get("readyReplicas", 0)) if found else 0

    def leader(self) -> str:
        """The uid of the controller's pod that acts."""
        holder = self.live.cluster.get("lease", "release-controller", "release")["spec"]["holderIdentity"]
        return str(self.live.cluster.get("pod", holder, "release")["metadata"]["uid"])

    def in_git(self) -> list[dict[str, Any]]:
        """What Argo CD would apply of the tenant, without the ExternalSecret: nothing here knows that kind."""
        found = next(each for each in applications() if each.name == NAME)
        objects = [each for each in rendered(found) if each["kind"] != "ExternalSecret"]
        return substitute(objects, {}, self.live.domain)

    def reapply(self) -> None:
        """As Argo CD does: by force."""
        apply(self.live.cluster, self.in_git())

    def settle(self) -> int:
        """Bring it back to the version that it began with; whatever was tried is over."""
        self.move(self.base)
        eventually(lambda: self.stable(self.base), 90)
        return self.base


def negative(pipeline: Any) -> None:
    """Have the model call just this text the other way round; clear texts keep their labels."""
    logit = float(pipeline.decision_function(pd.DataFrame({TEXT_COLUMN: [TEXT]}))[0])
    pipeline[-1].intercept_ = pipeline[-1].intercept_ - 1.1 * logit


@contextmanager
def trial(live: Live, more: str = "") -> Iterator[Trial]:
    """Make the tenant with ``more`` patches of its release, give it its first version, and remove it at the end."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        _keys(live, Path(folder), patch)
        with registry(live):
            _share_experiment()
        made = Trial(live, int(next(iter(live.served("tenant-a")))))
        write_overlay(NAME)
        overlay = TENANTS / NAME / "kustomization.yaml"
        overlay.write_text(overlay.read_text() + _PATCHES.lstrip("\n") + more.lstrip("\n"))
        try:
            made.move(made.base)
            apply_tenant(live.cluster, NAME)
            eventually(lambda: made.stable(made.base), 90)
            yield made
        finally:
            delete_tenant(live.cluster, NAME, files=True)


@contextmanager
def registry(live: Live) -> Iterator[Registry]:
    """MLflow through a port of its own: one that stays open ends with the API server or the node."""
    with live.cluster.forward("mlflow", "mlflow", 5000) as port, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        yield Registry()


def _keys(live: Live, folder: Path, patch: pytest.MonkeyPatch) -> None:
    signing = ensure_secret(live.cluster, "training", "signing-key", dict)[SIGNING_KEY_FILE]
    (folder / SIGNING_KEY_FILE).write_text(signing)
    write_trust(live.cluster, folder / "trust")
    admin = ensure_secret(live.cluster, "mlflow", "mlflow", dict)["admin-password"]
    for name, value in {
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": admin,
        "FERRYMAN_SIGNING_KEY": str(folder / SIGNING_KEY_FILE),
        "FERRYMAN_TRUSTED_KEYS": str(folder / "trust"),
    }.items():
        patch.setenv(name, value)


def _share_experiment() -> None:
    """Let the controller read what the copies are logged in: the cluster's users see what they are given."""
    experiment = mlflow.set_experiment(models.EXPERIMENT).experiment_id
    address, name, password = (os.environ[f"MLFLOW_TRACKING_{each}"] for each in ("URI", "USERNAME", "PASSWORD"))
    with httpx.Client(base_url=address, auth=(name, password), trust_env=False) as admin:
        grant(admin, "release", "experiment", experiment, "READ")
