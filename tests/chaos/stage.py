"""The stage of every scene: a stack, two versions that were verified, one that nobody signed, and how to look at it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
import yaml
from stacks import TENANTS, Stack, eventually

from chaos.answers import Answers
from chaos.disk import Disk
from chaos.seen import Sample
from infra.local import gateway
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.settings import Settings
from infra.local.supervisor import Supervisor
from registry.client import Registry, RegistryUnreachableError
from registry.tags import GATE_PASSED
from release.demo import models
from release.platforms.local import predictor as predictors

__all__ = ["A", "B", "Stage"]

A, B = TENANTS
_STEPS = [{"weight": weight, "pause": "2s"} for weight in (20, 50)]
_SPECS: dict[str, Any] = {
    # A canary is on its way here when the fault comes.
    A: {
        "model": "sentiment",
        "alias": "champion",
        "route": {"hostnames": [f"{A}.localhost"]},
        "strategy": {"canary": {"steps": _STEPS, "keepPrevious": "0s"}},
        # Faults make answers slow, and not only the canary's.
        "analysis": {"minRequests": 40, "maxLatencyP95Ratio": 100},
    },
    # The alias of this one is moved to what nobody signed.
    B: {
        "model": "sentiment",
        "alias": "steady",
        "route": {"hostnames": [f"{B}.localhost"]},
        "strategy": {"blueGreen": {"keepPrevious": "0s"}},
    },
}
_WELL = 20
"""So many good answers in a row of each tenant, and all is well."""


@dataclass
class Stage:
    """``good``: two versions that were verified; ``unsigned``: one that nobody signed; ``disk``: where its home is."""

    stack: Stack
    settings: Settings
    disk: Disk | None
    good: tuple[int, int] = (0, 0)
    unsigned: int = 0

    def up(self) -> None:
        """Type `make up`, and again where it did not wait for long enough: a busy machine is no fault of the stack."""
        said: list[str] = []

        def tried() -> bool:
            done = self.stack.run("infra.local", "up")
            said.append(done.stderr)
            return done.returncode == 0

        eventually(tried, 240, lambda: said[-1])

    def prepare(self) -> None:
        """Train one version, make the other two, and have both tenants serve the first."""
        trained = self.stack.run("training", "--sample", "4000")
        assert trained.returncode == 0, trained.stderr
        write_private(self.settings.release_specs, yaml.safe_dump(_SPECS, sort_keys=False))
        for alias in ("champion", "steady"):
            self.move(alias, 1)
        # Told apart by their confidence, and by nothing else.
        self.good = (1, models.copy(Registry(), 1, lambda pipeline: _shift(pipeline, 0.02)))
        models.sign(Registry(), self.good[1], "a test")
        self.unsigned = models.copy(Registry(), 1, lambda pipeline: _shift(pipeline, 0.04))
        # Whoever may write to MLflow can write this.
        Registry().set_tags("sentiment", self.unsigned, {GATE_PASSED: "true"})
        self.settle()

    def settle(self) -> None:
        """Have each tenant serve one version, with nothing under way."""
        eventually(self.registry_answers)
        for tenant, alias in ((A, "champion"), (B, "steady")):
            stable = self.status(tenant).get("stable")
            version = stable["version"] if stable else 1
            self.move(alias, version)
            eventually(lambda tenant=tenant, version=version: self.stands(tenant, version), 90)

    def stands(self, tenant: str, version: int) -> bool:
        held = self.status(tenant)
        return bool(
            held["phase"] == "Stable"
            and held["target"] == held["stable"]["version"] == version
            and self.stack.served(tenant) == str(version)
        )

    def move(self, alias: str, version: int) -> None:
        Registry().set_alias("sentiment", alias, version)

    def registry_answers(self) -> bool:
        with suppress(RegistryUnreachableError):
            return bool(Registry().aliases())
        return False

    def status(self, tenant: str) -> dict[str, Any]:
        with suppress(FileNotFoundError):
            return self.stack.status(tenant)
        return {}

    def other(self) -> int:
        """The good version that is not in service at the tenant of the canary."""
        stable = self.status(A)["stable"]["version"]
        return self.good[1] if stable == self.good[0] else self.good[0]

    def weight(self, version: int) -> int:
        """Percent of the requests that the status gives a version on trial."""
        trial = self.status(A)["canary"]
        return int(trial["weight"]) if trial and trial["version"] == version else 0

    def ended(self, version: int) -> bool:
        """Whether the trial of this version has come to an end, one way or another."""
        held = self.status(A)
        if held["phase"] == "Stable":
            return bool(held["stable"]["version"] == version)
        return held["phase"] in ("Rejected", "Paused") and held["target"] == version

    def running(self) -> list[tuple[str, int]]:
        """Tenant and version of each predictor's process."""
        found = []
        for process in Supervisor(self.settings).processes():
            with suppress(psutil.Error):
                line = process.cmdline()
                if "inference" in line:
                    folder = line[line.index("--storage-uri") + 1].rstrip("/").rpartition("/")[2]
                    found.append((line[line.index("--tenant") + 1], int(folder.partition("-")[0])))
        return found

    def predictor(self, tenant: str, version: int) -> predictors.Predictor:
        known = predictors.known(self.settings.predictors)
        return next(each for each in known if each.release == tenant and each.version == version)

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(Supervisor(self.settings).states()[name].pid)

    def well(self, answers: Answers, since: float) -> bool:
        """Whether every process runs and answers, and so do the tenants."""
        states = Supervisor(self.settings).states()
        if not states or any(state.state != "RUNNING" for state in states.values()):
            return False
        settings = self.settings
        urls = [f"{settings.gateway_url}/ping", f"{settings.mlflow_url}/health", f"{settings.controller_url}/healthz"]
        with httpx.Client(timeout=2, trust_env=False) as client:
            if any(client.get(url).status_code >= 500 for url in (*urls, settings.s3_url)):
                return False
            kept = [each for each in predictors.known(settings.predictors) if not each.stopped]
            if not all(predictors.ready(client, each) for each in kept):
                return False
        return answers.well_since(since, _WELL)

    @contextmanager
    def watched(self, tenant: str) -> Iterator[list[Sample]]:
        """Look at the gateway and then at the status of a tenant's release, again and again."""
        samples: list[Sample] = []
        over = threading.Event()

        def look() -> None:
            with httpx.Client(trust_env=False) as client:
                while not over.wait(0.3):
                    with suppress(StackError, OSError, ValueError, KeyError):
                        shares = gateway.observe(self.settings, client).weights.get(tenant, {})
                        in_force = {
                            int(name.removeprefix(f"{tenant}-v").partition("-")[0]): at for name, at in shares.items()
                        }
                        samples.append(Sample(in_force, _kept(self.stack.status(tenant))))

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield samples
        finally:
            over.set()
            looking.join()


def _kept(status: dict[str, Any]) -> dict[int, int]:
    stable, trial = status["stable"], status["canary"]
    kept = {stable["version"]: 100} if stable else {}
    return kept | ({trial["version"]: trial["weight"]} if trial else {})


def _shift(pipeline: Any, by: float) -> None:
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + by
