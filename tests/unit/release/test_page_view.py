"""What the page shows first, in full, and in few words: decided without any markup."""

from __future__ import annotations

from typing import Any

from world import a_spec, artifact, serving

from release.api.page.detail import detail
from release.api.page.figures import figures
from release.api.page.view import Section, card, overview
from release.board import Shown
from release.observation import VersionSeen
from release.platforms.base import Seen
from release.reasons import Reason
from release.status import CanaryStatus, Condition, Phase, ReleaseStatus
from release.store import Release


def shown(name: str, status: ReleaseStatus | None = None, **changes: Any) -> Shown:
    held = (status or settled()).model_copy(update=changes)
    spec = a_spec()
    weights = {held.stable.version: 100} if held.stable else {}
    return Shown(Release(name, name, spec, held), Seen(weights=weights))


def settled() -> ReleaseStatus:
    return ReleaseStatus(phase=Phase.STABLE, stable=artifact(7), target=7, reason=Reason.PROMOTED, phase_since=10.0)


def on_trial(phase: Phase, version: int = 8) -> ReleaseStatus:
    trial = CanaryStatus(**artifact(version).model_dump(), step=0, weight=5, since=20.0, started=20.0)
    return settled().model_copy(update={"phase": phase, "canary": trial, "target": version})


def condition(kind: str, status: str, reason: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, message="so it is", last_transition_time=1.0)


def named(section: Section) -> list[str]:
    return [each.name for each in section.cards] + [each.name for group in section.groups for each in group.members]


def test_who_needs_a_person_comes_before_what_moves_and_the_newest_first() -> None:
    releases = [
        shown("quiet"),
        shown("moving", on_trial(Phase.CANARY)),
        shown("going-back", on_trial(Phase.ROLLING_BACK)),
        shown("long-paused", on_trial(Phase.PAUSED), phase_since=30.0),
        shown("just-rejected", phase=Phase.REJECTED, phase_since=40.0),
        shown("only-elsewhere", phase=Phase.REJECTED, reason=Reason.REJECTED_ELSEWHERE, phase_since=50.0),
        shown("stable-is-down", conditions=(condition("Ready", "False", Reason.NOT_READY),), phase_since=20.0),
    ]
    view = overview(releases)

    assert [named(section) for section in view.sections] == [
        ["just-rejected", "long-paused", "stable-is-down", "only-elsewhere"],
        ["going-back", "moving"],
        ["quiet"],
    ]
    assert view.total == 7
    assert dict(view.phases)[Phase.STABLE] == 2
    assert [phase for phase, _ in view.phases] == list(Phase), "a phase that nobody is in is told too"


def test_a_thousand_quiet_releases_are_one_group_and_nobody_is_left_out() -> None:
    releases = [shown(f"tenant-{number:04d}") for number in range(1_000)]
    releases[500] = shown("tenant-0500", conditions=(condition("Progressing", "False", Reason.ALIAS_DELETED),))
    quiet = overview(releases).sections[2]

    assert not quiet.cards
    assert [len(group.members) for group in quiet.groups] == [999, 1]
    assert quiet.groups[1].state.reason == Reason.ALIAS_DELETED
    assert sorted(named(quiet)) == [f"tenant-{number:04d}" for number in range(1_000)]


def test_of_many_that_move_the_first_are_shown_in_full_and_the_rest_by_version_and_weight() -> None:
    releases = [shown(f"tenant-{number}", on_trial(Phase.CANARY, 8 + number % 2)) for number in range(20)]
    moving = overview(releases).sections[1]

    assert [each.name for each in moving.cards][:3] == ["tenant-0", "tenant-1", "tenant-10"], "one of each state first"
    assert len(moving.cards) == 6
    assert len(moving.groups) == 2
    assert len({group.key for group in moving.groups}) == 2
    assert len(set(named(moving))) == 20


def test_a_card_tells_what_holds_the_release_unless_its_phase_says_so_already() -> None:
    held = condition("Progressing", "False", Reason.WAITING_FOR_EARLIER_WAVES)
    waiting = card(shown("a", target=9, conditions=(held,)))
    assert waiting.obstacle == (Reason.WAITING_FOR_EARLIER_WAVES, "so it is")
    assert waiting.target == 9

    said = condition("Progressing", "False", Reason.AWAITING_DECISION)
    assert (
        card(shown("b", on_trial(Phase.PAUSED), reason=Reason.AWAITING_DECISION, conditions=(said,))).obstacle is None
    )


def test_a_release_that_never_released_anything_can_be_shown() -> None:
    nothing = Shown(Release("new", "new", a_spec(), ReleaseStatus()))

    assert card(nothing).stable is None
    assert detail(nothing).versions == ()
    assert named(overview([nothing]).sections[2]) == ["new"]


def test_details_name_every_version_there_is_and_what_became_of_it() -> None:
    world = serving(7)
    world.model(8).errors = 0.5
    world.name(8)
    world.run(40)
    assert world.status.phase == Phase.REJECTED
    stopped = {8: VersionSeen(stopped=True), 7: VersionSeen(ready=True, replicas=2), 3: VersionSeen(failed="it ended")}
    view = detail(Shown(Release("a", "a", world.spec, world.status), Seen(stopped, world.weights)))

    rows = {each.version: (each.role, each.percent, each.state) for each in view.versions}
    assert rows[8] == ("rejected", 0, "stopped, kept to be looked at")
    assert rows[7] == ("stable", 100, "ready (2 replicas)")
    assert rows[3] == ("not needed any longer", 0, "it ended")
    numbers = [each.number for each in view.history]
    assert numbers == sorted(numbers, reverse=True)
    assert view.strategy == "Canary: 5 % for 10s, 25 % for 10s, 50 % for 10s; the old version stays for 10m"


def look(effect: float, outcome: str) -> dict[str, Any]:
    numbers = {"stable": 0.004, "canary": 0.004 + effect, "effect": effect, "lower": 0.002, "upper": None}
    return {"errors": {**numbers, "limit": 0.01, "outcome": outcome}}


def point(time: float, outcome: str | None = None, **measures: Any) -> dict[str, Any]:
    return {"time": time, "weights": {"7": 75, "8": 25}, "outcome": outcome, "measures": measures}


def test_a_measure_is_told_in_words_with_its_bounds_and_its_standing() -> None:
    trace = [point(0), point(2, "Inconclusive"), point(4, "Failed", **look(0.03, "Failed"))]
    weights, errors = figures(trace)

    assert (weights.title, weights.begin, weights.end) == ("Weight", 0, 4)
    assert errors.reading is not None
    assert (errors.reading.effect, errors.reading.lower, errors.reading.upper) == ("+3.00 points", "+0.20", "none")
    assert (errors.reading.stable, errors.reading.canary) == ("0.40 %", "3.40 %")
    assert errors.reading.standing == "beyond the limit, and worse for sure"


def test_only_the_last_trial_is_plotted_and_it_stays_when_it_is_over() -> None:
    earlier, latest = look(0.03, "Failed"), look(0.001, "Successful")
    trace = [point(0, "Failed", **earlier), point(2), point(4, "Successful", **latest), point(6)]
    _, errors = figures(trace)

    assert (errors.begin, errors.end) == (4, 4)


def test_one_moment_is_no_plot() -> None:
    assert figures([point(0)]) == ()
