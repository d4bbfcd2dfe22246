from __future__ import annotations

from dataclasses import replace

import pytest
from world import Model, Running, World, a_spec, artifact, condition, on_trial, reasons, serving, until

from release.actions import Ensure, Remove, Smoke, Verify, Weigh
from release.observation import Peers, Refused, Unavailable
from release.status import Phase, ReleaseStatus

BLUE_GREEN = {"blueGreen": {"keepPrevious": "60s"}}


def test_a_first_release_is_verified_started_and_smoke_tested_before_all_requests() -> None:
    world = World()
    world.name(7)
    done = [world.tick() and world.actions for _ in range(5)]
    assert done == [(Verify(7),), (Ensure(artifact(7)),), (Smoke(7),), (Weigh({7: 100}),), ()]
    assert world.status.phase == Phase.STABLE
    assert world.status.stable == artifact(7)
    assert condition(world, "Progressing") == ("True", "UpToDate")


def test_a_canary_rises_step_by_step_and_is_promoted() -> None:
    world = on_trial()
    weights = []
    while world.tick().phase != Phase.STABLE:
        weights.append(world.weights.get(8))
    assert sorted(set(weights)) == [5, 25, 50, 100]
    assert weights == sorted(weights)
    assert weights.count(5) >= 4  # 10 s, a look every 2 s
    assert world.status.stable == artifact(8)
    assert world.status.previous is not None
    assert world.status.previous.version == 7


def test_the_old_version_stays_as_long_as_it_is_kept_then_ends() -> None:
    world = until(on_trial(), Phase.STABLE)
    world.tick(590)
    assert 7 in world.versions
    world.tick(10)
    assert world.actions == (Remove(7),)


def test_nothing_to_do_gives_the_same_status_and_no_action() -> None:
    world = serving()
    world.tick()
    status = world.status
    for _ in range(3):
        assert world.tick() is status
        assert world.actions == ()


def test_a_canary_that_was_not_ready_for_14_s_stays_and_at_15_s_it_is_rolled_back() -> None:
    world = on_trial()
    world.models[8] = Model(starts=False)
    world.tick(1)
    world.tick(14)
    assert world.status.phase == Phase.CANARY
    world.tick(1)
    assert world.status.phase == Phase.ROLLING_BACK
    assert world.status.reason == "NotReady"
    assert world.weights == {7: 100}
    assert until(world, Phase.REJECTED).status.stable == artifact(7)


def test_a_canary_is_not_away_alone_while_stable_is_said_to_be_ready_and_does_not_answer() -> None:
    world = on_trial()
    world.models[8] = Model(starts=False)
    world.metrics = False
    world.tick(1)
    world.tick(20)
    assert world.status.phase == Phase.CANARY
    world.metrics = True
    world.tick(1)
    world.tick(14)
    assert world.status.phase == Phase.CANARY
    world.tick(1)
    assert (world.status.phase, world.status.reason) == (Phase.ROLLING_BACK, "NotReady")


def test_a_canary_that_recovers_in_time_is_not_rolled_back_later() -> None:
    world = on_trial()
    for starts in (False, True, False):
        world.models[8] = Model(starts=starts)
        world.tick(1)
        world.tick(10)
    assert world.status.phase == Phase.CANARY


def test_one_error_of_the_gateway_itself_rolls_back_whatever_the_sample() -> None:
    world = on_trial()
    world.traffic = 0
    world.versions[8].gateway_errors += 1
    world.tick()
    assert (world.status.phase, world.status.reason) == (Phase.ROLLING_BACK, "GatewayErrors")


def test_a_power_cut_takes_stable_too_and_is_not_held_against_the_canary() -> None:
    world = on_trial()
    for starting in ((7, 8), (8,)):
        world.models |= {version: Model(starts=version not in starting) for version in (7, 8)}
        # The gateway is back before both.
        world.versions[8].gateway_errors += 9
        world.tick(14)
    world.models[8] = Model()
    world.versions[8].gateway_errors += 1
    world.tick(1)
    assert world.status.phase == Phase.CANARY
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_a_canary_that_stays_away_when_stable_is_back_is_rolled_back() -> None:
    world = on_trial()
    world.models |= {7: Model(starts=False), 8: Model(starts=False)}
    world.tick(60)
    assert world.status.phase == Phase.CANARY
    world.models[7] = Model()
    world.tick(1)
    world.tick(15)
    assert (world.status.phase, world.status.reason) == (Phase.ROLLING_BACK, "NotReady")


