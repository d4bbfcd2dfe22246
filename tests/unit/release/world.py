"""A small platform and registry for planning: it carries out actions at once, and answers requests by their weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from release.actions import Action, Ensure, Remove, Smoke, Verify, Weigh
from release.counts import BUCKET_BOUNDS, Counts
from release.observation import Observations, Peers, Published, RegistryView, Requests, Verdict, VersionSeen
from release.plan import plan
from release.spec import ReleaseSpec
from release.status import Phase, ReleaseStatus, VersionRef

STEPS = ({"weight": 5, "pause": "10s"}, {"weight": 25, "pause": "10s"}, {"weight": 50, "pause": "10s"})
_FAST = 2
_SLOW = 9


def a_spec(*, strategy: dict[str, Any] | None = None, **analysis: Any) -> ReleaseSpec:
    return ReleaseSpec.model_validate(
        {
            "model": "sentiment",
            "route": {"hostnames": ["tenant-a.localhost"]},
            "strategy": strategy or {"canary": {"steps": STEPS}},
            "analysis": {"minRequests": 100} | analysis,
        }
    )


def artifact(version: int) -> VersionRef:
    return VersionRef(
        version=version, digest=f"{version:064x}", storage_uri=f"s3://released/sentiment/{version}-{version:012x}/"
    )


@dataclass
class Model:
    """How a version behaves: what of its requests fail, are slow, or are labelled positive."""

    errors: float = 0.0
    slow: float = 0.0
    positive: float = 0.5
    smoke: str = ""
    starts: bool = True
    failed: str | None = None
    blocked: str | None = None


@dataclass
class Running:
    replicas: int = 1
    smoke: str | None = None
    counts: Counts = field(default_factory=lambda: Counts(latency=(0,) * (len(BUCKET_BOUNDS) + 1)))
    gateway_errors: int = 0


class World:
    """``tick`` plans once and carries it out; every field may be changed in between."""

    def __init__(self, spec: ReleaseSpec | None = None) -> None:
        self.spec = spec or a_spec()
        self.status = ReleaseStatus()
        self.now = 1_000_000.0
        self.registry = RegistryView(reachable=True, target=None)
        self.models: dict[int, Model] = {}
        self.verdicts: dict[int, Verdict] = {}
        self.versions: dict[int, Running] = {}
        self.weights: dict[int, int] = {}
        self.metrics = True
        self.requests = Requests()
        self.peers = Peers()
        self.stable_replicas = 1
        self.traffic = 2_000
        self.actions: tuple[Action, ...] = ()

    def name(self, version: int | None) -> None:
        """Move the alias."""
        self.registry = replace(self.registry, target=version)

    def model(self, version: int) -> Model:
        return self.models.setdefault(version, Model())

    def ask(self, **requests: Any) -> None:
        self.requests = replace(self.requests, **requests)

    def observations(self) -> Observations:
        seen = {version: self._seen(version, running) for version, running in self.versions.items()}
        return Observations(seen, dict(self.weights), self.peers, self.requests)

    def view(self) -> RegistryView:
        return replace(self.registry, verdicts=dict(self.verdicts))

    def tick(self, seconds: float = 2.0) -> ReleaseStatus:
        self.now += seconds
        self.serve()
        self.status, self.actions = plan(self.spec, self.status, self.view(), self.observations(), self.now)
        for action in self.actions:
            self.carry_out(action)
        return self.status

    def run(self, ticks: int) -> ReleaseStatus:
        for _ in range(ticks):
            self.tick()
        return self.status

    def carry_out(self, action: Action) -> None:
        match action:
            case Verify(version):
                self.verdicts.setdefault(version, Published(artifact(version)))
            case Ensure(ref, 0):
                self.versions[ref.version] = Running(replicas=0)
            case Ensure(ref, replicas):
                running = self.versions.setdefault(ref.version, Running())
                running.replicas = max(running.replicas, replicas or 1)
            case Smoke(version):
                self.versions[version].smoke = self.model(version).smoke
            case Weigh(weights):
                self.weights = dict(weights)
            case Remove(version):
                del self.versions[version]

    def serve(self) -> None:
        """Answer as many requests as come in a tick."""
        for version, weight in self.weights.items():
            running = self.versions.get(version)
            if running is not None and running.replicas:
                self._answer(running, self.model(version), self.traffic * weight // 100)

    def _seen(self, version: int, running: Running) -> VersionSeen:
        model = self.model(version)
        up = running.replicas > 0 and model.starts and model.blocked is None and model.failed is None
        return VersionSeen(
            ready=up,
            replicas=running.replicas if up else 0,
            failed=model.failed,
            blocked=model.blocked,
            stopped=running.replicas == 0,
            smoke=running.smoke,
            counters={"one": running.counts} if self.metrics else None,
            gateway_errors=running.gateway_errors,
        )

    @staticmethod
    def _answer(running: Running, model: Model, requests: int) -> None:
        errors, slow, positive = (round(requests * share) for share in (model.errors, model.slow, model.positive))
        before = running.counts
        latency = list(before.latency)
        latency[_SLOW] += slow
        latency[_FAST] += requests - slow
        running.counts = Counts(
            requests=before.requests + requests,
            errors=before.errors + errors,
            latency=tuple(latency),
            labels={
                "positive": before.labels.get("positive", 0) + positive,
                "negative": before.labels.get("negative", 0) + requests - positive,
            },
        )


def serving(version: int = 7, spec: ReleaseSpec | None = None) -> World:
    """A world whose stable version serves all requests."""
    world = World(spec)
    world.name(version)
    world.run(6)
    assert world.status.stable == artifact(version)
    assert world.weights == {version: 100}
    return world


def reasons(world: World) -> list[tuple[Phase, str]]:
    return [(each.phase, each.reason) for each in world.status.history]


def on_trial(weight: int = 5, model: Model | None = None, spec: object = None) -> World:
    """Version 7 is stable, version 8 has got so much weight."""
    world = serving(7, spec) if spec else serving(7)  # type: ignore[arg-type]
    world.models[8] = model or Model()
    world.name(8)
    for _ in range(40):
        if world.weights.get(8) == weight:
            return world
        world.tick()
    raise AssertionError(world.status)


def until(world: World, phase: Phase, ticks: int = 60) -> World:
    for _ in range(ticks):
        if world.tick().phase == phase:
            return world
    raise AssertionError(world.status)


def condition(world: World, kind: str) -> tuple[str, str]:
    found = next(each for each in world.status.conditions if each.type == kind)
    return found.status, found.reason
