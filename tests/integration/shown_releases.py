"""Releases as the controller leaves them on its board: of every phase, as many as wanted, the same at each call."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from release.analysis import Judgement, Measure, Outcome
from release.board import Board
from release.observation import VersionSeen
from release.platforms.base import Seen
from release.reasons import Reason
from release.spec import ReleaseSpec
from release.status import CanaryStatus, Condition, Kept, Phase, Rejection, ReleaseStatus, Transition, VersionRef
from release.store import Release

NOW = 1_790_000_000.0
"""When all of it is shown."""
STEPS = [{"weight": weight, "pause": "1m"} for weight in (5, 25, 50)]


def artifact(version: int) -> VersionRef:
    digest = f"{version:02d}ab" * 16
    return VersionRef(version=version, digest=digest, storage_uri=f"s3://released/sentiment/{version}-{digest[:12]}/")


def trial(version: int, *, step: int, weight: int) -> CanaryStatus:
    return CanaryStatus(**artifact(version).model_dump(), step=step, weight=weight, since=NOW - 40, started=NOW - 200)


def a_spec(**changes: Any) -> ReleaseSpec:
    fields: dict[str, Any] = {
        "model": "sentiment",
        "route": {"hostnames": ["tenant.localhost"]},
        "strategy": {"canary": {"steps": STEPS}},
    }
    return ReleaseSpec.model_validate(fields | changes)


def line(number: int, phase: Phase, version: int | None, reason: str, message: str) -> Transition:
    return Transition(
        number=number, time=NOW - 300 + 20 * number, phase=phase, version=version, reason=reason, message=message
    )


def said(kind: str, status: str, reason: str, message: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=NOW - 500)


READY = said("Ready", "True", Reason.UP_TO_DATE, "version 7 is ready")


def stable() -> ReleaseStatus:
    return ReleaseStatus(
        phase=Phase.STABLE,
        reason=Reason.PROMOTED,
        message="version 7 serves all requests",
        stable=artifact(7),
        previous=Kept(**artifact(6).model_dump(), until=NOW + 500),
        target=7,
        phase_since=NOW - 4000,
        conditions=(said("Progressing", "True", Reason.UP_TO_DATE, "version 7 serves all requests"), READY),
        history=(
            line(1, Phase.VERIFYING, 7, Reason.ALIAS_MOVED, "the alias champion names version 7"),
            line(2, Phase.STABLE, 7, Reason.PROMOTED, "version 7 serves all requests"),
        ),
    )


def canary() -> ReleaseStatus:
    message = "version 8 gets 25 %: 2,112 requests, errors and latency within their limits"
    return stable().model_copy(
        update={
            "phase": Phase.CANARY,
            "reason": Reason.SUCCESSFUL,
            "message": message,
            "target": 8,
            "canary": trial(8, step=1, weight=25),
            "phase_since": NOW - 40,
            "conditions": (said("Progressing", "True", Reason.SUCCESSFUL, message), READY),
            "history": (*stable().history, line(3, Phase.CANARY, 8, Reason.SUCCESSFUL, message)),
        }
    )


def rolling_back() -> ReleaseStatus:
    return canary().model_copy(
        update={
            "phase": Phase.ROLLING_BACK,
            "reason": Reason.GATEWAY_ERRORS,
            "message": "the gateway itself failed 3 requests to version 8: it did not answer them",
            "canary": trial(8, step=1, weight=0),
            "conditions": (READY,),
        }
    )


def rejected() -> ReleaseStatus:
    message = "version 8: 4.1 % of 612 requests failed, 0.4 % at version 7; at most 1.0 % more may fail"
    return stable().model_copy(
        update={
            "phase": Phase.REJECTED,
            "reason": Reason.ERRORS_INCREASED,
            "message": message,
            "target": 8,
            "phase_since": NOW - 90,
            "rejected": Rejection(version=8, reason=Reason.ERRORS_INCREASED, message=message, artifact=artifact(8)),
            "conditions": (said("Progressing", "False", Reason.ERRORS_INCREASED, message), READY),
            "history": (*stable().history, line(3, Phase.REJECTED, 8, Reason.ERRORS_INCREASED, message)),
        }
    )


def paused() -> ReleaseStatus:
    message = "version 8 has 25 % until somebody decides: `resume` goes on, `abort` rolls back"
    return canary().model_copy(
        update={
            "phase": Phase.PAUSED,
            "reason": Reason.AWAITING_DECISION,
            "message": message,
            "conditions": (said("Progressing", "False", Reason.AWAITING_DECISION, message), READY),
        }
    )


def waiting() -> ReleaseStatus:
    held = said(
        "Progressing", "False", Reason.WAITING_FOR_EARLIER_WAVES, "version 8 begins when the waves before 2 serve it"
    )
    return stable().model_copy(update={"target": 8, "conditions": (held, READY)})


def judged(at: float, *, errors: float) -> Judgement:
    """A judgement after ``at`` seconds of a trial whose intervals narrow as requests come in."""
    width = 1 / math.sqrt(1 + at / 4)
    seen = errors + 0.004 * math.sin(at / 7)
    failed = seen > 0.01 and seen - 0.05 * width > 0
    of_errors = Outcome.FAILED if failed else Outcome.INCONCLUSIVE if seen > 0.01 else Outcome.SUCCESSFUL
    slower = 1.08 + 0.1 * width * math.sin(at / 5)
    measures = (
        Measure("errors", 0.004, 0.004 + seen, seen, seen - 0.05 * width, seen + 0.05 * width, 0.01, of_errors),
        Measure("latencyP95", 0.012, 0.012 * slower, slower, slower - width, slower + width, 1.3, Outcome.SUCCESSFUL),
        Measure("predictions", None, None, 0.03, 0.0, 0.03 + 0.2 * width, 0.25, Outcome.SUCCESSFUL),
    )
    message = (
        "after 2,112 requests: 0.40% of its requests failed, 0.40% of stable's; its p95 is 12.9 ms, stable's 12.0 ms"
    )
    return Judgement(of_errors, measures, Reason.SUCCESSFUL, message)


def put(
    board: Board, name: str, status: ReleaseStatus, spec: ReleaseSpec | None = None, *, errors: float = 0.0
) -> None:
    """Show a release that had a trial of five minutes if it has a canary, or a rejected version."""
    release = Release(name, name.partition("/")[0], spec or a_spec(), status)
    serving = status.stable.version if status.stable else 0
    one = VersionSeen(ready=True, replicas=1)
    tried = status.canary or (status.rejected and status.rejected.artifact)
    weights = {serving: 100}
    versions = {serving: one, serving - 1: one}
    board.show(release, Seen(versions, weights), NOW - 300)
    shown = board.one(name)
    assert shown is not None
    if not tried:
        return
    for at in range(0, 240, 2):
        weight = 5 if at < 100 else 25
        judgement = judged(at, errors=errors * at / 240)
        shown.trace.add(NOW - 250 + at, {serving: 100 - weight, tried.version: weight}, judgement)
    current = status.canary.weight if status.canary else 0
    weights = {serving: 100 - current, tried.version: current} if current else {serving: 100}
    shown.trace.add(NOW - 2, weights, judged(240, errors=errors) if current else None)
    shown.judgement = judged(240, errors=errors) if current else None
    shown.seen = Seen(
        versions | {tried.version: VersionSeen(ready=bool(current), replicas=1, stopped=not current)}, weights
    )


def fill(board: Board, count: int) -> None:
    """Show releases as on a busy day: the first is rejected, a few are in every other phase, most are quiet."""
    kinds: Mapping[int, Callable[[], ReleaseStatus]] = {
        0: rejected,
        1: canary,
        7: paused,
        11: rolling_back,
        13: waiting,
        17: canary,
        19: canary,
    }
    for number in range(count):
        kind = kinds.get(number % 23 if number < 100 else number % 97, stable)
        wave = 0 if number < 20 else 1
        put(board, f"tenant-{number:04d}", kind(), a_spec(wave=wave), errors=0.03 if kind is rejected else 0.0)
    board.ticked = time.monotonic()