def test_errors_of_the_gateway_before_the_first_weight_do_not_count() -> None:
    world = serving(7)
    world.name(8)
    world.run(2)
    world.versions[8].gateway_errors = 12
    assert until(world, Phase.STABLE).status.stable == artifact(8)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Model(errors=0.2), "ErrorsIncreased"),
        (Model(slow=0.5), "LatencyIncreased"),
        (Model(positive=1.0), "PredictionsShifted"),
        (Model(errors=1.0), "ErrorsIncreased"),
    ],
)
def test_a_bad_canary_goes_back_to_the_old_stable_and_is_kept_stopped(model: Model, reason: str) -> None:
    world = until(on_trial(model=model), Phase.REJECTED)
    assert world.status.reason == reason
    assert world.weights == {7: 100}
    assert world.versions[8].replicas == 0
    assert world.status.rejected is not None
    assert "version 7 serves all requests" in world.status.message
    assert condition(world, "Analysed") == ("False", reason)
    world.run(20)
    assert world.status.phase == Phase.REJECTED


def test_a_failed_version_ends_when_the_alias_moves_and_may_come_again_after_that() -> None:
    world = until(on_trial(model=Model(errors=0.2)), Phase.REJECTED)
    world.name(7)
    world.run(2)
    assert world.status.phase == Phase.STABLE
    assert 8 not in world.versions
    world.models[8] = Model()
    world.name(8)
    assert until(world, Phase.CANARY)


def test_a_version_that_fails_its_smoke_set_never_gets_a_request() -> None:
    world = serving(7)
    world.models[8] = Model(smoke="expected positive, got negative")
    world.name(8)
    until(world, Phase.REJECTED)
    assert world.status.reason == "SmokeFailed"
    assert "expected positive, got negative" in world.status.message
    assert world.versions[8].counts.requests == 0


def test_a_version_that_ends_while_starting_is_rejected_with_the_reason() -> None:
    world = serving(7)
    world.models[8] = Model(failed="exit code 1: digest mismatch")
    world.name(8)
    assert until(world, Phase.REJECTED).status.reason == "FailedToRun"
    assert "digest mismatch" in world.status.message


def test_a_refused_version_is_never_started() -> None:
    world = serving(7)
    world.verdicts[8] = Refused("Unsigned", "version 8 has no signature; sign it, then `retry`")
    world.name(8)
    world.run(5)
    assert (world.status.phase, world.status.reason) == (Phase.REJECTED, "Unsigned")
    assert set(world.versions) == {7}
    assert condition(world, "Verified") == ("False", "Unsigned")


def test_without_a_verdict_the_release_pauses_at_the_deadline_and_goes_on_by_itself() -> None:
    world = serving(7, a_spec(progressDeadline="60s"))
    world.verdicts[8] = Unavailable("the object store does not answer")
    world.name(8)
    world.run(5)
    assert world.status.phase == Phase.VERIFYING
    assert condition(world, "Verified") == ("Unknown", "VerificationUnavailable")
    until(world, Phase.PAUSED)
    assert world.actions == (Verify(8),)
    del world.verdicts[8]
    assert until(world, Phase.CANARY)


def test_a_deleted_alias_moves_nothing_and_a_condition_says_so() -> None:
    world = serving(7)
    world.name(None)
    world.run(5)
    assert world.status.phase == Phase.STABLE
    assert world.weights == {7: 100}
    assert condition(world, "Progressing") == ("False", "AliasDeleted")


def test_an_alias_deleted_during_a_canary_holds_its_weight_and_failures_still_roll_back() -> None:
    world = on_trial()
    world.name(None)
    world.run(20)
    assert (world.status.phase, world.status.reason, world.weights[8]) == (Phase.PAUSED, "AliasDeleted", 5)
    world.name(8)
    assert world.tick().phase == Phase.CANARY
    world.name(None)
    world.tick()
    world.models[8] = Model(errors=0.5)
    assert until(world, Phase.REJECTED).weights == {7: 100}


def test_a_canary_that_started_too_late_goes_on_though_stable_has_more_replicas() -> None:
    world = serving(7, a_spec(progressDeadline="60s"))
    world.versions[7].replicas = 3
    world.models[8] = Model(starts=False)
    world.name(8)
    assert until(world, Phase.PAUSED).status.reason == "NotStartedInTime"
    world.models[8] = Model()
    assert until(world, Phase.STABLE).status.stable == artifact(8)
    assert world.versions[8].replicas == 3


