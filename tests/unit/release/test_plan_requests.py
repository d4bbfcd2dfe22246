"""What people ask of a release while it is planned: abort, retry, resume, pause, and the decision on an A/B test."""

from __future__ import annotations

from world import Model, a_spec, artifact, condition, on_trial, serving, until

from release.status import Phase


def test_retry_tries_a_failed_version_again_once() -> None:
    world = until(on_trial(model=Model(errors=0.2)), Phase.REJECTED)
    world.ask(retry="monday")
    until(world, Phase.CANARY)
    until(world, Phase.REJECTED)
    world.run(10)
    assert world.status.phase == Phase.REJECTED
    world.models[8] = Model()
    world.ask(retry="tuesday")
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_retry_during_the_rollback_waits_for_its_end() -> None:
    world = on_trial(model=Model(errors=0.2))
    until(world, Phase.ROLLING_BACK)
    world.models[8] = Model()
    world.ask(retry="now")
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_an_indefinite_step_keeps_its_weight_until_somebody_decides() -> None:
    spec = a_spec(strategy={"canary": {"steps": [{"weight": 20, "pause": "indefinite"}]}}, progressDeadline="60s")
    world = on_trial(20, spec=spec)
    world.run(100)
    assert (world.status.phase, world.status.reason, world.weights[8]) == (Phase.PAUSED, "AwaitingDecision", 20)
    world.ask(resume="go")
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_a_resumed_step_still_needs_a_successful_judgement() -> None:
    spec = a_spec(strategy={"canary": {"steps": [{"weight": 20, "pause": "indefinite"}]}}, minRequests=10_000)
    world = on_trial(20, spec=spec)
    world.ask(resume="go")
    world.run(10)
    assert (world.status.phase, world.weights[8]) == (Phase.CANARY, 20)


def test_abort_rolls_back_and_is_carried_out_once() -> None:
    world = on_trial(25)
    world.ask(abort="stop")
    assert until(world, Phase.REJECTED).status.reason == "Aborted"
    world.name(9)
    assert until(world, Phase.STABLE).status.stable == artifact(9)


def test_a_request_that_fits_nothing_does_not_strike_later() -> None:
    world = serving(7)
    world.ask(abort="too late", resume="what", retry="whom")
    world.run(2)
    world.name(8)
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_a_pause_keeps_the_weight_and_ends_with_the_request() -> None:
    world = on_trial(25)
    world.ask(pause=True)
    world.run(30)
    assert (world.status.reason, world.weights[8]) == ("PausedByRequest", 25)
    world.ask(pause=False)
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_nothing_begins_while_a_pause_is_asked_for() -> None:
    world = serving(7)
    world.ask(pause=True)
    world.name(8)
    world.run(3)
    assert condition(world, "Progressing") == ("False", "PausedByRequest")
    assert set(world.versions) == {7}
