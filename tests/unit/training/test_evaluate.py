from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score

from training.evaluate import expected_calibration_error, measure, measure_slices


def test_confidence_that_is_kept_has_no_error() -> None:
    # Said 0.75, right on three of four; said 0.25 of the other label just so.
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 1])
    assert expected_calibration_error(labels, np.repeat([0.75, 0.25], 4)) == pytest.approx(0)


def test_being_sure_and_wrong_half_the_time_costs_a_half() -> None:
    assert expected_calibration_error(np.array([0, 1]), np.array([1.0, 1.0])) == pytest.approx(0.5)


def test_bins_weigh_by_their_rows() -> None:
    labels = np.array([1] * 9 + [0])
    positive = np.array([1.0] * 9 + [0.6])
    # Nine rows are right and sure; the tenth is wrong with 0.6.
    assert expected_calibration_error(labels, positive) == pytest.approx(0.06)


@given(
    hnp.arrays(np.int64, 30, elements=st.integers(0, 1)),
    hnp.arrays(np.float64, 30, elements=st.floats(0, 1).filter(lambda value: value != 0.5)),
)
def test_the_error_is_a_share_and_does_not_depend_on_which_label_is_called_positive(
    labels: np.ndarray, positive: np.ndarray
) -> None:
    error = expected_calibration_error(labels, positive)
    assert 0 <= error <= 1
    # 1 - p may round across the edge of a bin, and then one row of 30 moves to the next.
    assert expected_calibration_error(1 - labels, 1 - positive) == pytest.approx(error, abs=0.1)


def test_a_model_that_knows_everything_reaches_the_best_of_each_metric() -> None:
    found = measure(np.array([0, 1, 0, 1]), np.array([0.0, 1.0, 0.0, 1.0]))
    best = {"accuracy": 1, "precision": 1, "recall": 1, "f1": 1, "roc_auc": 1, "log_loss": 0, "brier": 0, "ece": 0}
    assert found == pytest.approx(best, abs=1e-9)


def test_a_model_that_never_says_positive_is_measured_without_a_division_by_zero() -> None:
    found = measure(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.1, 0.3]))
    assert (found["accuracy"], found["precision"], found["recall"], found["f1"]) == (0.5, 0, 0, 0)


def test_one_half_counts_as_positive_as_in_the_served_label() -> None:
    assert measure(np.array([0, 1]), np.array([0.4, 0.5]))["accuracy"] == 1


def test_slices_are_measured_on_their_own_rows_and_empty_ones_left_out() -> None:
    labels, positive = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.2, 0.3])
    first = np.array([True, True, False, False])
    found = measure_slices(labels, positive, {"first": first, "rest": ~first, "none": np.zeros(4, dtype=bool)})
    assert set(found) == {"first", "rest"}
    assert (found["first"]["accuracy"], found["rest"]["accuracy"]) == (1, 0.5)
    assert found["rest"]["rows"] == 2
    assert found["first"]["accuracy"] == accuracy_score(labels[first], positive[first] >= 0.5)
