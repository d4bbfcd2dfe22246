"""What people type: status, history, requests, waiting."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from release.desk import Desk, chosen
from release.status import Phase, ReleaseStatus
from release.store import Release

__all__ = ["history", "request", "status", "wait"]

_WAIT_SECONDS = 90
_TAKEN_UP_SECONDS = 10


def status(desk: Desk, tenants: Sequence[str]) -> int:
    """Print where releases stand."""
    table = Table("tenant", "stable", "phase", "canary", "what happened last")
    for release in chosen(desk, tenants):
        now = release.status
        phase = f"{now.phase} for {_duration(time.time() - now.phase_since)}" if now.phase_since else str(now.phase)
        pause = " (pause asked for)" if release.requests.pause else ""
        table.add_row(
            release.name, _stable(now), phase + pause, _canary(release), now.message or "nothing released yet"
        )
    Console().print(table)
    return 0


def history(desk: Desk, tenants: Sequence[str]) -> int:
    """Print every transition: from the registry, and what did not reach it yet from here."""
    from registry.client import RegistryError
    from registry.history import ReleaseHistory

    for release in chosen(desk, tenants):
        kept = {each.number: each.model_dump(by_alias=True, mode="json") for each in release.status.history}
        there: dict[int, dict[str, object]] = {}
        try:
            there = {int(line["number"]): line for line in ReleaseHistory().read(release.spec.model, release.tenant)}
        except RegistryError as error:
            print(f"{error}\nThese are the last transitions, as they are kept here.", file=sys.stderr)
        table = Table("", "time", "phase", "version", "reason", "message", title=release.name, title_justify="left")
        for number, line in sorted({**there, **kept}.items(), key=lambda item: str(item[1]["time"])):
            version = line["version"] or ""
            table.add_row(str(number), *(str(word) for word in (line["time"], line["phase"], version)), *_why(line))
        Console().print(table)
    return 0


def request(desk: Desk, tenants: Sequence[str], kind: str) -> int:
    """Ask for something, and wait until the controller has taken it up."""
    token = secrets.token_hex(8)
    releases = chosen(desk, tenants)
    for release in releases:
        if kind == "pause":
            desk.ask(release, pause=True)
        elif kind == "resume":
            desk.ask(release, pause=False, resume=token)
        else:
            desk.ask(release, **{kind: token})
    code = 0
    deadline = time.monotonic() + _TAKEN_UP_SECONDS
    for release in releases:
        if kind == "pause":
            print(f"{release.name}: nothing goes further until `resume` is asked for")
            continue
        while (now := desk.status(release.name)).handled.get(kind) != token and time.monotonic() < deadline:
            time.sleep(0.1)
        if now.handled.get(kind) != token:
            print(f"{release.name}: the controller has not taken it up yet; is the stack up?", file=sys.stderr)
            code = 1
            continue
        print(f"{release.name}: {now.phase}: {now.message}")
    return code


def wait(desk: Desk, tenants: Sequence[str], timeout: float | None) -> int:
    """Wait until tenants serve what their alias names, saying what happens on the way."""
    from registry.client import Registry, RegistryUnreachableError

    begun = time.monotonic()
    waiting = {release.name: release for release in chosen(desk, tenants)}
    try:
        aliases = Registry().aliases()
    except RegistryUnreachableError as error:
        print(f"{error}\nTenants go on answering. Start the stack with: make up", file=sys.stderr)
        return 3
    targets = {name: aliases.get(each.spec.model, {}).get(each.spec.alias) for name, each in waiting.items()}
    for name, each in list(waiting.items()):
        if targets[name] is None:
            print(f"{name}: no version has the alias {each.spec.alias}: nothing to wait for")
            del waiting[name]
    limit = timeout if timeout is not None else _WAIT_SECONDS + max(map(_steps_seconds, waiting.values()), default=0)
    said: dict[str, int] = {}
    code = 0
    while waiting:
        for release in [each for each in desk.releases() if each.name in waiting]:
            verdict = _arrived(release.status, targets[release.name])
            _narrate(release, said, begun)
            if verdict is not None:
                del waiting[release.name]
                if verdict:
                    print(f"{release.name} serves {_stable(release.status)} after {time.monotonic() - begun:.1f} s")
                    continue
                code = 1
                print(
                    f"{release.name} goes on with {_stable(release.status)}: {release.status.message}", file=sys.stderr
                )
        if waiting and time.monotonic() - begun > limit:
            print(f"{', '.join(waiting)}: not there after {limit:.0f} s; see: make status, make logs", file=sys.stderr)
            return 1
        time.sleep(0.1)
    return code


def _arrived(now: ReleaseStatus, target: int | None) -> bool | None:
    """Whether the wait is over: arrived, or not going to without somebody."""
    if now.phase == Phase.STABLE and now.stable is not None and now.stable.version == target:
        return True
    if now.phase == Phase.REJECTED and now.target == target:
        return False
    return False if now.phase == Phase.PAUSED and now.target == target else None


def _narrate(release: Release, said: dict[str, int], begun: float) -> None:
    for each in release.status.after(said.setdefault(release.name, release.status.last_number - 1)):
        seconds = time.monotonic() - begun
        print(f"{seconds:6.1f} s  {release.name}  {each.phase:<11} {each.message}", flush=True)
        said[release.name] = each.number


def _steps_seconds(release: Release) -> int:
    return sum(step.pause for step in release.spec.strategy.steps if isinstance(step.pause, int)) * 3


def _stable(now: ReleaseStatus) -> str:
    return f"version {now.stable.version}" if now.stable else "nothing"


def _canary(release: Release) -> str:
    trial = release.status.canary
    if trial is None:
        return ""
    steps = len(release.spec.strategy.steps)
    at = f", step {trial.step + 1} of {steps}" if steps and trial.step >= 0 else ""
    return f"version {trial.version}: {trial.weight} %{at}"


def _why(line: object) -> tuple[str, str]:
    assert isinstance(line, dict)  # noqa: S101 # JSON objects, both of them
    return str(line["reason"]), str(line["message"])


def _duration(seconds: float) -> str:
    whole = int(max(0.0, seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"
