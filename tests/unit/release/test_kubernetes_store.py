"""ModelReleases as the controller keeps them, over an API server that says what a test lets it say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from test_kubernetes_objects import a_spec

from release.platforms.kubernetes.api import ConflictError
from release.platforms.kubernetes.store import KubernetesStore
from release.status import Phase, ReleaseStatus, Transition
from release.store import StoreError


def a_release(version: int, status: dict[str, Any] | None = None, **annotations: str) -> dict[str, Any]:
    notes = {f"ferryman.dev/{name}": value for name, value in annotations.items()}
    metadata = {"name": "sentiment", "namespace": "tenant-a", "uid": "u-1", "annotations": notes}
    spec = a_spec().model_dump(by_alias=True, mode="json", exclude_none=True)
    return {"metadata": metadata | {"resourceVersion": str(version)}, "spec": spec, "status": status or {}}


class Server:
    """The part of :class:`release.platforms.kubernetes.api.Api` that a store uses."""

    def __init__(self, *found: dict[str, Any]) -> None:
        self.found = list(found)
        self.events: Queue[dict[str, Any]] = Queue()
        self.written: list[dict[str, Any]] = []
        self.conflict = False
        self.calls = 0
        self.told: Queue[str] = Queue()

    def under_way(self) -> int:
        return self.calls

    def pages(self, *_: str) -> Iterator[dict[str, Any]]:
        yield {"items": self.found, "metadata": {"resourceVersion": "10"}}

    def watch(self, *_: str) -> Iterator[dict[str, Any]]:
        return iter(self.events.get, None)  # type: ignore[arg-type] # it never ends

    def replace(self, _: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if self.conflict:
            raise ConflictError("the object has been modified")
        self.written.append(wanted)
        return wanted | {"metadata": wanted["metadata"] | {"resourceVersion": "20"}}

    def create(self, _: str, event: dict[str, Any]) -> None:
        self.told.put(event["reason"])


def a_store(server: Server) -> KubernetesStore:
    store = KubernetesStore(server)  # type: ignore[arg-type] # the part that it uses
    store.wait()
    return store


def test_what_was_written_is_not_planned_a_second_time_while_the_watch_is_behind() -> None:
    server = Server(a_release(10))
    store = a_store(server)
    [release] = store.releases()
    store.save(release, ReleaseStatus(phase=Phase.VERIFYING, phase_since=1.0))
    assert store.releases()[0].status.phase == Phase.VERIFYING
    server.events.put({"type": "MODIFIED", "object": a_release(15, pause="true")})
    server.events.put({"type": "MODIFIED", "object": a_release(25, {"phase": "Paused"}, abort="x")})
    deadline = time.monotonic() + 5
    while store.releases()[0].status.phase != Phase.PAUSED and time.monotonic() < deadline:
        time.sleep(0.01)
    [newest] = store.releases()
    assert (newest.status.phase, newest.requests.abort, newest.requests.pause) == (Phase.PAUSED, "x", False)


def test_a_status_is_written_only_over_the_one_that_it_was_planned_from() -> None:
    server = Server(a_release(10))
    store = a_store(server)
    [release] = store.releases()
    store.save(release, ReleaseStatus())
    assert server.written[0]["metadata"]["resourceVersion"] == "10"
    server.conflict = True
    with pytest.raises(StoreError, match="changed meanwhile"):
        store.save(release, ReleaseStatus(phase=Phase.CANARY))
    assert store.releases()[0].status.phase == Phase.STABLE


def test_one_release_that_cannot_be_read_does_not_stop_the_others() -> None:
    wrong = a_release(10)
    wrong["metadata"] |= {"namespace": "tenant-b", "uid": "u-2"}
    wrong["spec"]["strategy"] = {"canary": {"steps": []}}
    assert [each.tenant for each in a_store(Server(wrong, a_release(10))).releases()] == ["tenant-a"]


@pytest.mark.parametrize(("calls", "waits"), [(0, []), (50, [0.5])])
def test_an_event_gives_way_to_many_other_calls_and_is_told(
    calls: int, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    # The module's own clock: threads of other tests sleep by the real one.
    monkeypatch.setattr("release.platforms.kubernetes.events.time", SimpleNamespace(sleep=waited.append))
    server = Server(a_release(10))
    store = a_store(server)
    server.calls = calls
    [release] = store.releases()
    moved = Transition(number=1, time=1.0, phase=Phase.VERIFYING, version=7, reason="AliasMoved", message="moved")
    store.save(release, ReleaseStatus(history=[moved]))
    assert server.told.get(timeout=5) == "AliasMoved"
    assert waited == waits
