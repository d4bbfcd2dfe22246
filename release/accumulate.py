"""Adding up what each version answered since the canary's start, from counters that restart with their process."""

from __future__ import annotations

from collections.abc import Mapping

from release.counts import Counts
from release.observation import VersionSeen
from release.status import Compared, Measured

__all__ = ["accumulate"]


def accumulate(
    measured: Measured, weight: int, stable: tuple[int, VersionSeen], canary: tuple[int, VersionSeen]
) -> Measured:
    """Return what was measured with the rise since the last reading added; the same object if nothing rose.

    The first reading of an instance is where counting begins, so neither the smoke set nor what stable answered before
    counts. A counter that fell belongs to a restarted process: all it says is new. Stable and canary are read together
    or not at all, so that both are of the same time. The gateway's counter may be a sum over gateways, of which one
    restarted: a fall is only a new beginning there.

    What the gateway could not hand to the canary while stable was not ready either says nothing of the canary: after a
    power cut both are away. Counting begins anew when both are ready.
    """
    measured = _gateway(measured, stable[1], canary[1])
    if stable[1].counters is None or canary[1].counters is None:
        return measured
    readings = _named(*stable), _named(*canary)
    seen = readings[0] | readings[1]
    if seen == measured.seen:
        return measured
    rises = [_rise(measured.seen, reading) for reading in readings]
    steps = measured.steps
    if any(rise.requests for rise in rises):
        if not steps or steps[-1].weight != weight:
            steps = (*steps, Compared(weight=weight))
        last = steps[-1]
        grown = {"stable": _sum(last.stable, rises[0]), "canary": _sum(last.canary, rises[1])}
        steps = (*steps[:-1], last.model_copy(update=grown))
    return measured.model_copy(update={"steps": steps, "seen": seen})


def _gateway(measured: Measured, stable: VersionSeen, canary: VersionSeen) -> Measured:
    before, now = measured.gateway_seen, canary.gateway_errors
    if not stable.ready:
        return measured if before is None else measured.model_copy(update={"gateway_seen": None})
    if now is None or now == before or (before is None and not canary.ready):
        return measured
    errors = measured.gateway_errors + (max(now - before, 0) if before is not None else 0)
    return measured.model_copy(update={"gateway_errors": errors, "gateway_seen": now})


def _named(version: int, seen: VersionSeen) -> dict[str, Counts]:
    return {f"{version}/{name}": counts for name, counts in (seen.counters or {}).items()}


def _rise(before: Mapping[str, Counts], now: Mapping[str, Counts]) -> Counts:
    total = Counts()
    for name, counts in now.items():
        if name in before and before[name] != counts:
            total = _sum(total, _one_vote_a_request(_difference(before[name], counts)))
    return total


def _difference(before: Counts, now: Counts) -> Counts:
    labels = {label: count - before.labels.get(label, 0) for label, count in now.labels.items()}
    latency = _each(now.latency, before.latency, -1)
    requests, errors = now.requests - before.requests, now.errors - before.errors
    if min(requests, errors, *latency, *labels.values()) < 0:
        return now
    return Counts(requests=requests, errors=errors, latency=latency, labels=labels)


def _one_vote_a_request(counts: Counts) -> Counts:
    """Texts that came in one request are not independent: together they weigh as much as one that came alone."""
    predictions = sum(counts.labels.values())
    if predictions <= counts.requests:
        return counts
    scale = counts.requests / predictions
    return counts.model_copy(update={"labels": {label: count * scale for label, count in counts.labels.items()}})


def _sum(total: Counts, more: Counts) -> Counts:
    labels = {label: total.labels.get(label, 0) + more.labels.get(label, 0) for label in total.labels | more.labels}
    return Counts(
        requests=total.requests + more.requests,
        errors=total.errors + more.errors,
        latency=_each(total.latency, more.latency, 1),
        labels=labels,
    )


def _each(left: tuple[int, ...], right: tuple[int, ...], sign: int) -> tuple[int, ...]:
    """``left`` plus or minus ``right``, bucket by bucket; an empty one is all zeros."""
    size = max(len(left), len(right))
    padded = left or (0,) * size, right or (0,) * size
    return tuple(a + sign * b for a, b in zip(*padded, strict=True))
