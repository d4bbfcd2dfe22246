"""From training to both tenants, under load."""

from __future__ import annotations

import time

import pytest
from live import TENANTS, Live
from pods import load


def test_a_version_trained_in_the_cluster_reaches_both_tenants_without_a_failed_request(serving: Live) -> None:
    before = {tenant: serving.served(tenant) for tenant in TENANTS}
    version = serving.train("--sample", "5000")
    with load(serving.host("tenant-a")) as first, load(serving.host("tenant-b")) as second:
        serving.rollout(version)
        # The last requests of the version before, and the first that nothing else answers.
        time.sleep(5)
    for tenant, counted in zip(TENANTS, (first, second), strict=True):
        assert serving.served(tenant) == {str(version)} != before[tenant]
        assert counted.total > 100
        assert counted.lost == 0, counted.faults
        assert counted.versions[str(version)] > 0
        assert set(counted.versions) == before[tenant] | {str(version)}


def test_a_version_that_is_not_there_or_did_not_pass_moves_nothing(serving: Live) -> None:
    served = serving.served("tenant-a")
    with pytest.raises(AssertionError, match="has no version 999999"):
        serving.rollout(999999)
    assert serving.served("tenant-a") == served
