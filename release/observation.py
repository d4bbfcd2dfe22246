"""What a plan is made from, beside the spec and the status: the registry's words and what was seen at the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from release.counts import Counts
from release.status import VersionRef

__all__ = ["Observations", "Peers", "Published", "Refused", "RegistryView", "Requests", "Unavailable", "VersionSeen"]


@dataclass(frozen=True)
class Published:
    """The version was verified, and just those bytes lie in the released bucket."""

    artifact: VersionRef


@dataclass(frozen=True)
class Refused:
    """The version may not be released; ``reason`` is one word, trying again will not help."""

    reason: str
    message: str


@dataclass(frozen=True)
class Unavailable:
    """Whether the version may be released cannot be known now: the registry or the object store is down."""

    message: str


Verdict = Published | Refused | Unavailable


@dataclass(frozen=True)
class RegistryView:
    """``reachable`` False: ``target`` is unknown, and nothing new begins. ``target`` None: the alias was deleted."""

    reachable: bool
    target: int | None
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True)
class VersionSeen:
    """One version's predictors.

    Attributes:
        ready: enough replicas answer their readiness probe.
        replicas: how many answer it.
        failed: why it will not come up by itself (the process ended, the artifact was refused), or None.
        blocked: why it cannot even start (a quota), or None.
        stopped: it was told to run no replica.
        smoke: None before the smoke set was run, then "" when it passed or the reason why it did not. Forgotten when
            the version is stopped or removed.
        counters: each instance's counters since its own start, or None when they cannot be read now.
        gateway_errors: the gateway's own counter of the 5xx that it answered itself for this version (0 when it has
            none yet), or None when it cannot be read now. The planner counts its rise since the canary's start.
    """

    ready: bool = False
    replicas: int = 0
    failed: str | None = None
    blocked: str | None = None
    stopped: bool = False
    smoke: str | None = None
    counters: Mapping[str, Counts] | None = None
    gateway_errors: int | None = None


_ABSENT = VersionSeen()


@dataclass(frozen=True)
class Peers:
    """The other releases of this model and alias: waves before this one, and what was rejected anywhere."""

    earlier_waves_done: bool = True
    rejected: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Requests:
    """What people ask of a release, as annotations or commands.

    ``pause`` holds while it is set. The others carry a token that is new at each request, so that one is carried out
    once.
    """

    pause: bool = False
    resume: str | None = None
    abort: str | None = None
    retry: str | None = None


@dataclass(frozen=True)
class Observations:
    """``versions`` holds what exists at the platform, ``weights`` how requests are shared now (sum 100, or empty)."""

    versions: Mapping[int, VersionSeen] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)
    peers: Peers = Peers()
    requests: Requests = Requests()

    def seen(self, version: int) -> VersionSeen:
        """Return what the platform shows of a version; one that it does not have is not ready."""
        return self.versions.get(version, _ABSENT)
