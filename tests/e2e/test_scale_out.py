"""The autoscaler follows the load out; on the way back it takes its time, so `test_scale_in` looks later."""

from __future__ import annotations

from pods import Load


def test_predictors_scale_out_under_load_without_a_lost_request(scaled_out: Load) -> None:
    assert scaled_out.total > 50
    assert scaled_out.lost == 0, scaled_out.faults
