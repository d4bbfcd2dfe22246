"""What the platform stands on, from the modules as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra import controllers
from infra.node import components
from infra.platform.install import _NEEDED

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="the manifests lie in Go modules; go is not on PATH")


@pytest.fixture(scope="module")
def folders() -> dict[str, Path]:
    return {found.name: controllers._module(found) for found in components.load() if found.name in controllers._USED}


def test_the_platform_finds_every_kind_that_it_asks_for(folders: dict[str, Path]) -> None:
    names = {found["metadata"]["name"] for found in controllers.definitions(folders)}
    assert set(_NEEDED) <= names


def test_each_controller_comes_once_with_upstreams_own_image(folders: dict[str, Path]) -> None:
    deployed = {
        found["metadata"]["name"]: found["spec"]["template"]["spec"]["containers"][0]["image"]
        for found in controllers.workloads(folders, with_metrics_server=True)
        if found["kind"] == "Deployment"
    }
    assert set(deployed) == {"metrics-server", "prometheus-operator", "kserve-controller-manager"}
    assert all("/" in image and ":" in image for image in deployed.values()), deployed


def test_metrics_server_is_left_out_where_somebody_else_serves_metrics(folders: dict[str, Path]) -> None:
    without = controllers.workloads(folders, with_metrics_server=False)
    assert not [found for found in without if "metrics-server" in found["metadata"]["name"]]
