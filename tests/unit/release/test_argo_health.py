"""Argo CD's check of a ModelRelease, on statuses that the planner itself comes to."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from argo_health import health
from world import Model, World, a_spec, on_trial, serving, until

from release.crd import API_VERSION, KIND
from release.observation import Refused
from release.status import Phase

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")


def said(world: World) -> tuple[str, str]:
    status = world.status.model_dump(by_alias=True, mode="json", exclude_none=True)
    return health({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "sentiment"}, "status": status})


def verifying() -> World:
    world = serving(7)
    world.name(8)
    world.tick()
    return world


def paused() -> World:
    world = on_trial()
    world.name(None)
    return until(world, Phase.PAUSED)


IN_PHASE: dict[Phase, tuple[Callable[[], World], str]] = {
    Phase.STABLE: (serving, "Healthy"),
    Phase.VERIFYING: (verifying, "Progressing"),
    Phase.CANARY: (on_trial, "Progressing"),
    Phase.PROMOTING: (lambda: until(on_trial(), Phase.PROMOTING), "Progressing"),
    Phase.ROLLING_BACK: (lambda: until(on_trial(model=Model(errors=0.5)), Phase.ROLLING_BACK), "Progressing"),
    Phase.PAUSED: (paused, "Suspended"),
    Phase.REJECTED: (lambda: until(on_trial(model=Model(errors=0.5)), Phase.REJECTED), "Degraded"),
}


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_health_and_says_why(phase: Phase) -> None:
    make, expected = IN_PHASE[phase]
    world = make()
    assert world.status.phase == phase
    status, message = said(world)
    assert status == expected
    assert world.status.message in message or message == "version 7"


def test_a_phase_that_is_newer_than_the_check_is_unknown() -> None:
    world = serving()
    status = world.status.model_dump(by_alias=True, mode="json", exclude_none=True) | {"phase": "Dreaming"}
    found = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "sentiment"}, "status": status}
    assert health(found) == ("Unknown", "phase Dreaming is newer than this check")


def test_a_release_that_nobody_has_looked_at_is_on_its_way() -> None:
    found = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "sentiment"}}
    assert health(found)[0] == "Progressing"


def test_a_tenant_without_a_first_version_waits_for_a_person() -> None:
    world = World()
    world.tick()
    assert said(world) == ("Suspended", "nothing is released yet")


def test_a_first_version_that_is_refused_is_degraded() -> None:
    world = World(a_spec())
    world.verdicts[7] = Refused("Unsigned", "version 7 carries no signature")
    world.name(7)
    until(world, Phase.REJECTED)
    assert said(world) == ("Degraded", world.status.message)


def test_a_stable_version_that_does_not_answer_comes_before_the_phase() -> None:
    for world in (serving(), on_trial()):
        phase = world.status.phase
        world.models[7] = Model(starts=False)
        world.tick()
        assert world.status.phase == phase
        status, message = said(world)
        assert status == "Degraded"
        assert message.startswith("version 7, the stable one, is not ready")


def test_a_rejected_version_is_forgotten_once_the_alias_names_the_stable_one_again() -> None:
    world = until(on_trial(model=Model(errors=0.5)), Phase.REJECTED)
    world.name(7)
    until(world, Phase.STABLE)
    assert said(world) == ("Healthy", "version 7")
