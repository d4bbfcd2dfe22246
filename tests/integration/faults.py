"""Faults that are caused for real, each at a tenant of its own, and the alerts that must arrive about it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from conftest import Stack, eventually

Holds = Callable[[], bool]
"""Whether the fault is to go on: its alerts have not all arrived."""


@dataclass(frozen=True)
class Fault:
    """``alias`` and ``strategy`` are the tenant's; ``cause`` keeps the fault up for as long as it is told to."""

    name: str
    story: str
    alerts: frozenset[str]
    cause: Callable[[Tenant, Holds], None]
    strategy: str = "{blueGreen: {keepPrevious: 10m}}"
    analysis: str = "{}"

    @property
    def tenant(self) -> str:
        return f"with-{self.name}"

    @property
    def alias(self) -> str:
        """One of its own: what is rejected for one tenant of an alias is for all of them."""
        return f"trial-{self.name}"


@dataclass(frozen=True)
class Tenant:
    """Where a fault is caused. ``versions`` are registered ones, by what is wrong with them."""

    stack: Stack
    name: str
    move: Callable[[int], None]
    versions: dict[str, int] = field(default_factory=dict)

    def predictors(self) -> list[dict[str, Any]]:
        files = (self.stack.home / "predictors").glob(f"predictor-{self.name}-v*.json")
        return [held for file in files if not (held := json.loads(file.read_text()))["stopped"]]

    def url(self, held: dict[str, Any]) -> str:
        return f"http://127.0.0.1:{held['endpoint']['http_port']}/v1/models/sentiment:predict"

    def process(self) -> psutil.Process:
        ports = {str(each["endpoint"]["http_port"]) for each in self.predictors()}
        supervisor = int((self.stack.home / "supervisor/supervisord.pid").read_text())
        for process in psutil.Process(supervisor).children():
            try:
                if "inference" in (line := process.cmdline()) and ports & set(line):
                    return process
            except psutil.Error:
                continue
        raise OSError("it does not run")

    def ask(self, texts: list[str], seconds: float = 30) -> None:
        """Whatever comes of it."""
        with contextlib.suppress(httpx.HTTPError):
            self.stack.ask(self.name, texts, seconds)

    def answers(self) -> bool:
        """Whether every predictor does, asked past the gateway, which would count it."""
        found = [
            self.url(held).replace("/v1/models/sentiment:predict", "/v2/health/ready") for held in self.predictors()
        ]
        return all(httpx.get(url, timeout=2, trust_env=False).status_code == 200 for url in found)


def _stops(tenant: Tenant, holds: Holds) -> None:
    process = tenant.process()
    process.suspend()
    try:
        while holds():
            time.sleep(0.2)
    finally:
        process.resume()


def _dawdles(tenant: Tenant, holds: Holds) -> None:
    """It stands still again and again, never for as long as what does not answer at all."""
    process = tenant.process()
    with ThreadPoolExecutor(12) as callers:
        while holds():
            process.suspend()
            try:
                asked = [callers.submit(tenant.ask, ["a great film"]) for _ in range(12)]
                time.sleep(5.6)
            finally:
                process.resume()
            for each in asked:
                each.result()
            # Long enough to be seen, by Prometheus and by the controller.
            time.sleep(2.8)


def _dies_now_and_then(tenant: Tenant, holds: Holds) -> None:
    """Killed, and again some seconds after it has come back, while a few clients ask."""
    with _asked(tenant, holds, callers=1, pause=0.4):
        while holds():
            _kill(tenant)
            time.sleep(0.5)
            eventually(tenant.answers, 30)
            time.sleep(6)


def _dies(tenant: Tenant, holds: Holds) -> None:
    """Killed whenever it comes up, while many clients ask."""
    with _asked(tenant, holds, callers=2, pause=0.02):
        while holds():
            _kill(tenant)
            time.sleep(0.2)


@contextmanager
def _asked(tenant: Tenant, holds: Holds, callers: int, pause: float) -> Iterator[None]:
    def ask() -> None:
        while holds():
            tenant.ask(["a great film"], 5)
            time.sleep(pause)

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def _kill(tenant: Tenant) -> None:
    with contextlib.suppress(OSError, psutil.Error):
        tenant.process().kill()


