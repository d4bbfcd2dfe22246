"""Where a release stands. All state of the controller is here, so it may be killed at any instruction."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from release.counts import Counts
from release.model import Document
from release.moment import Moment

__all__ = [
    "CanaryStatus",
    "Compared",
    "Condition",
    "Kept",
    "Measured",
    "Phase",
    "Rejection",
    "ReleaseStatus",
    "Transition",
    "VersionRef",
]


class Phase(StrEnum):
    """Where a release is; every phase but the first and last two is on its way to one of those."""

    STABLE = "Stable"
    VERIFYING = "Verifying"
    CANARY = "Canary"
    PROMOTING = "Promoting"
    ROLLING_BACK = "RollingBack"
    PAUSED = "Paused"
    REJECTED = "Rejected"


class VersionRef(Document):
    """A published artifact: its version, full digest (64 hex digits), and address."""

    version: int
    digest: str
    storage_uri: str


class Kept(VersionRef):
    """The previous stable version, kept until ``until`` so that going back is a weight."""

    until: Moment


class Compared(Document):
    """What both versions answered while the canary had ``weight`` percent."""

    weight: int
    stable: Counts = Counts()
    canary: Counts = Counts()


class Measured(Document):
    """What was counted since the canary's first request, a weight at a time, and each instance's counters as last read.

    The differences between two readings are added up here, so that neither a restarted pod nor a restarted controller
    counts anything twice. ``gateway_errors`` counts what the gateway itself failed to pass on to the canary.
    """

    steps: tuple[Compared, ...] = ()
    seen: dict[str, Counts] = Field(default_factory=dict)
    gateway_errors: int = 0
    gateway_seen: int | None = None


class CanaryStatus(VersionRef):
    """The version on trial. ``step`` -1: being started and smoke-tested, no weight yet.

    ``since`` is when this step began, ``started`` when the trial began. ``approved``: a person let an indefinite step
    go on.
    """

    step: int = -1
    weight: int = 0
    since: Moment
    started: Moment
    approved: bool = False
    not_ready_since: Moment | None = None
    inconclusive_since: Moment | None = None
    measured: Measured = Measured()

    @property
    def is_judged(self) -> bool:
        """Whether it has requests at a step, by which it is compared with the stable version."""
        return self.step >= 0 and self.weight > 0


class Rejection(Document):
    """A version that is not tried again until somebody asks for it, or the alias has named another.

    ``artifact`` is there if it ever ran: it is kept, stopped, for who wants to look at it.
    """

    version: int
    reason: str
    message: str
    artifact: VersionRef | None = None


class Condition(Document):
    """A Kubernetes condition: ``reason`` is one CamelCase word, ``message`` what a person can act on."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: Moment


class Transition(Document):
    """One line of the history. ``number`` counts up by one, so that each is reported once."""

    number: int
    time: Moment
    phase: Phase
    version: int | None
    reason: str
    message: str


class ReleaseStatus(Document):
    """A ModelRelease's ``status``.

    ``reason`` and ``message`` say why it is in this phase, ``target`` what the alias names (None: it was deleted).
    """

    phase: Phase = Phase.STABLE
    reason: str = ""
    message: str = ""
    stable: VersionRef | None = None
    previous: Kept | None = None
    target: int | None = None
    phase_since: Moment = 0.0
    canary: CanaryStatus | None = None
    rejected: Rejection | None = None
    conditions: tuple[Condition, ...] = ()
    handled: dict[str, str] = Field(default_factory=dict)
    """The last request of each kind (resume, abort, retry) that was carried out, by its token."""
    history: tuple[Transition, ...] = ()
    """The newest transitions, oldest first; those above ``reported`` still have to reach the registry."""
    reported: int = 0

    @property
    def last_number(self) -> int:
        """The number of the newest transition; 0 before the first."""
        return self.history[-1].number if self.history else 0

    def after(self, number: int) -> list[Transition]:
        """Return the transitions newer than one of that number, oldest first."""
        return [each for each in self.history if each.number > number]
