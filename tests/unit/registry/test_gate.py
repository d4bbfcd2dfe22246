from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from registry.gate import FLOORS, judge, mid_p

ROWS = 1_000
LABELS = np.arange(ROWS) % 2


def scores(wrong: int, start: int = 0) -> NDArray[np.float64]:
    """Return scores that are wrong on so many rows from `start` on."""
    right = np.where(LABELS == 1, 0.9, 0.1)
    right[start : start + wrong] = 1 - right[start : start + wrong]
    return right


def test_a_good_first_model_passes_and_says_so() -> None:
    result = judge(LABELS, scores(100), 0.01, None, {})
    assert result.passed
    assert result.reason == "above every floor"
    assert result.numbers == {"accuracy": 0.9, "ece": 0.01, "rows": 1_000.0}


def test_a_model_of_shuffled_labels_fails_on_accuracy() -> None:
    result = judge(LABELS, scores(500), 0.01, None, {})
    assert not result.passed
    assert "accuracy 0.500 is below 0.700" in result.reason


def test_a_model_that_is_too_sure_fails_on_calibration() -> None:
    result = judge(LABELS, scores(100), 0.2, None, {})
    assert not result.passed
    assert result.reason == "calibration error 0.200 is above 0.100"


def test_values_on_a_floor_pass() -> None:
    wrong = round(ROWS * (1 - FLOORS.accuracy))
    assert judge(LABELS, scores(wrong), FLOORS.calibration_error, None, {}).passed


@pytest.mark.parametrize(("rows", "passed"), [(FLOORS.slice_rows, False), (FLOORS.slice_rows - 1, True)])
def test_a_slice_that_fails_counts_when_it_has_rows_enough(rows: int, passed: bool) -> None:
    result = judge(LABELS, scores(rows), 0.01, None, {"short": np.arange(ROWS) < rows})
    assert result.passed is passed
    assert ("accuracy.short" in result.numbers) is not passed


def test_the_same_model_again_is_no_worse_than_the_champion() -> None:
    result = judge(LABELS, scores(100), 0.01, scores(100), {})
    assert result.passed
    assert result.reason == "no worse than the champion"
    assert (result.numbers["lost"], result.numbers["won"], result.numbers["p_value"]) == (0, 0, 1.0)


def test_a_small_loss_that_chance_explains_passes() -> None:
    # 60 rows lost and 55 won: half a point worse, p about 0.32.
    result = judge(LABELS, scores(60, start=100), 0.01, scores(55), {})
    assert result.passed
    assert 0.2 < result.numbers["p_value"] < 0.5


def test_a_small_loss_that_chance_does_not_explain_fails() -> None:
    # Fifteen rows lost and none won: a drop within the tolerance, but no accident.
    result = judge(LABELS, scores(115), 0.01, scores(100), {})
    assert result.numbers["champion_accuracy"] - result.numbers["accuracy"] < FLOORS.largest_drop
    assert not result.passed
    assert "15 rows lost and 0 won" in result.reason


def test_a_large_drop_fails_even_where_few_rows_prove_nothing() -> None:
    labels, mine, theirs = LABELS[:100], scores(10)[:100], scores(7, start=20)[:100]
    result = judge(labels, mine, 0.01, theirs, {})
    assert result.numbers["p_value"] > FLOORS.significance
    assert not result.passed
    assert "0.030 below the champion's" in result.reason


def test_an_objection_from_outside_fails_a_perfect_model() -> None:
    result = judge(LABELS, scores(0), 0.0, None, {}, objections=["the champion cannot be loaded"])
    assert (result.passed, result.reason) == (False, "the champion cannot be loaded")


def test_every_fault_is_named() -> None:
    result = judge(LABELS, scores(500), 0.3, scores(0), {"all": np.ones(ROWS, dtype=bool)})
    assert result.reason.count(";") == 3


@given(st.integers(1, 300), st.integers(0, 500), st.integers(0, 500))
def test_losing_more_rows_to_the_champion_never_helps(more: int, lost: int, won: int) -> None:
    assert mid_p(lost + more, won) <= mid_p(lost, won)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_two_directions_share_all_chance_between_them(one: int, other: int) -> None:
    # The mid-p value counts half of what was observed on each side.
    if one + other:
        assert mid_p(one, other) + mid_p(other, one) == pytest.approx(1)


@pytest.mark.parametrize(("lost", "won", "expected"), [(1, 0, 0.25), (2, 0, 0.125), (2, 1, 0.3125), (5, 5, 0.5)])
def test_the_mid_p_value_is_that_of_the_binomial(lost: int, won: int, expected: float) -> None:
    assert mid_p(lost, won) == pytest.approx(expected)
