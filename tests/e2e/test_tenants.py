"""A third tenant takes one command, and goes with one."""

from __future__ import annotations

import pytest
from live import Live, command
from pods import eventually

from infra.platform.errors import PlatformError
from infra.platform.tenant import TENANTS


def test_a_third_tenant_is_made_serves_is_isolated_and_goes_without_the_others_noticing(
    serving: Live, third: str
) -> None:
    version = next(iter(serving.served("tenant-a")))
    serving.rollout(int(version), third)
    said = serving.ask(third)
    assert all(answer[:2] == [200, version] for answer in said.values()), said
    with pytest.raises(PlatformError, match="forbidden"):
        serving.cluster.kubectl("get", "pods", "--namespace=tenant-a", "--as=x", f"--as-group={third}:operators")
    assert command("infra.platform", "tenant", third).startswith(f"kserve/tenants/{third} is there already")


def test_deleting_a_tenant_shows_what_goes_first_and_keeps_the_models(serving: Live, third: str) -> None:
    shown = command("infra.platform", "tenant-delete", third)
    assert "Nothing was removed" in shown
    assert f"S3 user {third}-reader" in shown
    assert serving.cluster.get("namespace", third) is not None
    command("infra.platform", "tenant-delete", third, "--yes")
    eventually(lambda: serving.cluster.get("namespace", third) is None)
    assert (TENANTS / third).exists(), "the files went without being asked"
    assert serving.ask("tenant-a")["v1"][0] == 200
