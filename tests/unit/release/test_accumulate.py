from __future__ import annotations

from release.accumulate import accumulate
from release.counts import Counts
from release.observation import VersionSeen
from release.status import Measured

_USUAL = {"weight": 5, "stable_ready": True, "ready": True}


def read(
    measured: Measured, stable: dict[str, Counts] | None, canary: dict[str, Counts] | None, **more: int
) -> Measured:
    weight, stable_ready, ready = (more.pop(name, default) for name, default in _USUAL.items())
    old = VersionSeen(bool(stable_ready), counters=stable)
    return accumulate(measured, weight, (7, old), (8, VersionSeen(bool(ready), counters=canary, **more)))


def a(requests: int, errors: int = 0, **labels: int) -> Counts:
    return Counts(requests=requests, errors=errors, labels=labels)


def test_what_was_answered_before_the_first_reading_does_not_count() -> None:
    measured = read(Measured(), {"one": a(1000)}, {"one": a(12)})
    assert measured.steps == ()
    measured = read(measured, {"one": a(1095, 1)}, {"one": a(17)})
    assert (measured.steps[0].stable, measured.steps[0].canary) == (a(95, 1), a(5))


def test_reading_the_same_twice_counts_nothing_twice() -> None:
    measured = read(read(Measured(), {"one": a(0)}, {"one": a(0)}), {"one": a(9)}, {"one": a(1)})
    assert read(measured, {"one": a(9)}, {"one": a(1)}) is measured


def test_a_restarted_instance_counts_from_zero_and_a_new_one_from_its_first_reading() -> None:
    measured = read(Measured(), {"one": a(50)}, {"one": a(100)})
    measured = read(measured, {"one": a(50)}, {"one": a(3), "two": a(40)})
    assert measured.steps[0].canary == a(3)
    assert read(measured, {"one": a(50)}, {"one": a(3), "two": a(42)}).steps[0].canary == a(5)


def test_both_versions_are_read_or_neither_and_nothing_is_lost_in_between() -> None:
    measured = read(Measured(), {"one": a(0)}, {"one": a(0)})
    measured = read(measured, None, {"one": a(5)})
    assert measured.steps == ()
    measured = read(measured, {"one": a(200)}, {"one": a(10)})
    assert (measured.steps[0].stable, measured.steps[0].canary) == (a(200), a(10))


def test_each_weight_is_counted_apart() -> None:
    measured = read(Measured(), {"one": a(0)}, {"one": a(0)})
    measured = read(measured, {"one": a(95)}, {"one": a(5)}, weight=5)
    measured = read(measured, {"one": a(170)}, {"one": a(30)}, weight=25)
    assert [(step.weight, step.stable.requests, step.canary.requests) for step in measured.steps] == [
        (5, 95, 5),
        (25, 75, 25),
    ]


def test_a_request_with_many_texts_has_one_vote() -> None:
    measured = read(Measured(), {"one": a(0)}, {"one": a(0)})
    measured = read(measured, {"one": a(2, positive=1, negative=1)}, {"one": a(2, positive=900, negative=100)})
    assert measured.steps[0].stable.labels == {"positive": 1, "negative": 1}
    assert measured.steps[0].canary.labels == {"positive": 1.8, "negative": 0.2}


def test_the_gateways_errors_count_from_the_first_reading_and_survive_its_restart() -> None:
    measured = Measured()
    for shown, counted in ((4, 0), (5, 1), (0, 1), (2, 3)):
        measured = read(measured, None, None, gateway_errors=shown)
        assert measured.gateway_errors == counted


def test_what_the_gateway_could_not_hand_over_while_stable_was_away_too_is_not_the_canarys_fault() -> None:
    measured = read(Measured(), None, None, gateway_errors=0)
    # A power cut: the gateway is back first, then stable, then the canary.
    for stable_ready, ready, shown in ((False, False, 37), (True, False, 40), (True, True, 41)):
        measured = read(measured, None, None, stable_ready=stable_ready, ready=ready, gateway_errors=shown)
        assert measured.gateway_errors == 0
    # From here on both are there.
    assert read(measured, None, None, ready=False, gateway_errors=43).gateway_errors == 2
