"""The autoscaler follows the load back in, while other tests go on."""

from __future__ import annotations

from live import Live
from pods import Load, eventually


def test_predictors_scale_in_again_once_the_load_is_over(serving: Live, scaled_out: Load) -> None:
    (version,) = scaled_out.versions
    eventually(lambda: serving.replicas("tenant-a", version) == 2, seconds=200, pause=3)
