"""One release after the other, while callers ask over REST and gRPC, over and over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import cycle, islice

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
from conftest import TENANTS, Stack, eventually
from moving import Releases, on
from sklearn.pipeline import Pipeline
from tritonclient.utils import InferenceServerException

from infra.local.settings import Settings
from release.demo.strategy import everywhere

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXT = "a quiet film that stays with you"
RELEASES = 20


@pytest.fixture
def releases(released: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    yield from on(released, monkeypatch)


def shifted(by: float) -> Callable[[Pipeline], None]:
    """Return a change that tells a version apart by its confidence, and by nothing else."""

    def change(pipeline: Pipeline) -> None:
        pipeline[-1].intercept_ = pipeline[-1].intercept_ + by

    return change


class Callers:
    """Ask each tenant over each protocol; keep (version, confidence) of every answer, and what failed."""

    def __init__(self, stack: Stack) -> None:
        self.said: set[tuple[str, float]] = set()
        self.count = 0
        self.failed: list[str] = []
        self._stack = stack
        self._over = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> Callers:
        self._threads = [
            threading.Thread(target=ask, args=(tenant,)) for tenant in TENANTS for ask in (self._rest, self._grpc)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, ask: Callable[[], tuple[str, float]]) -> None:
        while not self._over.is_set():
            try:
                version, confidence = ask()
                with self._lock:
                    self.said.add((version, round(confidence, 9)))
                    self.count += 1
            except (httpx.HTTPError, InferenceServerException) as error:
                self.failed.append(repr(error))
            self._over.wait(0.02)

    def _rest(self, tenant: str) -> None:
        with self._stack.caller(tenant) as call:

            def ask() -> tuple[str, float]:
                answer = call([TEXT]).raise_for_status()
                return answer.headers["x-model-version"], answer.json()["predictions"][0]["confidence"]

            self._repeat(ask)

    def _grpc(self, tenant: str) -> None:
        given = triton.InferInput("text", [1], "BYTES")
        given.set_data_from_numpy(np.array([TEXT.encode()], dtype=np.object_))
        place, host = self._stack.gateway.removeprefix("http://"), f"{tenant}.localhost"
        with triton.InferenceServerClient(place, channel_args=[("grpc.default_authority", host)]) as client:

            def ask() -> tuple[str, float]:
                answer = client.infer("sentiment", [given], client_timeout=10)
                return answer.get_response().model_version, float(answer.as_numpy("confidence")[0])

            self._repeat(ask)


def test_twenty_releases_under_load_fail_no_request_and_every_answer_names_who_computed_it(releases: Releases) -> None:
    versions = [releases.champion, releases.copy(shifted(0.01)), releases.copy(shifted(0.02))]
    # Nothing is kept: every release starts its version anew, also one that was there before.
    at_once = {"blueGreen": {"keepPrevious": "0s"}}
    with everywhere(Settings().release_specs, strategy=at_once), Callers(releases.stack) as callers:
        for version in islice(cycle(versions[1:] + versions[:1]), RELEASES):
            releases.move(version)
            eventually(lambda version=version: releases.stable(version), 120)
    assert callers.failed == []
    assert callers.count > 100 * RELEASES / 10
    by_version = {version: {said for named, said in callers.said if named == version} for version, _ in callers.said}
    # One confidence a version, and no two versions with the same.
    assert sorted(by_version) == sorted(map(str, versions))
    assert [len(said) for said in by_version.values()] == [1, 1, 1], by_version
    assert len(set.union(*by_version.values())) == 3
