from __future__ import annotations

from release.wave import Wave


def test_many_who_move_within_a_look_are_a_wave_until_no_more_do() -> None:
    wave = Wave()
    assert not wave.rolls(0, 100)
    assert wave.rolls(300, 101)
    assert wave.rolls(900, 102)
    assert not wave.rolls(905, 103)


def test_a_few_are_none_and_what_is_being_told_starts_none() -> None:
    wave = Wave()
    assert not wave.rolls(2, 100)
    assert not wave.rolls(6, 101)
    assert not wave.rolls(1, 102)


def test_a_wave_is_waited_for_no_longer_than_a_minute() -> None:
    wave = Wave()
    assert not wave.rolls(0, 100)
    assert wave.rolls(1000, 110)
    assert not wave.rolls(9000, 160)


def test_a_controller_that_starts_tells_at_once_what_it_finds() -> None:
    assert not Wave().rolls(20_000, 5000)


def test_who_asks_more_often_than_once_a_second_is_told_the_same() -> None:
    wave = Wave()
    assert not wave.rolls(0, 100)
    assert wave.rolls(300, 101)
    assert wave.rolls(300, 101.1)
    assert wave.rolls(330, 102)
    assert not wave.rolls(331, 103)
