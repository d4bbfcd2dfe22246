"""The autoscaler follows the load, out and back."""

from __future__ import annotations

from live import Live
from pods import eventually, load


def test_predictors_scale_out_under_load_and_back_without_a_lost_request(serving: Live) -> None:
    version = next(iter(serving.served("tenant-a")))

    def replicas() -> int:
        found = serving.cluster.get("deployment", f"sentiment-v{version}-predictor", "tenant-a")
        return int(found["spec"]["replicas"])

    def measured() -> bool:
        found = serving.cluster.get("horizontalpodautoscaler", f"sentiment-v{version}", "tenant-a")
        return any(c["type"] == "ScalingActive" and c["status"] == "True" for c in found["status"]["conditions"])

    eventually(measured, seconds=90, pause=2)
    eventually(lambda: replicas() == 2, seconds=150, pause=2)
    with load(serving.host("tenant-a"), threads=4, texts=200, pause=0.05) as counted:
        eventually(lambda: replicas() > 2, seconds=120, pause=2)
        eventually(lambda: len(serving.predictors("tenant-a")) > 2, seconds=90, pause=2)
    eventually(lambda: replicas() == 2, seconds=200, pause=3)
    assert counted.lost == 0, counted.faults
