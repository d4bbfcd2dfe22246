from __future__ import annotations

from dataclasses import replace

from release.observation import Refused, RegistryView
from release.peers import peers_of, who_waits_for_a_verdict
from release.reasons import Reason
from release.spec import ReleaseSpec
from release.status import Phase, Rejection, ReleaseStatus, VersionRef
from release.store import Release


def release(name: str, wave: int = 0, stable: int | None = None, alias: str = "champion", **rejected: str) -> Release:
    spec = ReleaseSpec.model_validate(
        {
            "model": "sentiment",
            "alias": alias,
            "wave": wave,
            "route": {"hostnames": [f"{name}.localhost"]},
            "strategy": {"blueGreen": {}},
        }
    )
    held = VersionRef(version=stable, digest="0" * 64, storage_uri="s3://x/") if stable else None
    left = Rejection(version=8, reason=rejected["reason"], message="") if rejected else None
    phase = Phase.REJECTED if rejected else Phase.STABLE
    return Release(name, name, spec, ReleaseStatus(phase=phase, stable=held, rejected=left))


def done(releases: list[Release], target: int | None) -> dict[str, bool]:
    peers = peers_of(releases, {each.name: target for each in releases})
    return {name: each.earlier_waves_done for name, each in peers.items()}


def test_a_wave_begins_when_every_earlier_one_serves_the_target() -> None:
    releases = [release("late", 2, 7), release("mid", 1, 7), release("first", 0, 8), release("second", 0, 8)]
    assert done(releases, 8) == {"first": True, "second": True, "mid": True, "late": False}
    releases[3] = release("second", 0, 7)
    assert done(releases, 8) == {"first": True, "second": True, "mid": False, "late": False}


def test_other_aliases_are_no_peers() -> None:
    releases = [release("first", 0, 7), release("other", 1, 7, alias="challenger")]
    assert done(releases, 8)["other"] is True


def test_what_one_rejected_all_know_but_not_what_it_rejected_for_anothers_sake() -> None:
    own = [release("a", reason=Reason.SMOKE_FAILED), release("b")]
    assert peers_of(own, {"a": 8, "b": 8})["b"].rejected == {8}
    echo = [release("a", reason=Reason.REJECTED_ELSEWHERE), release("b")]
    assert peers_of(echo, {"a": 8, "b": 8})["b"].rejected == frozenset()


def test_of_many_whose_alias_names_a_version_that_is_being_verified_a_few_say_so() -> None:
    releases = [release(f"tenant-{number:02}", stable=7) for number in range(30)]
    begun = [replace(each, status=each.status.model_copy(update={"target": 8})) for each in releases[:20]]
    views = dict.fromkeys((each.name for each in releases), RegistryView(True, 8, {}))
    waiting = {each.name for each in releases[20:]}
    assert who_waits_for_a_verdict(releases, views) == waiting
    assert who_waits_for_a_verdict([*begun, *releases[20:]], views) == waiting


def test_nobody_waits_once_there_is_a_verdict_nor_among_a_few_nor_without_a_registry() -> None:
    releases = [release(f"tenant-{number:02}", stable=7) for number in range(30)]

    def waiting(releases: list[Release], view: RegistryView) -> set[str]:
        return who_waits_for_a_verdict(releases, dict.fromkeys((each.name for each in releases), view))

    assert not waiting(releases, RegistryView(True, 8, {8: Refused("Unsigned", "")}))
    assert not waiting(releases[:20], RegistryView(True, 8, {}))
    assert not waiting(releases, RegistryView(False, None, {}))
    assert not waiting(releases, RegistryView(True, None, {}))