def test_an_unreachable_registry_starts_nothing_and_stops_nothing() -> None:
    world = serving(7)
    world.registry = replace(world.registry, reachable=False, target=None)
    world.run(3)
    assert condition(world, "Progressing") == ("False", "RegistryUnreachable")
    world = on_trial()
    world.registry = replace(world.registry, reachable=False, target=None)
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_an_alias_moved_during_a_canary_abandons_it_first_and_rejects_nothing() -> None:
    world = on_trial(25)
    world.name(9)
    world.tick()
    assert world.status.phase == Phase.ROLLING_BACK
    assert world.weights == {7: 100}
    world.run(5)
    assert (world.status.phase, world.status.rejected) == (Phase.CANARY, None)
    assert set(world.versions) == {7, 9}


def test_an_alias_moved_back_to_stable_during_a_canary_ends_it() -> None:
    world = on_trial(25)
    world.name(7)
    world.run(3)
    assert world.status.phase == Phase.STABLE
    assert set(world.versions) == {7}


def test_going_back_to_the_previous_version_takes_no_canary_and_no_waiting() -> None:
    world = until(on_trial(), Phase.STABLE)
    world.peers = Peers(earlier_waves_done=False, rejected=frozenset({7}))
    world.name(7)
    world.run(3)
    assert world.weights == {7: 100}
    assert world.status.stable == artifact(7)
    assert (Phase.CANARY, "SmokePassed") not in reasons(world)[-4:]


def test_a_previous_version_that_was_revoked_since_does_not_come_back() -> None:
    world = until(on_trial(), Phase.STABLE)
    world.verdicts[7] = Refused("Revoked", "its digest is on the revoked list")
    world.name(7)
    world.run(3)
    assert (world.status.phase, world.weights) == (Phase.REJECTED, {8: 100})


def test_too_few_requests_end_in_a_pause_without_weight_and_resume_counts_on() -> None:
    world = serving(7, a_spec(progressDeadline="60s", minRequests=100))
    world.traffic = 40  # two a look for the canary
    world.name(8)
    until(world, Phase.PAUSED)
    assert (world.status.reason, world.weights) == ("TooFewRequests", {7: 100})
    counted = sum(step.canary.requests for step in world.status.canary.measured.steps)  # type: ignore[union-attr]
    world.run(50)
    assert world.status.phase == Phase.PAUSED
    world.ask(resume="go")
    world.run(2)
    assert world.weights == {7: 95, 8: 5}
    again = world.status.canary.measured.steps  # type: ignore[union-attr]
    assert counted <= sum(step.canary.requests for step in again) <= counted + 4


def test_metrics_that_cannot_be_read_never_promote() -> None:
    world = on_trial(spec=a_spec(progressDeadline="60s"))
    world.metrics = False
    world.run(20)
    assert world.weights == {7: 95, 8: 5}
    assert condition(world, "Analysed") == ("Unknown", "MetricsUnavailable")
    until(world, Phase.PAUSED)
    assert (world.status.reason, world.weights) == ("MetricsUnavailable", {7: 100})


def test_a_short_gap_in_the_metrics_only_delays() -> None:
    world = on_trial()
    world.metrics = False
    world.run(5)
    world.metrics = True
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_a_quota_pauses_the_release_after_two_minutes_and_lifting_it_goes_on() -> None:
    world = serving(7)
    world.models[8] = Model(blocked="exceeded quota: requests.cpu")
    world.name(8)
    world.run(5)
    assert condition(world, "Progressing") == ("False", "Blocked")
    world.tick(118)
    assert (world.status.phase, world.status.reason) == (Phase.PAUSED, "Blocked")
    assert "exceeded quota: requests.cpu" in world.status.message
    world.models[8] = Model()
    assert until(world, Phase.CANARY)


def test_the_canary_gets_as_many_replicas_as_stable_has_before_all_requests() -> None:
    world = on_trial(50)
    world.versions[7].replicas = 4
    until(world, Phase.PROMOTING)
    assert world.actions == (Ensure(artifact(8), 4),)
    assert world.weights[8] == 50
    world.tick()
    assert world.weights == {8: 100}
    assert world.versions[7].replicas == 4


