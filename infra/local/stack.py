"""The laptop stack as a whole: bring it up, take it down, say how it is."""

from __future__ import annotations

import fcntl
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import httpx

from infra.local import ports, tls
from infra.local.environment import write_environment
from infra.local.errors import StackError
from infra.local.gateway import gateway, speaks_tls
from infra.local.object_store import ObjectStore, object_store
from infra.local.program import Program
from infra.local.secret import load_or_generate, prepare_signing, trusted_keys
from infra.local.settings import Settings
from infra.local.supervisor import Supervisor
from infra.local.tracking import tracking_server

__all__ = ["Component", "components", "down", "health", "storing", "up"]

_START_SECONDS = 90
_SETTLED_SECONDS = 2


@dataclass(frozen=True)
class Component:
    """One server of the stack: its program, the address a person knows it by, how to ask whether it is well."""

    name: str
    port: int | None
    address: str
    probe: str | None
    variable: str
    verify: ssl.SSLContext | bool = True

    def healthy(self) -> bool:
        """Whether it answers now. Any answer of S3 will do: without credentials it is a refusal."""
        if self.probe is None:
            return True
        verify = _authorities() if self.verify is True else self.verify
        try:
            return httpx.get(self.probe, timeout=2, trust_env=False, verify=verify).status_code < 500
        except httpx.HTTPError:
            return False


@cache
def _authorities() -> ssl.SSLContext:
    """What httpx trusts by itself, read once: it takes longer than to ask."""
    return httpx.create_ssl_context()


def components(settings: Settings, store: ObjectStore) -> list[Component]:
    """Return the stack's servers in the order in which people ask for them."""
    return [
        _store_component(settings, store),
        Component(
            "mlflow", settings.mlflow_port, settings.mlflow_url, f"{settings.mlflow_url}/health", "FERRYMAN_MLFLOW_PORT"
        ),
        Component(
            "gateway",
            settings.gateway_tls_port if settings.tls else settings.gateway_port,
            settings.gateway_url,
            f"{settings.gateway_url}/ping",
            "FERRYMAN_GATEWAY_TLS_PORT" if settings.tls else "FERRYMAN_GATEWAY_PORT",
            tls.verification(settings),
        ),
        Component(
            "release",
            settings.controller_port,
            settings.controller_url,
            f"{settings.controller_url}/healthz",
            "FERRYMAN_CONTROLLER_PORT",
        ),
    ]


def _store_component(settings: Settings, store: ObjectStore) -> Component:
    external = store.program is None
    return Component("s3", None if external else settings.s3_port, store.endpoint, store.endpoint, "FERRYMAN_S3_PORT")


def up(settings: Settings, say: Callable[[str], None]) -> list[Component]:
    """Start what does not run, wait until all of it answers, and return the stack's components.

    Raises:
        StackError: a port is taken, a program is missing, or a server died or stayed silent.
    """
    settings.prepare()
    with _alone(settings):
        supervisor = Supervisor(settings)
        running = supervisor.alive()
        if not running and supervisor.processes():
            say("The last supervisor was killed; stopping what it left behind.")
            supervisor.shutdown()
        store = object_store(settings, load_or_generate(settings.home))
        if running and speaks_tls(supervisor.command("gateway")) != settings.tls:
            raise StackError(
                f"the running gateway speaks {'plain HTTP' if settings.tls else 'TLS'}: stop the stack first with "
                f"make down, or go on {'without' if settings.tls else 'with'} TLS=1"
            )
        if settings.tls:
            tls.cover(settings)
        parts = components(settings, store)
        states = supervisor.states()
        if running and ("s3" in states) != (store.program is not None):
            raise StackError(
                f"the running stack has another object store than {store.endpoint}: "
                "set AWS_ENDPOINT_URL and the AWS keys as when it was started, or stop it first with: make down"
            )
        for part in parts:
            if not (part.name in states and states[part.name].running):
                _require_free(part)
        prepare_signing(settings.home)
        write_environment(settings, store)
        if running:
            started = supervisor.restart_missing()
            say(f"Already running; started again: {', '.join(started)}." if started else "Already running.")
        else:
            supervisor.start(_programs(settings, store), _environment(settings, store))
        _await(supervisor, parts, say, store)
    return parts


def down(settings: Settings) -> int:
    """Stop every process of this stack and return how many there were. Data stays."""
    return Supervisor(settings).shutdown()


