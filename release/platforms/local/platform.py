"""Starting, watching, weighing and stopping predictors on this machine."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx

from infra.local import gateway
from infra.local.errors import StackError
from infra.local.object_store import object_store
from infra.local.ports import free_port, is_free
from infra.local.program import Program
from infra.local.secret import load_or_generate
from infra.local.settings import LOOPBACK, Settings
from infra.local.supervisor import ProcessState, Supervisor
from release.asking import read_counts, run_smoke_set, unanswered
from release.observation import VersionSeen
from release.platforms.base import PlatformError, Seen
from release.platforms.local import predictor as predictors
from release.platforms.local.predictor import ANSWER_SECONDS, Predictor
from release.status import VersionRef
from release.store import Release

__all__ = ["LocalPlatform"]

_DRAIN_SECONDS = 1.0
_STOP_SECONDS = 35


class LocalPlatform:
    """A :class:`release.platforms.base.Platform` of supervised processes behind Traefik."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        self._store = object_store(settings, load_or_generate(settings.home))
        self._client = httpx.Client(trust_env=False)
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="observe")
        self._first_pids: dict[str, int] = {}
        self._files = threading.Lock()

    def observe(self, releases: Sequence[Release]) -> Mapping[str, Seen]:
        """See the base. A version whose process is gone for good although it once answered is not there."""
        states = self._supervisor.states()
        if not states:
            raise PlatformError("the process supervisor does not answer; start it with: make up")
        try:
            view = gateway.observe(self._settings, self._client)
        except StackError as error:
            raise PlatformError(str(error)) from error
        names = {release.name for release in releases}
        kept = [each for each in self._kept() if each.release in names]
        judged = {release.name for release in releases if release.status.canary is not None}
        seen = self._pool.map(lambda each: self._see(each, states, view.errors, each.release in judged), kept)
        versions: dict[str, dict[int, VersionSeen]] = {name: {} for name in names}
        for each, found in zip(kept, seen, strict=True):
            if found is not None:
                versions[each.release][each.version] = found
        return {name: Seen(versions[name], self._weights(name, kept, view)) for name in names}

    def ensure(self, release: Release, artifact: VersionRef, replicas: int | None) -> None:
        """See the base; one process is as many replicas as a laptop has."""
        held = self._find(release, artifact.version)
        if replicas == 0:
            if held is not None and not held.stopped:
                self._keep(replace(held, stopped=True))
                self._stop(held)
            return
        states = self._supervisor.states()
        if held is not None and not held.stopped and held.serves(artifact):
            state = states.get(held.program)
            if state is not None and not _gone(state):
                return
        with self._files:
            endpoint = self._free_endpoint()
            if held is not None and not held.stopped and held.program not in states:
                # After `make down` the gateway's route is still right if the ports are the same.
                endpoint = held.endpoint if all(map(is_free, held.endpoint.ports)) else endpoint
            fresh = Predictor(
                release.name, release.tenant, release.spec.model, artifact.version, artifact.storage_uri, endpoint
            )
            predictors.keep(self._settings.predictors, fresh)
        self._first_pids.pop(fresh.program, None)
        self._supervisor.add(self._program(fresh))

    def weigh(self, release: Release, weights: Mapping[int, int]) -> None:
        """See the base."""
        running = {each.version: each for each in self._kept() if each.release == release.name and not each.stopped}
        missing = sorted(version for version, weight in weights.items() if weight and version not in running)
        if missing:
            raise PlatformError(f"version {missing[0]} does not run and cannot be given requests")
        backends = [
            gateway.Backend(running[version].backend, running[version].endpoint, weight)
            for version, weight in sorted(weights.items())
            if weight
        ]
        gateway.write_route(self._settings, release.name, release.spec.route.hostnames, backends)

    def smoke(self, release: Release, version: int) -> str:
        """See the base."""
        held = self._find(release, version)
        if held is None:
            raise PlatformError(f"version {version} does not run")
        try:
            return run_smoke_set(self._client, held.endpoint.http_url, held.model)
        except httpx.HTTPError as error:
            return unanswered(error)

    def remove(self, release: Release, version: int) -> None:
        """See the base."""
        held = self._find(release, version)
        if held is not None:
            self._drop(held)

    def retain(self, releases: Sequence[Release]) -> None:
        """See the base."""
        names = {release.name for release in releases}
        strangers = [each for each in self._kept() if each.release not in names]
        # Before what takes its time: a release of these names may begin meanwhile.
        for folder in (self._settings.releases, self._settings.requests):
            for file in folder.glob("*.json"):
                if file.stem not in names:
                    file.unlink(missing_ok=True)
        for each in strangers:
            gateway.remove_route(self._settings, each.release)
            self._drop(each)

    def _see(
        self, each: Predictor, states: Mapping[str, ProcessState], errors: Mapping[str, int], judged: bool
    ) -> VersionSeen | None:
        if each.stopped:
            return VersionSeen(stopped=True)
        state = states.get(each.program)
        if state is None:
            return None
        answers = state.running and predictors.ready(self._client, each)
        if answers and not each.answered:
            each = self._mark_answered(each)
        if each.answered and _gone(state):
            return None
        fault = None if each.answered else self._fault_at_start(each, state)
        down = fault is not None and not self._store_answers()
        counts = read_counts(self._client, each.endpoint.http_url, ANSWER_SECONDS) if answers and judged else None
        return VersionSeen(
            ready=answers,
            replicas=int(answers),
            failed=None if down else fault,
            blocked="the object store does not answer, so the artifact cannot be loaded" if down else None,
            counters=None if counts is None else {each.backend: counts},
            gateway_errors=errors.get(each.backend, 0),
        )

    def _fault_at_start(self, each: Predictor, state: ProcessState) -> str | None:
        """The supervisor starts it again and again; a second process means that the first one ended."""
        if state.running:
            first = self._first_pids.setdefault(each.program, state.pid)
            if state.pid == first or not state.pid:
                return None
        elif not state.failed:
            # Added a moment ago: the supervisor knows it as STOPPED until it starts it.
            return None
        return f"the predictor ended at start: {self._supervisor.log_tail(each.program, 1)}"

    def _store_answers(self) -> bool:
        try:
            self._client.get(self._store.endpoint, timeout=1)
        except httpx.HTTPError:
            return False
        return True

    def _weights(self, name: str, kept: Sequence[Predictor], view: gateway.GatewayView) -> dict[int, int]:
        """Nothing when the gateway sends a share to what does not run (any more) under that name."""
        shares = view.weights.get(name, {})
        running = {each.backend: each.version for each in kept if each.release == name and not each.stopped}
        if any(backend not in running for backend in shares):
            return {}
        return {running[backend]: weight for backend, weight in shares.items()}

    def _program(self, each: Predictor) -> Program:
        command = [sys.executable, "-m", "inference", "--storage-uri", each.storage_uri, "--tenant", each.tenant]
        command += ["--host", LOOPBACK, "--http-port", str(each.endpoint.http_port)]
        command += ["--grpc-port", str(each.endpoint.grpc_port)]
        # A predictor may read what is released, and nothing else.
        return Program(each.program, command, self._store.environment(self._store.reader), stop_seconds=_STOP_SECONDS)

    def _stop(self, each: Predictor) -> None:
        # What the gateway handed over a moment ago has to arrive before the predictor stops listening.
        time.sleep(_DRAIN_SECONDS)
        self._supervisor.remove(each.program)

    def _drop(self, each: Predictor) -> None:
        if not each.stopped:
            self._stop(each)
        with self._files:
            predictors.forget(self._settings.predictors, each)

    def _find(self, release: Release, version: int) -> Predictor | None:
        found = (each for each in self._kept() if each.release == release.name and each.version == version)
        return next(found, None)

    def _kept(self) -> list[Predictor]:
        return list(predictors.known(self._settings.predictors))

    def _free_endpoint(self) -> gateway.Endpoint:
        # Predictors that start at the same time listen on theirs only seconds later.
        chosen = {port for each in self._kept() for port in each.endpoint.ports}
        http = free_port(chosen)
        return gateway.Endpoint(http, free_port(chosen | {http}))

    def _keep(self, each: Predictor) -> None:
        with self._files:
            predictors.keep(self._settings.predictors, each)

    def _mark_answered(self, each: Predictor) -> Predictor:
        answered = replace(each, answered=True)
        with self._files:
            # Unless it was stopped, removed or started anew since it was asked.
            if each in self._kept():
                predictors.keep(self._settings.predictors, answered)
        return answered


def _gone(state: ProcessState) -> bool:
    """Whether the supervisor no longer tries to run it."""
    return state.state in ("FATAL", "STOPPED", "UNKNOWN")
