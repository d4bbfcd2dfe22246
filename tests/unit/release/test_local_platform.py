from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from world import a_spec, artifact

from infra.local.gateway import Endpoint
from infra.local.settings import Settings
from infra.local.supervisor import ProcessState, Supervisor
from release.observation import Requests, VersionSeen
from release.platforms.local import platform
from release.platforms.local.platform import LocalPlatform
from release.platforms.local.predictor import Predictor
from release.status import ReleaseStatus
from release.store import Release

URI = "s3://released/sentiment/3-0123456789ab/"
JUST_ADDED = Predictor("tenant-a", "tenant-a", "sentiment", 3, URI, Endpoint(1, 2))


def seen(home: Path, state: str) -> VersionSeen:
    # A port that nobody listens on: this store never answers, so a fault is laid at its door.
    settings = Settings(home=home, s3_port=1)
    settings.prepare()
    states = {JUST_ADDED.program: ProcessState(JUST_ADDED.program, state, 0, 0)}
    found = LocalPlatform(settings)._see(JUST_ADDED, states, {}, judged=False)
    assert found is not None
    return found


def test_a_predictor_that_the_supervisor_has_not_started_yet_has_no_fault(tmp_path: Path) -> None:
    found = seen(tmp_path / "home", "STOPPED")
    assert (found.ready, found.failed, found.blocked) == (False, None, None)


@pytest.mark.parametrize("state", ["BACKOFF", "EXITED", "FATAL"])
def test_one_that_ended_at_start_has_one(tmp_path: Path, state: str) -> None:
    found = seen(tmp_path / "home", state)
    assert found.failed or found.blocked


def test_predictors_that_start_at_the_same_time_get_ports_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.prepare()
    # None of them listens yet, so the system may well give the same port to each who asks.
    monkeypatch.setattr(
        platform, "free_port", lambda besides=(): next(port for port in count(1) if port not in besides)
    )
    monkeypatch.setattr(Supervisor, "states", lambda _: {})
    monkeypatch.setattr(Supervisor, "add", lambda *_: None)
    laptop = LocalPlatform(settings)
    for tenant in ("tenant-a", "tenant-b"):
        laptop.ensure(Release(tenant, tenant, a_spec(), ReleaseStatus(), Requests()), artifact(3), None)
    assert len({port for each in laptop._kept() for port in each.endpoint.ports}) == 4