def _restarts(tenant: Tenant, holds: Holds) -> None:
    """Killed whenever it has lived for as long as the supervisor wants to see."""
    while holds():
        eventually(tenant.answers, 30)
        process = tenant.process()
        # Long enough to be seen, by Prometheus and by the controller.
        time.sleep(max(1.6, 2.6 - (time.time() - process.create_time())))
        process.kill()
        time.sleep(0.2)


def _is_asked_nonsense(tenant: Tenant, holds: Holds) -> None:
    """A predictor looks back a quarter of an hour for drift; another version's looks back on nothing."""
    while holds():
        tenant.ask([f"zxqv{number} wkjh{os.getpid()} qqzz" for number in range(100)])
        time.sleep(1)
    tenant.move(tenant.versions["good"])


def _answers_as_two(tenant: Tenant, holds: Holds) -> None:
    """Somebody asks the version before, which is kept for a while, past the gateway."""
    tenant.move(tenant.versions["good"])
    eventually(lambda: tenant.stack.served(tenant.name) == str(tenant.versions["good"]), 60)
    while holds():
        for held in tenant.predictors():
            httpx.post(tenant.url(held), json={"instances": ["a great film"]}, timeout=10, trust_env=False)
        time.sleep(0.3)


def _gets(wrong: str) -> Callable[[Tenant, Holds], None]:
    def cause(tenant: Tenant, holds: Holds) -> None:
        before = tenant.stack.served(tenant.name)
        tenant.move(tenant.versions[wrong])
        while holds():
            time.sleep(0.5)
        assert tenant.stack.served(tenant.name) == before
        tenant.move(int(before or 0))

    return cause


AT_TENANTS = (
    Fault("standstill", "its predictor stands still", frozenset({"PredictorNotReady"}), _stops),
    Fault("delay", "its predictor takes more than 5 s to answer", frozenset({"PredictorLatencyHigh"}), _dawdles),
    Fault(
        "outages",
        "its predictor dies every few seconds, and a few clients ask on",
        frozenset({"PredictorErrors"}),
        _dies_now_and_then,
    ),
    Fault(
        "crashes",
        "its predictor dies at every start, and many clients ask on",
        frozenset({"PredictorNotReady", "PredictorErrors", "AvailabilityBurnsFast"}),
        _dies,
    ),
    Fault(
        "nonsense",
        "its model is asked in words that it does not know",
        frozenset({"ConfidenceCollapsed", "InputsShifted", "PredictionsShifted"}),
        _is_asked_nonsense,
        "{blueGreen: {keepPrevious: 0s}}",
    ),
    Fault("both", "two versions answer although one was released", frozenset({"VersionsDiffer"}), _answers_as_two),
    Fault(
        "altered", "the alias names a version altered after the gate", frozenset({"SignatureRefused"}), _gets("altered")
    ),
    Fault(
        "ungated", "the alias names a version that never saw the gate", frozenset({"ReleaseRejected"}), _gets("ungated")
    ),
    Fault(
        "broken",
        "the alias names a version that calls every text positive",
        frozenset({"ReleaseRolledBack"}),
        _gets("broken"),
    ),
    Fault(
        "silence",
        "its canary gets too few requests to be judged",
        frozenset({"ReleaseStuck"}),
        _gets("good"),
        "{canary: {steps: [{weight: 50, pause: 1s}], keepPrevious: 0s}}",
        "{minRequests: 300, progressDeadline: 5s}",
    ),
)
LATER = Fault("restarts", "its predictor is killed four times in a row", frozenset({"PredictorRestarting"}), _restarts)
"""Alone, for it takes the machine to start five processes within the window."""


@contextmanager
def starting_quickly(stack: Stack) -> Iterator[None]:
    """What the supervisor starts takes precedence, where that is allowed: a thirtieth of five minutes is soon over."""
    supervisor = psutil.Process(int((stack.home / "supervisor/supervisord.pid").read_text()))
    before = supervisor.nice()
    with contextlib.suppress(psutil.AccessDenied):
        supervisor.nice(-15)
    try:
        yield
    finally:
        supervisor.nice(before)
