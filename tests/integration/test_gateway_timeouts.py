"""A gateway whose backend is not there: it says so soon, and does not wait as long as its client would."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import eventually, free_ports

from infra.local.gateway import Backend, Endpoint, gateway, write_route
from infra.local.settings import Settings

HOST = {"Host": "tenant-a.localhost"}


@contextmanager
def unreachable() -> Iterator[int]:
    """A port whose queue of connections is full: as behind a firewall, a new one gets no answer at all."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A gateway alone, with nothing behind it yet."""
    made = Settings(home=tmp_path / "home", gateway_port=free_ports(1)[0])
    made.prepare()
    process = subprocess.Popen(gateway(made).command)
    try:
        eventually(lambda: httpx.get(f"{made.gateway_url}/ping", trust_env=False).status_code == 200)
        yield made
    finally:
        process.kill()
        process.wait()


def asked(settings: Settings, port: int) -> tuple[int, float]:
    """The code of an answer from a backend at this port, and the seconds that it took."""
    backend = Backend("a-v1", Endpoint(port, port), 100)
    write_route(settings, "tenant-a", ["tenant-a.localhost"], [backend])
    deadline = time.monotonic() + 20
    while True:
        begun = time.monotonic()
        answer = httpx.get(f"{settings.gateway_url}/v2/health/ready", headers=HOST, timeout=60, trust_env=False)
        # It follows the file within half a second.
        if answer.status_code != 404 or begun > deadline:
            return answer.status_code, time.monotonic() - begun


def test_a_backend_that_cannot_be_reached_is_given_up_after_a_second(settings: Settings) -> None:
    with unreachable() as port:
        code, seconds = asked(settings, port)
    assert code == 504
    assert 0.9 < seconds < 10


@pytest.mark.slow
def test_a_backend_that_does_not_answer_is_given_up_after_half_a_minute(settings: Settings) -> None:
    with silent() as port:
        code, seconds = asked(settings, port)
    assert code == 504
    assert 29 < seconds < 45
