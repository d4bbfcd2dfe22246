"""One scene: a canary is on its way under load, the fault comes and goes, and everything is written down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from stacks import TENANTS, eventually

from chaos.answers import Answers, load
from chaos.faults import Fault
from chaos.registry import holds, published
from chaos.seen import Line, Seen, Window
from chaos.stage import A, B, Stage
from registry.client import RegistryUnreachableError
from registry.history import ReleaseHistory

__all__ = ["play"]

_PATIENCE_SECONDS = 240


def play(stage: Stage, fault: Fault) -> Seen:
    """Make one fault and return what was seen."""
    stage.settle()
    version, before = stage.other(), holds(stage.settings)
    last = {tenant: stage.status(tenant)["history"][-1]["number"] for tenant in TENANTS}
    with load(stage.stack) as answers, stage.watched(A) as samples:
        eventually(lambda: answers.well_since(0, 20))
        if not fault.begins_inside:
            stage.move("champion", version)
            eventually(lambda: stage.weight(version), 120, lambda: str(stage.status(A)))
        stage.move("steady", stage.unsigned)
        window = _made(stage, fault, version, answers)
        if fault.forgets:
            stage.move("champion", version)
            stage.move("steady", stage.unsigned)
        eventually(lambda: stage.ended(version), _PATIENCE_SECONDS, lambda: str(stage.status(A)))
        eventually(lambda: stage.status(B)["phase"] == "Rejected", _PATIENCE_SECONDS, lambda: str(stage.status(B)))
        time.sleep(1)
    history = {tenant: _since(stage, tenant, last[tenant]) for tenant in TENANTS}
    # What a person reads in the registry is written later, and again until it is there.
    eventually(lambda: all(_written(tenant, history[tenant]) for tenant in TENANTS), _PATIENCE_SECONDS)
    return Seen(
        version=version,
        unsigned=stage.unsigned,
        good=frozenset(stage.good),
        window=window,
        answers=tuple(answers.all()),
        samples=tuple(samples),
        history=history,
        reported={tenant: _reported(tenant) for tenant in TENANTS},
        end={tenant: stage.status(tenant) for tenant in TENANTS},
        running=tuple(stage.running()),
        published=tuple(published(stage.settings)),
        before=before,
        after=holds(stage.settings),
    )


def _made(stage: Stage, fault: Fault, version: int, answers: Answers) -> Window:
    """Make the fault, end it, and wait until all is well."""
    begun = time.monotonic()
    with fault.cause(stage, version):
        if fault.begins_inside:
            stage.move("champion", version)
            stage.move("steady", stage.unsigned)
        time.sleep(max(0.0, begun + fault.seconds - time.monotonic()))
        ended = time.monotonic()
    eventually(lambda: stage.well(answers, ended), _PATIENCE_SECONDS, lambda: "it does not come back by itself")
    return Window(begun, ended, time.monotonic())


def _since(stage: Stage, tenant: str, number: int) -> list[Line]:
    return [line for line in stage.status(tenant)["history"] if line["number"] > number]


def _written(tenant: str, history: Sequence[Line]) -> bool:
    with suppress(RegistryUnreachableError):
        return {line["number"] for line in history} <= set(_reported(tenant))
    return False


def _reported(tenant: str) -> list[int]:
    return [int(line["number"]) for line in ReleaseHistory().read("sentiment", tenant)]