def test_blue_green_moves_all_requests_at_once_after_the_smoke_set() -> None:
    world = serving(7, a_spec(strategy=BLUE_GREEN))
    world.name(8)
    until(world, Phase.STABLE)
    assert world.status.stable == artifact(8)
    assert [phase for phase, _ in reasons(world)[-3:]] == [Phase.VERIFYING, Phase.PROMOTING, Phase.STABLE]


def test_a_later_wave_begins_when_the_earlier_ones_are_done() -> None:
    world = serving(7)
    world.peers = Peers(earlier_waves_done=False)
    world.name(8)
    world.run(5)
    assert condition(world, "Progressing") == ("False", "WaitingForEarlierWaves")
    assert world.status.phase == Phase.STABLE
    world.peers = Peers()
    assert until(world, Phase.CANARY)


def test_what_was_rejected_elsewhere_does_not_start_until_retry_or_until_it_passes_there() -> None:
    for lift in ("retry", "passed"):
        world = serving(7)
        world.peers = Peers(rejected=frozenset({8}))
        world.name(8)
        world.run(5)
        assert (world.status.phase, world.status.reason) == (Phase.REJECTED, "RejectedElsewhere")
        if lift == "retry":
            world.ask(retry="here")
        else:
            world.peers = Peers()
        assert until(world, Phase.CANARY)


def test_a_stable_version_that_is_gone_is_brought_back_and_weighed_again() -> None:
    world = serving(7)
    world.versions.clear()
    world.weights.clear()
    world.tick()
    assert world.actions == (Ensure(artifact(7)),)
    world.tick()
    assert world.actions == (Weigh({7: 100}),)


def test_what_nobody_knows_ends_but_not_while_it_has_requests() -> None:
    world = serving(7)
    world.versions[3], world.versions[4] = Running(), Running()
    world.weights = {7: 90, 3: 10}
    world.tick()
    assert world.actions == (Weigh({7: 100}), Remove(4))
    world.tick()
    assert world.actions == (Remove(3),)


def test_a_failing_first_release_leaves_nothing_running() -> None:
    world = World()
    world.models[7] = Model(smoke="no answer")
    world.name(7)
    until(world, Phase.REJECTED)
    assert (world.weights, world.versions[7].replicas) == ({}, 0)
    world.name(8)
    assert until(world, Phase.STABLE).status.stable == artifact(8)


def test_a_lost_action_is_asked_for_again() -> None:
    world = serving(7)
    world.name(8)
    world.run(3)
    weights = dict(world.weights)
    world.tick()
    asked, world.weights = world.actions, weights
    world.tick()
    assert world.actions == asked == (Weigh({7: 95, 8: 5}),)


def test_a_clock_that_ran_ahead_delays_no_deadline() -> None:
    world = on_trial()
    world.models[8] = Model(starts=False)
    world.tick(3600)
    world.now -= 7200
    world.tick(1)
    world.tick(15)
    assert world.status.phase == Phase.ROLLING_BACK


def test_unreported_transitions_are_kept_however_many_and_reported_ones_make_room() -> None:
    world = serving(7)
    for version in range(10, 40):
        world.verdicts[version] = Refused("Unsigned", "no signature")
        world.name(version)
        world.run(2)
    numbers = [each.number for each in world.status.history]
    assert numbers == list(range(1, 64))
    world.status = world.status.model_copy(update={"reported": 63})
    world.name(7)
    world.tick()
    assert [each.number for each in world.status.history] == list(range(45, 65))


def test_the_status_survives_the_disk() -> None:
    world = on_trial(25)
    assert ReleaseStatus.model_validate_json(world.status.model_dump_json(by_alias=True)) == world.status


def test_steps_edited_during_a_canary_never_lift_its_weight_without_a_judgement() -> None:
    world = on_trial(5, spec=a_spec(minRequests=10_000))
    world.spec = a_spec(strategy={"canary": {"steps": [{"weight": 60, "pause": "0s"}]}}, minRequests=10_000)
    world.run(20)
    assert world.weights == {7: 95, 8: 5}
    world.spec = a_spec(strategy={"canary": {"steps": [{"weight": 60, "pause": "0s"}]}})
    world.tick()
    assert world.weights == {7: 40, 8: 60}


def test_a_strategy_edited_to_blue_green_while_the_canary_starts_moves_all_requests_at_once() -> None:
    world = serving(7)
    world.name(8)
    world.run(2)
    world.spec = a_spec(strategy=BLUE_GREEN)
    assert until(world, Phase.STABLE).status.stable == artifact(8)
