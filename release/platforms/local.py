"""The laptop as a platform: a predictor is a supervised process, a route is a file that the gateway follows."""

from __future__ import annotations

import sys
import time

import httpx

from artifact import PublishedArtifact
from infra.local.gateway import Endpoint, write_route
from infra.local.object_store import object_store
from infra.local.ports import free_port
from infra.local.program import Program
from infra.local.secret import load_or_generate
from infra.local.settings import LOOPBACK, Settings, tenant_host
from infra.local.supervisor import Supervisor

__all__ = ["LocalPlatform", "PlatformError", "program_name"]

_PREFIX = "predictor-"
_READY_SECONDS = 60
_ROUTED_SECONDS = 10
_DRAIN_SECONDS = 1.0
_SMOKE_TEXT = "A quiet, moving film."


class PlatformError(RuntimeError):
    """A predictor did not come up, or the gateway did not follow."""


def program_name(tenant: str, version: int) -> str:
    """Return the supervisor's name for a tenant's predictor of one version."""
    return f"{_PREFIX}{tenant}-v{version}"


class LocalPlatform:
    """Starts, checks, routes, drains and stops predictors on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        store = object_store(settings, load_or_generate(settings.home))
        # A predictor may read what is released, and nothing else.
        self._environment = store.environment(store.reader)

    def running(self, tenant: str, artifact: PublishedArtifact, endpoint: Endpoint) -> bool:
        """Whether this tenant's predictor of this version is up and answering at this endpoint."""
        state = self._supervisor.states().get(program_name(tenant, artifact.version))
        return state is not None and state.running and self._fault(endpoint, artifact) is None

    def gave_up(self, tenant: str, version: int | None) -> bool:
        """Whether the supervisor no longer tries to run the predictor that should be there."""
        if version is None:
            return False
        state = self._supervisor.states().get(program_name(tenant, version))
        return state is None or state.state in ("FATAL", "EXITED", "STOPPED")

    def start(self, tenant: str, artifact: PublishedArtifact) -> Endpoint:
        """Start a predictor for a published artifact, wait until it answers rightly, and return where it listens.

        Raises:
            PlatformError: it ended, stayed silent, or answered wrongly; the predictor is stopped again.
        """
        endpoint = Endpoint(free_port(), free_port())
        name = program_name(tenant, artifact.version)
        command = [sys.executable, "-m", "inference", "--storage-uri", artifact.uri, "--tenant", tenant]
        command += ["--host", LOOPBACK, "--http-port", str(endpoint.http_port), "--grpc-port", str(endpoint.grpc_port)]
        self._supervisor.add(Program(name, command, self._environment, stop_seconds=35))
        deadline = time.monotonic() + _READY_SECONDS
        while (fault := self._fault(endpoint, artifact)) is not None:
            state = self._supervisor.states().get(name)
            ended = state is None or state.failed
            if ended or time.monotonic() > deadline:
                said = self._supervisor.log_tail(name, 1)
                self._supervisor.remove(name)
                raise PlatformError(f"the predictor {'ended at start' if ended else 'stays silent'}: {said or fault}")
            time.sleep(0.1)
        return endpoint

    def route(self, tenant: str, artifact: PublishedArtifact, endpoint: Endpoint) -> None:
        """Point the tenant's host at a predictor and wait until the gateway sends requests there.

        Raises:
            PlatformError: the gateway does not follow.
        """
        write_route(self._settings, tenant, endpoint)
        deadline = time.monotonic() + _ROUTED_SECONDS
        while self._routed_version(tenant) != str(artifact.version):
            if time.monotonic() > deadline:
                raise PlatformError(f"the gateway does not send {tenant_host(tenant)} to version {artifact.version}")
            time.sleep(0.05)

    def keep_only(self, tenant: str, version: int | None) -> None:
        """Let requests in flight end, then stop every predictor of the tenant but this version's."""
        kept = None if version is None else program_name(tenant, version)
        others = [n for n in self._supervisor.states() if n.startswith(f"{_PREFIX}{tenant}-v") and n != kept]
        if others:
            time.sleep(_DRAIN_SECONDS)
        for name in others:
            self._supervisor.remove(name)

    def _fault(self, endpoint: Endpoint, artifact: PublishedArtifact) -> str | None:
        """Ask one predictor directly for its readiness and one prediction."""
        base = f"{endpoint.http_url}/v1/models/{artifact.model}"
        try:
            answer = httpx.post(f"{base}:predict", json={"instances": [_SMOKE_TEXT]}, timeout=5, trust_env=False)
        except httpx.HTTPError as error:
            return type(error).__name__
        if answer.status_code != 200:
            return f"answers {answer.status_code}"
        version = answer.headers.get("x-model-version")
        return None if version == str(artifact.version) else f"answers as version {version}"

    def _routed_version(self, tenant: str) -> str | None:
        try:
            answer = httpx.get(
                f"{self._settings.gateway_url}/health",
                headers={"Host": tenant_host(tenant)},
                timeout=2,
                trust_env=False,
            )
        except httpx.HTTPError:
            return None
        return answer.headers.get("x-model-version") if answer.status_code == 200 else None
