from __future__ import annotations

from release.platforms.kubernetes.backoff import Backoff


def asked_at(backoff: Backoff, seconds: int, since: int = 0) -> list[int]:
    """Ask again each second, and return when that was due."""
    return [now for now in range(since, since + seconds) if backoff.due("a", True, float(now))]


def test_who_does_not_answer_is_asked_again_after_ten_seconds_and_then_ever_later_but_each_minute() -> None:
    backoff = Backoff()
    assert backoff.due("a", False, 0.0)
    assert asked_at(backoff, 220) == [10, 30, 70, 130, 190]


def test_what_a_process_before_this_one_asked_is_asked_again_at_once() -> None:
    assert asked_at(Backoff(), 40) == [0, 10, 30]


def test_something_new_is_asked_at_once_and_begins_with_the_shortest_pause() -> None:
    backoff = Backoff()
    assert asked_at(backoff, 100) == [0, 10, 30, 70]
    assert backoff.due("a", False, 101.0)
    assert asked_at(backoff, 15, 102) == [111]


def test_each_has_pauses_of_its_own() -> None:
    backoff = Backoff()
    assert backoff.due("a", True, 0.0)
    assert backoff.due("b", True, 1.0)
    assert not backoff.due("a", True, 1.0)
