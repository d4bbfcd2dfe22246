from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from infra.node import requirements
from infra.node.errors import NodeError


def test_elsewhere_than_on_linux_it_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NodeError, match=r"needs Linux.*kind-up"):
        requirements.check_machine()


def test_without_root_it_says_what_it_would_do_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NodeError, match="needs root: it makes namespaces"):
        requirements.check_machine()


def test_a_full_disk_is_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "BUILDING_GIB", 10**9)
    with pytest.raises(NodeError, match=f"GiB free in {tmp_path}"):
        requirements.check_disk(tmp_path, building=True)


def test_the_table_of_packages_is_read_without_its_comments() -> None:
    assert requirements.packages("# why\n\nrunc  runc\niproute2 ip\n") == {"runc": "runc", "iproute2": "ip"}
