"""From releases to what the page shows: pure, and without a word of markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from release.api.links import release_page
from release.api.page.figures import Figure, figures
from release.board import Shown
from release.reasons import Reason
from release.status import Condition, Phase, ReleaseStatus, VersionRef

__all__ = ["Card", "Group", "Member", "Overview", "Section", "Share", "State", "card", "overview"]

CARDS = 6
"""So many releases of a section are shown in full; the others are named in groups of the same state."""

_ATTENTION = (Phase.PAUSED, Phase.REJECTED)
_UNDER_WAY = (Phase.ROLLING_BACK, Phase.PROMOTING, Phase.CANARY, Phase.VERIFYING)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class Share:
    """A version and percent of the requests that it gets now (None: the gateway does not say)."""

    version: int
    percent: int | None


@dataclass(frozen=True)
class Card:
    """One release in full.

    ``obstacle`` is the reason and message of what keeps it from going on, ``verdict`` outcome and message of the
    analysis that is under way, ``target`` what the alias names if that is neither the stable nor the canary.
    """

    name: str
    page: str
    tenant: str
    model: str
    alias: str
    wave: int
    phase: Phase
    since: float
    reason: str
    message: str
    obstacle: tuple[str, str] | None
    verdict: tuple[str, str] | None
    stable: Share | None
    canary: Share | None
    step: str
    target: int | None
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Member:
    """A release that is only named."""

    name: str
    page: str


@dataclass(frozen=True)
class State:
    """What releases of one group have in common."""

    phase: Phase
    reason: str
    model: str
    alias: str
    stable: Share | None
    canary: Share | None


@dataclass(frozen=True)
class Group:
    """Releases of the same state."""

    key: str
    state: State
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Section:
    """Releases that ask for the same degree of attention."""

    key: str
    title: str
    nothing: str
    count: int
    cards: tuple[Card, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Overview:
    """The first page; ``phases`` has every phase, also those that no release is in."""

    total: int
    phases: tuple[tuple[Phase, int], ...]
    sections: tuple[Section, ...]


def overview(releases: Iterable[Shown]) -> Overview:
    """Return what the first page shows of these releases."""
    everything = list(releases)
    phases = Counter(each.release.status.phase for each in everything)
    attention = sorted((each for each in everything if _needs_a_person(each)), key=_newest_first)
    rest = [each for each in everything if not _needs_a_person(each)]
    moving = sorted((each for each in rest if each.release.status.phase in _UNDER_WAY), key=_furthest_first)
    quiet = [each for each in rest if each.release.status.phase not in _UNDER_WAY]
    return Overview(
        total=len(everything),
        phases=tuple((phase, phases[phase]) for phase in Phase),
        sections=(
            _section("attention", "Needs a person", "Nothing waits for a person.", attention, CARDS),
            _section("moving", "In progress", "Nothing is on its way.", moving, CARDS),
            _section("quiet", "Quiet", "Nothing serves quietly.", quiet, CARDS if len(quiet) <= CARDS else 0),
        ),
    )


def card(shown: Shown) -> Card:
    """Return one release in full."""
    release, status = shown.release, shown.release.status
    trial = status.canary
    steps = release.spec.strategy.steps
    known = {artifact.version for artifact in (status.stable, trial) if artifact}
    judgement = shown.judgement
    return Card(
        name=release.name,
        page=release_page(release.name),
        tenant=release.tenant,
        model=release.spec.model,
        alias=release.spec.alias,
        wave=release.spec.wave,
        phase=status.phase,
        since=status.phase_since,
        reason=status.reason,
        message=status.message,
        obstacle=_obstacle(status),
        verdict=(str(judgement.outcome), judgement.message) if judgement else None,
        stable=_share(shown, status.stable),
        canary=_share(shown, trial),
        step=f"step {trial.step + 1} of {len(steps)}" if trial and trial.step >= 0 else "",
        target=status.target if status.target not in known else None,
        figures=figures(shown.trace.document()),
    )


def _section(key: str, title: str, nothing: str, releases: Sequence[Shown], cards: int) -> Section:
    if len(releases) > cards > 0:
        releases = _one_of_each_first(releases)
    return Section(
        key=key,
        title=title,
        nothing=nothing,
        count=len(releases),
        cards=tuple(card(each) for each in releases[:cards]),
        groups=_groups(key, releases[cards:]),
    )


def _one_of_each_first(releases: Sequence[Shown]) -> list[Shown]:
    """Move the first release of each state to the front: each tells what the others of its group have come to."""
    firsts: dict[State, Shown] = {}
    others = [shown for shown in releases if firsts.setdefault(_state(shown), shown) is not shown]
    return [*firsts.values(), *others]


def _groups(section: str, releases: Sequence[Shown]) -> tuple[Group, ...]:
    """Gather what differs by nothing but the tenant, in the order of the first of each."""
    gathered: dict[State, list[Member]] = {}
    for shown in releases:
        name = shown.release.name
        gathered.setdefault(_state(shown), []).append(Member(name, release_page(name)))
    return tuple(Group(_key(section, state), state, tuple(members)) for state, members in gathered.items())


def _state(shown: Shown) -> State:
    status, spec = shown.release.status, shown.release.spec
    progressing = _condition(status, "Progressing")
    return State(
        phase=status.phase,
        reason=progressing.reason if progressing else status.reason,
        model=spec.model,
        alias=spec.alias,
        stable=_share(shown, status.stable),
        canary=_share(shown, status.canary),
    )


def _key(section: str, state: State) -> str:
    """Name a group the same as long as it is the same, so that the page in front of somebody keeps it open."""
    shares = (f"{share.version}-{share.percent}" for share in (state.stable, state.canary) if share)
    return "-".join((section, state.phase, state.reason, state.model, state.alias, *shares))


def _share(shown: Shown, artifact: VersionRef | None) -> Share | None:
    if artifact is None:
        return None
    return Share(artifact.version, shown.seen.weights.get(artifact.version, 0) if shown.seen.weights else None)


def _obstacle(status: ReleaseStatus) -> tuple[str, str] | None:
    """Return what keeps the release from following its alias, unless its phase says so already."""
    for condition in (_condition(status, "Ready"), _condition(status, "Progressing")):
        held = condition is not None and condition.status == "False"
        if condition and held and condition.reason not in (status.reason, Reason.NOTHING_RELEASED):
            return condition.reason, condition.message
    return None


def _condition(status: ReleaseStatus, kind: str) -> Condition | None:
    return next((condition for condition in status.conditions if condition.type == kind), None)


def _needs_a_person(shown: Shown) -> bool:
    status = shown.release.status
    ready = _condition(status, "Ready")
    return status.phase in _ATTENTION or (ready is not None and ready.reason == Reason.NOT_READY)


def _newest_first(shown: Shown) -> tuple[bool, float, str]:
    """What was rejected only because it was elsewhere comes last: the cause is there."""
    status = shown.release.status
    return status.reason == Reason.REJECTED_ELSEWHERE, -status.phase_since, shown.release.name


def _furthest_first(shown: Shown) -> tuple[int, str]:
    return _UNDER_WAY.index(shown.release.status.phase), shown.release.name
