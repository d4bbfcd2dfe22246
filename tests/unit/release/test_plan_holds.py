"""What holds of the planner whatever happens, in whatever order: a state machine that tries."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from world import Model, Running, World, a_spec, artifact

from release.actions import Ensure, Remove, Weigh
from release.analysis import Outcome, judge
from release.observation import Peers, Published, Refused, Unavailable
from release.plan import plan
from release.status import Phase, ReleaseStatus

_VERSIONS = st.integers(1, 4)
_STRATEGIES = st.sampled_from(
    [
        {"canary": {"steps": [{"weight": 5, "pause": "4s"}, {"weight": 50, "pause": "0s"}], "keepPrevious": "30s"}},
        {"canary": {"steps": [{"weight": 20, "pause": "indefinite"}, {"weight": 60, "pause": "2s"}]}},
        {"blueGreen": {"keepPrevious": "20s"}},
    ]
)
_IDLE = (Phase.STABLE, Phase.VERIFYING, Phase.REJECTED)
_ENDS = (Phase.STABLE, Phase.REJECTED, Phase.PAUSED)
_DEADLINE = 60


class Planned(RuleBasedStateMachine):
    """Every rule changes the world; each plan is checked against what was before it."""

    @initialize(strategy=_STRATEGIES, stable=st.none() | _VERSIONS)
    def begin(self, strategy: dict[str, object], stable: int | None) -> None:
        self.world = World(a_spec(strategy=strategy, minRequests=100, progressDeadline=f"{_DEADLINE}s"))
        self.published: set[int] = set()
        self.approved_for_all: int | None = None
        self.tokens = 0
        self.world.name(stable)
        self.time_passes(8)

    @rule(version=_VERSIONS, errors=st.sampled_from([0.0, 0.0, 0.0, 0.015, 0.3]), ticks=st.integers(1, 30))
    def release(self, version: int, errors: float, ticks: int) -> None:
        """What usually happens; the other rules come in between."""
        world = self.world
        world.registry = replace(world.registry, reachable=True, target=version)
        world.models[version] = Model(errors=errors)
        world.metrics, world.traffic, world.peers = True, 2000, Peers()
        world.verdicts.pop(version, None)
        world.ask(pause=False)
        self.time_passes(ticks)

    @rule(version=st.none() | _VERSIONS)
    def move_the_alias(self, version: int | None) -> None:
        self.world.name(version)

    @rule(reachable=st.booleans())
    def registry_goes_or_comes(self, reachable: bool) -> None:
        self.world.registry = replace(self.world.registry, reachable=reachable)

    @rule(version=_VERSIONS, kind=st.sampled_from(["published", "refused", "unavailable", "forgotten"]))
    def verdict(self, version: int, kind: str) -> None:
        verdicts = {
            "published": Published(artifact(version)),
            "refused": Refused("Unsigned", "there is no signature"),
            "unavailable": Unavailable("the object store does not answer"),
        }
        self.world.verdicts.pop(version, None)
        if kind in verdicts:
            self.world.verdicts[version] = verdicts[kind]

    @rule(
        version=_VERSIONS,
        model=st.builds(
            Model,
            errors=st.sampled_from([0.0, 0.0, 0.015, 0.3]),
            slow=st.sampled_from([0.0, 0.5]),
            positive=st.sampled_from([0.5, 0.5, 1.0]),
            smoke=st.sampled_from(["", "", "a probability is not a number"]),
            starts=st.booleans(),
            failed=st.sampled_from([None, None, "exit code 1"]),
            blocked=st.sampled_from([None, None, "exceeded quota"]),
        ),
    )
    def model_changes(self, version: int, model: Model) -> None:
        self.world.models[version] = model

    @rule(version=_VERSIONS)
    def model_is_well(self, version: int) -> None:
        self.world.models[version] = Model()

    @rule(version=_VERSIONS, errors=st.integers(1, 3))
    def gateway_errors(self, version: int, errors: int) -> None:
        if version in self.world.versions:
            self.world.versions[version].gateway_errors += errors

    @rule(version=_VERSIONS)
    def process_restarts(self, version: int) -> None:
        if version in self.world.versions:
            self.world.versions[version] = Running(replicas=self.world.versions[version].replicas)

    @rule(version=_VERSIONS, replicas=st.integers(1, 4))
    def scaled_from_outside(self, version: int, replicas: int) -> None:
        if version in self.world.versions and self.world.versions[version].replicas:
            self.world.versions[version].replicas = replicas

    @rule(version=_VERSIONS)
    def version_is_lost(self, version: int) -> None:
        self.world.versions.pop(version, None)

    @rule()
    def platform_is_emptied(self) -> None:
        self.world.versions.clear()
        self.world.weights.clear()

    @rule(readable=st.booleans(), traffic=st.sampled_from([0, 20, 2000]))
    def metrics_and_traffic(self, readable: bool, traffic: int) -> None:
        self.world.metrics, self.world.traffic = readable, traffic

    @rule(kind=st.sampled_from(["resume", "abort", "retry"]))
    def people_ask(self, kind: str) -> None:
        self.tokens += 1
        self.world.ask(**{kind: str(self.tokens)})

    @rule(pause=st.booleans())
    def people_pause(self, pause: bool) -> None:
        self.world.ask(pause=pause)

    @rule(done=st.booleans(), rejected=st.frozensets(_VERSIONS, max_size=1))
    def peers(self, done: bool, rejected: frozenset[int]) -> None:
        self.world.peers = Peers(done, rejected)

    @rule(strategy=_STRATEGIES)
    def spec_is_edited(self, strategy: dict[str, object]) -> None:
        self.world.spec = a_spec(strategy=strategy, minRequests=100, progressDeadline=f"{_DEADLINE}s")

    @rule(seconds=st.sampled_from([-7200.0, -30.0, 20.0, 7200.0]))
    def clock_jumps(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(kept=st.booleans(), carried_out=st.integers(0, 3))
    def crash(self, kept: bool, carried_out: int) -> None:
        """The controller dies before it keeps the status, or somewhere in the actions after that."""
        before = self.world.status
        self.look(carried_out if kept else 0)
        if not kept:
            self.world.status = before

    @precondition(lambda self: self.world.status.history)
    @rule()
    def reported(self) -> None:
        status = self.world.status
        self.world.status = status.model_copy(update={"reported": status.history[-1].number})

    @rule()
    def kept_on_disk(self) -> None:
        self.world.status = ReleaseStatus.model_validate_json(self.world.status.model_dump_json(by_alias=True))

    @rule(ticks=st.integers(1, 12))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.look()

    def look(self, carried_out: int | None = None) -> None:
        """Plan once, check everything, and carry out so many of the actions."""
        world = self.world
        world.now += 2
        world.serve()
        before, view, seen = world.status, world.view(), world.observations()
        after, actions = plan(world.spec, before, view, seen, world.now)
        again, same = plan(world.spec, after, view, seen, world.now)
        assert same == actions
        assert again.history == after.history
        assert plan(world.spec, again, view, seen, world.now) == (again, same)
        self.published |= {version for version, verdict in view.verdicts.items() if isinstance(verdict, Published)}
        world.status, world.actions = after, actions
        self.check_history(before, after)
        self.check_shape(after)
        self.check_weights(before, after)
        self.check_actions()
        for action in actions[:carried_out]:
            world.carry_out(action)

    @staticmethod
    def check_history(before: ReleaseStatus, after: ReleaseStatus) -> None:
        numbers = [each.number for each in after.history]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        kept = {each.number for each in before.history if each.number > before.reported}
        assert kept <= set(numbers)
        if numbers:
            assert after.history[-1].phase == after.phase

    @staticmethod
    def check_shape(after: ReleaseStatus) -> None:
        assert (after.canary is None) == (
            after.phase in _IDLE or (after.phase == Phase.PAUSED and after.reason == "VerificationUnavailable")
        )
        if after.phase in (Phase.PAUSED, Phase.REJECTED):
            assert after.reason
            assert after.message
        if after.phase == Phase.ROLLING_BACK:
            assert after.canary
            assert after.canary.weight == 0

    def check_weights(self, before: ReleaseStatus, after: ReleaseStatus) -> None:
        """Weight comes to what was verified, and rises by judgement alone; failure leaves stable as it was."""
        trial, old = after.canary, before.canary
        weight = trial.weight if trial else 0
        was = old.weight if old and trial and old.digest == trial.digest else 0
        if trial is not None:
            assert trial.version in self.published
            assert trial.digest == artifact(trial.version).digest
        if trial is not None and weight > was:
            seen = self.world.observations().seen(trial.version)
            begins = trial.step <= 0 and was == 0
            if begins:
                assert seen.smoke == ""
                first = self.world.spec.strategy.steps
                at_once = before.stable is None or not first or trial.version == getattr(after.previous, "version", 0)
                assert weight == (first[0].weight if first and not at_once else 100)
            elif self.approved_for_all != trial.version:
                assert self.world.metrics
                assert judge(trial.measured, self.world.spec.analysis).outcome is Outcome.SUCCESSFUL
        if after.phase == Phase.PROMOTING and trial is not None and trial.step >= 0:
            # Judged Successful when it came here; it may wait here for its replicas.
            if before.phase != Phase.PROMOTING:
                assert judge(trial.measured, self.world.spec.analysis).outcome is Outcome.SUCCESSFUL
            self.approved_for_all = trial.version
        else:
            self.approved_for_all = None
        if after.stable != before.stable:
            assert before.phase == Phase.PROMOTING
            assert before.canary is not None
            assert before.canary.weight == 100
            assert after.stable is not None
            assert self.world.weights == {after.stable.version: 100}

    def check_actions(self) -> None:
        world, stable = self.world, self.world.status.stable
        weighed = {version for version, weight in world.weights.items() if weight}
        for action in world.actions:
            if isinstance(action, Weigh):
                assert sum(action.weights.values()) == 100
                assert set(action.weights) <= set(world.versions)
                assert set(action.weights) <= self.published
            if isinstance(action, Remove):
                assert action.version not in weighed
                assert stable is None or action.version != stable.version
            if isinstance(action, Ensure) and action.replicas == 0:
                assert stable is None or action.artifact.version not in weighed | {stable.version}
            if isinstance(action, Ensure):
                assert action.artifact.version in self.published
        if stable is not None and world.status.phase in (*_IDLE, Phase.ROLLING_BACK):
            wanted = world.weights == {stable.version: 100} or Weigh({stable.version: 100}) in world.actions
            assert wanted or Ensure(stable) in world.actions
        if stable is not None and stable.version not in world.versions:
            assert Ensure(stable) in world.actions

    def teardown(self) -> None:
        """Once nothing changes from outside any longer, every run ends, and stays."""
        if not hasattr(self, "world"):
            return
        for _ in range(30 + 3 * _DEADLINE // 2):
            self.look()
        world = self.world
        assert world.status.phase in _ENDS, world.status
        ended = world.status.history
        for _ in range(3):
            self.look()
            assert world.status.history == ended
            assert not [action for action in world.actions if not isinstance(action, Ensure)] or (
                world.status.reason == "VerificationUnavailable"
            )
        if world.status.phase == Phase.REJECTED and world.status.stable is not None:
            assert world.weights == {world.status.stable.version: 100}


TestWhateverHappens = Planned.TestCase
TestWhateverHappens.settings = settings(
    max_examples=int(os.environ.get("FERRYMAN_PLAN_EXAMPLES", "100")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
