"""Adding up what each version answered since the canary's start, from counters that restart with their process."""

from __future__ import annotations

from collections.abc import Mapping

from release.counts import Counts
from release.observation import VersionSeen
from release.status import Measured

__all__ = ["accumulate"]


def accumulate(measured: Measured, stable: tuple[int, VersionSeen], canary: tuple[int, VersionSeen]) -> Measured:
    """Return what was measured with the rise since the last reading added; the same object if nothing rose.

    The first reading of an instance is where counting begins, so neither the smoke set nor what stable answered before
    counts. A counter that fell belongs to a restarted process: all it says is new. Stable and canary are read together
    or not at all, so that both are of the same time. The gateway's counter may be a sum over gateways, of which one
    restarted: a fall is only a new beginning there.
    """
    measured = _gateway(measured, canary[1].gateway_errors)
    if stable[1].counters is None or canary[1].counters is None:
        return measured
    stable_total, stable_seen = _added(measured.stable, measured.seen, *stable)
    canary_total, canary_seen = _added(measured.canary, measured.seen, *canary)
    seen = stable_seen | canary_seen
    if seen == measured.seen:
        return measured
    return measured.model_copy(update={"stable": stable_total, "canary": canary_total, "seen": seen})


def _gateway(measured: Measured, now: int | None) -> Measured:
    before = measured.gateway_seen
    if now is None or now == before:
        return measured
    errors = measured.gateway_errors + (max(now - before, 0) if before is not None else 0)
    return measured.model_copy(update={"gateway_errors": errors, "gateway_seen": now})


def _added(
    total: Counts, before: Mapping[str, Counts], version: int, seen: VersionSeen
) -> tuple[Counts, dict[str, Counts]]:
    now = {f"{version}/{name}": counts for name, counts in (seen.counters or {}).items()}
    for name, counts in now.items():
        if name in before:
            total = _sum(total, _rise(before[name], counts))
    return total, now


def _rise(before: Counts, now: Counts) -> Counts:
    if now == before:
        return Counts()
    labels = {label: count - before.labels.get(label, 0) for label, count in now.labels.items()}
    latency = _each(now.latency, before.latency, -1)
    rise = (now.requests - before.requests, now.errors - before.errors, *latency, *labels.values())
    if min(rise) < 0:
        return now
    return Counts(requests=rise[0], errors=rise[1], latency=latency, labels=labels)


def _sum(total: Counts, more: Counts) -> Counts:
    if not more.requests and not more.labels:
        return total
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
