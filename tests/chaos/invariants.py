"""What must hold in every scene: each function returns sentences on what does not. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from stacks import TENANTS

from chaos.seen import NO_ROUTE, Line, Seen

__all__ = ["LOST_AS", "broken"]

_AWAY = frozenset({"ConnectError", "ReadError", "RemoteProtocolError"})
LOST_AS = frozenset({"502", "504", *_AWAY})
"""How a request may be lost: the gateway says that nobody is behind it, or is itself away."""

A, B = TENANTS
_GIVEN_BY = {"Canary": {"Verified", "SmokePassed", "Successful", "Resumed"}, "Promoting": {"Successful", "Resumed"}}
_COME_ONCE = ("Verifying", "Promoting", "Stable", "RollingBack", "Rejected")


def broken(seen: Seen, loses: frozenset[str], most: float, ends: frozenset[str]) -> list[str]:
    """Return everything that does not hold; ``loses``, ``most`` and ``ends`` are those of the fault."""
    return [
        *_lost(seen, loses, most),
        *_mislabelled(seen),
        *_unverified(seen),
        *_risen(seen),
        *_ended(seen.end[A], ends),
        *_twice(seen),
        *_changed(seen),
    ]


def _lost(seen: Seen, loses: frozenset[str], most: float) -> Iterator[str]:
    """Only these tenants lose requests, between the fault and when all is well, and of them this share at most."""
    failed = [answer for answer in seen.answers if answer.failed]
    # A gateway that was away begins before it has read its routes.
    lost_as = LOST_AS | {NO_ROUTE} if _AWAY & {each.failed for each in failed} else LOST_AS
    for (tenant, word), count in Counter((each.tenant, each.failed) for each in failed).items():
        if tenant not in loses or word not in lost_as:
            yield f"{tenant} lost {count} requests ({word})"
    if early := sum(answer.done < seen.window.begun for answer in failed):
        yield f"{early} requests were lost before the fault"
    if late := sum(answer.asked > seen.window.well for answer in failed):
        yield f"{late} requests were lost when all was well again"
    for tenant in loses:
        meanwhile = [
            bool(answer.failed)
            for answer in seen.answers
            if answer.tenant == tenant and seen.window.begun <= answer.done <= seen.window.well
        ]
        if sum(meanwhile) > most * len(meanwhile):
            yield f"{tenant} lost {sum(meanwhile)} of {len(meanwhile)} requests, more than {most:.0%}"


def _mislabelled(seen: Seen) -> Iterator[str]:
    """Every answer names a version that was verified, and is what this version computes and no other."""
    said: dict[int, set[float]] = defaultdict(set)
    for answer in seen.answers:
        if not answer.failed:
            said[answer.version].add(answer.confidence)
    for version, confidences in said.items():
        if version not in seen.good:
            yield f"version {version} answered, which nobody verified"
        if len(confidences) > 1:
            yield f"version {version} computed {sorted(confidences)} of one text"
    if len(set().union(*said.values())) < len(said):
        yield f"two versions computed the same: {dict(said)}"


def _unverified(seen: Seen) -> Iterator[str]:
    """A version that nobody signed is refused by that word; it is neither published nor started."""
    end, version = seen.end[B], seen.unsigned
    if (end["phase"], end["reason"], end["target"]) != ("Rejected", "Unsigned", version):
        yield f"version {version}, which nobody signed, is {end['phase']} ({end['reason']})"
    if version in {of for _, of in seen.running}:
        yield f"version {version} was started, which nobody signed"
    if any(name.startswith(f"sentiment/{version}-") for name in seen.published):
        yield f"version {version} was published, which nobody signed"


def _risen(seen: Seen) -> Iterator[str]:
    """Weight comes by the smoke set, once, and rises by judgements; the status has it before the gateway has."""
    history = [line for line in seen.history[A] if line["version"] == seen.version]
    for line in history:
        if line["phase"] in _GIVEN_BY and line["reason"] not in _GIVEN_BY[line["phase"]]:
            yield f"{line['phase']} by {line['reason']}: {line['message']}"
    if sum(line["reason"] == "SmokePassed" for line in history) > 1:
        yield f"version {seen.version} was given its first weight twice"
    most = 0
    for sample in seen.samples:
        most = max(most, sample.kept.get(seen.version, 0))
        if (weight := sample.in_force.get(seen.version, 0)) > most:
            yield f"the gateway gave version {seen.version} {weight} %, the status {most} %"


def _ended(end: Line, ends: frozenset[str]) -> Iterator[str]:
    """The release ends in Stable, or for one of the reasons that the fault gives, and says why."""
    if (end["phase"] if end["phase"] == "Stable" else end["reason"]) not in ends or not end["message"]:
        yield f"the release ended {end['phase']} ({end['reason']}): {end['message']}"


def _twice(seen: Seen) -> Iterator[str]:
    """Each transition is there once, here and in the registry; no way is taken twice, no predictor runs twice."""
    for tenant, history in seen.history.items():
        numbers, reported = [line["number"] for line in history], list(seen.reported[tenant])
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            yield f"{tenant} has the transitions {numbers}"
        if reported != list(range(1, len(reported) + 1)) or numbers[-1] not in reported:
            yield f"{tenant} has the transitions {numbers}, the registry {reported}"
        counted = Counter((line["phase"], line["version"]) for line in history if line["phase"] in _COME_ONCE)
        for (phase, version), count in counted.items():
            if count > 1:
                yield f"{tenant} was {phase} with version {version} {count} times"
    for (tenant, version), count in Counter(seen.running).items():
        if count > 1:
            yield f"{tenant} has {count} predictors of version {version}"


def _changed(seen: Seen) -> Iterator[str]:
    """Versions, tags, aliases and the bytes of every object are what they were."""
    for name, held in seen.before.items():
        if name not in seen.after:
            yield f"{name} is gone"
        elif seen.after[name] != held:
            yield f"{name} has changed"