@contextmanager
def storing(settings: Settings) -> Iterator[ObjectStore]:
    """Yield the object store, started alone for as long as the block runs if the stack is down.

    Raises:
        StackError: it does not start, or another command is at work on the stack.
    """
    settings.prepare()
    store = object_store(settings, load_or_generate(settings.home))
    supervisor = Supervisor(settings)
    if store.program is None:
        store.prepare()
    if store.program is None or supervisor.alive():
        yield store
        return
    with _alone(settings):
        part = _store_component(settings, store)
        _require_free(part)
        supervisor.start([store.program], _environment(settings, store))
        try:
            _await(supervisor, [part], lambda _: None, store)
            yield store
        finally:
            supervisor.shutdown()


def health(settings: Settings) -> list[tuple[str, str, int, str]]:
    """Return ``(name, state, process id, address)`` for every component and predictor."""
    if not settings.home.exists():
        return []
    store = object_store(settings, load_or_generate(settings.home))
    states = Supervisor(settings).states()
    if not states:
        return []
    rows = []
    for part in components(settings, store):
        state = states.pop(part.name, None)
        # A supervisor that knows no store was started for one that somebody else runs.
        word = state.state if state else "external" if part.name == "s3" else "STOPPED"
        if word in ("RUNNING", "external") and not part.healthy():
            word += ", does not answer"
        rows.append((part.name, word, state.pid if state else 0, part.address))
    rows += [(name, state.state, state.pid, "") for name, state in sorted(states.items())]
    return rows


def _require_free(part: Component) -> None:
    if part.port and not ports.is_free(part.port):
        raise StackError(
            f"port {part.port} for {part.name} is taken by {ports.holder(part.port)}: "
            f"stop that, or choose another with {part.variable}=…"
        )


def _programs(settings: Settings, store: ObjectStore) -> list[Program]:
    release = Program("release", [sys.executable, "-m", "release", "run"], stop_seconds=20)
    programs = [tracking_server(settings, store), gateway(settings), release]
    return [store.program, *programs] if store.program else programs


def _environment(settings: Settings, store: ObjectStore) -> dict[str, str]:
    # The user's own AWS profile must not reach a server that is meant for the store named here, nor a key any that only
    # verifies.
    not_theirs = ("AWS_", "MLFLOW_", "FERRYMAN_SIGNING_KEY")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(not_theirs)}
    return {
        **inherited,
        **store.environment(store.publisher),
        "FERRYMAN_HOME": str(settings.home),
        "FERRYMAN_S3_PORT": str(settings.s3_port),
        "FERRYMAN_MLFLOW_PORT": str(settings.mlflow_port),
        "FERRYMAN_TLS": str(settings.tls),
        "FERRYMAN_GATEWAY_PORT": str(settings.gateway_port),
        "FERRYMAN_GATEWAY_TLS_PORT": str(settings.gateway_tls_port),
        "FERRYMAN_TRUSTED_KEYS": str(trusted_keys(settings.home)),
        "FERRYMAN_CONTROLLER_PORT": str(settings.controller_port),
        "MLFLOW_TRACKING_URI": settings.mlflow_url,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONUNBUFFERED": "1",
    }


def _await(supervisor: Supervisor, parts: list[Component], say: Callable[[str], None], store: ObjectStore) -> None:
    begun = time.monotonic()
    waiting = list(parts)
    while waiting:
        states = supervisor.states()
        for part in list(waiting):
            state = states.get(part.name)
            if state is not None and state.failed:
                raise StackError(
                    f"{part.name} ended at start ({state.state}). Its last words:\n{supervisor.log_tail(part.name)}"
                )
            settled = state is None or state.seconds >= _SETTLED_SECONDS or part.probe is not None
            if settled and (state is None or state.running) and part.healthy():
                waiting.remove(part)
                if part.name == "s3":
                    store.prepare()
                say(f"{part.name:<8} ready after {time.monotonic() - begun:4.1f} s   {part.address}")
        if waiting and time.monotonic() - begun > _START_SECONDS:
            name = waiting[0].name
            raise StackError(
                f"{name} does not answer after {_START_SECONDS} s. Its last words:\n{supervisor.log_tail(name)}"
            )
        time.sleep(0.1)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one `up` work at a time; the lock goes with its process."""
    with (settings.home / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError("another `make up` is at work on this stack; wait for it") from error
        yield
