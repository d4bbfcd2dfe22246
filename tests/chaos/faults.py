"""The faults, each made for real and one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial

import psutil
from stacks import TENANTS

from chaos import clocks, disk, network
from chaos.clocks import Clock
from chaos.stage import A, Stage
from infra.local.supervisor import Supervisor
from release.platforms.local.predictor import Predictor

__all__ = ["FAULTS", "Fault"]

_NOBODY: frozenset[str] = frozenset()
_GOES_ON = frozenset({"Stable"})
_HOUR = 3600


@dataclass(frozen=True)
class Fault:
    """One line of the table.

    Attributes:
        cause: makes the fault at a stage, on which this version is on trial, and ends it.
        seconds: how long it lasts; 0 for a blow.
        loses: the tenants that may lose requests, and what share of them while it lasts.
        ends: where the release may end: ``Stable``, or elsewhere for one of these reasons.
        lacking: why it cannot be made here, or "".
        begins_inside: the alias is moved when the fault is there already, not before.
        forgets: what MLflow was told a moment before may be undone, so that a person has to do it again.
        around: what the whole scene needs.
    """

    name: str
    story: str
    cause: Callable[[Stage, int], AbstractContextManager[None]]
    seconds: float = 0
    loses: frozenset[str] = _NOBODY
    most: float = 1.0
    ends: frozenset[str] = _GOES_ON
    lacking: Callable[[], str] = str
    begins_inside: bool = False
    forgets: bool = False
    around: Callable[[Stage], AbstractContextManager[None]] = nullcontext


Which = Callable[[Stage, int], Predictor]


def _stable(stage: Stage, _: int) -> Predictor:
    return stage.predictor(A, stage.status(A)["stable"]["version"])


def _canary(stage: Stage, version: int) -> Predictor:
    return stage.predictor(A, version)


def _program(name: str) -> Callable[[Stage, int], str]:
    return lambda *_: name


def _program_of(which: Which) -> Callable[[Stage, int], str]:
    return lambda stage, version: which(stage, version).program


def _port_of(which: Which) -> Callable[[Stage, int], int]:
    return lambda stage, version: which(stage, version).endpoint.http_port


@contextmanager
def _killed(stage: Stage, version: int, *, who: Callable[[Stage, int], str]) -> Iterator[None]:
    process = stage.process(who(stage, version))
    family = [process, *process.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    yield


@contextmanager
def _still(stage: Stage, version: int, *, who: Callable[[Stage, int], str]) -> Iterator[None]:
    process = stage.process(who(stage, version))
    family = [process, *process.children(recursive=True)]
    for each in family:
        each.suspend()
    try:
        yield
    finally:
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.resume()


@contextmanager
def _without_supervisor(stage: Stage, _: int) -> Iterator[None]:
    supervisor = psutil.Process(stage.process("gateway").ppid())
    supervisor.kill()
    supervisor.wait(10)
    yield
    stage.up()


@contextmanager
def _without_power(stage: Stage, _: int) -> Iterator[None]:
    processes = Supervisor(stage.settings).processes()
    if stage.disk is not None:
        stage.disk.lose_what_is_not_synced()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)
    if stage.disk is not None:
        stage.disk.return_()
    yield
    stage.up()


@contextmanager
def _apart(stage: Stage, version: int, *, port: Callable[[Stage, int], int]) -> Iterator[None]:
    with network.unreachable(port(stage, version)):
        yield


@contextmanager
def _disk(stage: Stage, _: int, *, kind: str) -> Iterator[None]:
    assert stage.disk is not None
    with stage.disk.full() if kind == "full" else stage.disk.slow():
        yield


@contextmanager
def _clock(stage: Stage, _: int, *, seconds: int) -> Iterator[None]:
    clock = Clock(stage.settings)
    clock.set(seconds)
    try:
        yield
    finally:
        clock.set(0)


def _clocks(stage: Stage) -> AbstractContextManager[None]:
    return clocks.can_be_set(stage.settings, ("mlflow", "release"))


_BOTH = frozenset(TENANTS)
_OF_A = frozenset({A})
_CANARY_LOST = frozenset({"GatewayErrors", "NotReady"})

FAULTS = (
    Fault("stable-killed", "kill -9: the stable predictor", partial(_killed, who=_program_of(_stable)), loses=_OF_A),
    Fault(
        "canary-killed",
        "kill -9: the canary's predictor",
        partial(_killed, who=_program_of(_canary)),
        loses=_OF_A,
        most=0.5,
        ends=_CANARY_LOST,
    ),
    Fault("gateway-killed", "kill -9: the gateway", partial(_killed, who=_program("gateway")), loses=_BOTH),
    Fault("controller-killed", "kill -9: the release controller", partial(_killed, who=_program("release"))),
    Fault("mlflow-killed", "kill -9: MLflow", partial(_killed, who=_program("mlflow"))),
    Fault("store-killed", "kill -9: the object store", partial(_killed, who=_program("s3"))),
    Fault("supervisor-killed", "kill -9: the supervisor, and `make up` 5 s later", _without_supervisor, 5, loses=_BOTH),
    Fault(
        "power-cut",
        "power cut: all processes, and what was not synced; then `make up`",
        _without_power,
        loses=_BOTH,
        # SQLite is sure of a commit once the folder is synced, which ext4 does every five seconds.
        forgets=True,
    ),
    Fault(
        "mlflow-apart",
        "partition, 12 s: nobody reaches MLflow",
        partial(_apart, port=lambda stage, _: stage.settings.mlflow_port),
        12,
        lacking=network.lacking,
    ),
    Fault(
        "store-apart",
        "partition, 12 s: nobody reaches the object store, and the alias is moved",
        partial(_apart, port=lambda stage, _: stage.settings.s3_port),
        12,
        lacking=network.lacking,
        begins_inside=True,
    ),
    Fault(
        "stable-apart",
        "partition, 6 s: nobody reaches the stable predictor",
        partial(_apart, port=_port_of(_stable)),
        6,
        loses=_OF_A,
        lacking=network.lacking,
    ),
    Fault(
        "canary-apart",
        "partition, 6 s: nobody reaches the canary's predictor",
        partial(_apart, port=_port_of(_canary)),
        6,
        loses=_OF_A,
        most=0.5,
        ends=_CANARY_LOST,
        lacking=network.lacking,
    ),
    Fault("stable-still", "standstill, 5 s: the stable predictor", partial(_still, who=_program_of(_stable)), 5),
    Fault("gateway-still", "standstill, 5 s: the gateway", partial(_still, who=_program("gateway")), 5),
    Fault("controller-still", "standstill, 10 s: the release controller", partial(_still, who=_program("release")), 10),
    Fault("disk-full", "full disk, 15 s", partial(_disk, kind="full"), 15, lacking=disk.lacking),
    Fault(
        "disk-slow",
        "slow disk, 15 s: a write waits for up to 2 s",
        partial(_disk, kind="slow"),
        15,
        lacking=disk.lacking,
    ),
    Fault(
        "clock-ahead",
        "clock skew, 10 s: MLflow and the controller are an hour ahead",
        partial(_clock, seconds=_HOUR),
        10,
        ends=_GOES_ON | {"TooFewRequests"},
        lacking=clocks.lacking,
        around=_clocks,
    ),
    Fault(
        "clock-behind",
        "clock skew, 10 s: MLflow and the controller are an hour behind",
        partial(_clock, seconds=-_HOUR),
        10,
        lacking=clocks.lacking,
        around=_clocks,
    ),
)
