"""The stage on which all faults are made, one after the other, and the page about them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stacks import Stack

from chaos import disk
from chaos.disk import Disk
from chaos.faults import FAULTS
from chaos.report import Row, inserted, table
from chaos.stage import Stage
from infra.local.secret import signing_key, trusted_keys
from infra.local.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    place = tmp_path_factory.mktemp("chaos")
    own = None if disk.lacking() else Disk(place)
    try:
        yield from _staged(Stack((own.folder if own else place) / "home"), own)
    finally:
        if own:
            own.remove()


def _staged(stack: Stack, own: Disk | None) -> Iterator[Stage]:
    ours = {name: value for name, value in stack.environment.items() if name.startswith("FERRYMAN_")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "MLFLOW_TRACKING_URI": stack.mlflow,
            "FERRYMAN_SIGNING_KEY": str(signing_key(stack.home)),
            "FERRYMAN_TRUSTED_KEYS": str(trusted_keys(stack.home)),
            **ours,
        }.items():
            patch.setenv(name, value)
        try:
            made = Stage(stack, Settings(), own)
            made.up()
            made.prepare()
            yield made
        finally:
            down = stack.run("infra.local", "down")
            assert down.returncode == 0, down.stderr


@pytest.fixture(scope="session")
def rows() -> Iterator[list[Row]]:
    """What was seen; with `UPDATE_DOCS=1` it is written down when every fault was made that can be made here."""
    seen: list[Row] = []
    begun, load = time.monotonic(), os.getloadavg()[0]
    yield seen
    left_out = {fault.story: why for fault in FAULTS if (why := fault.lacking())}
    if os.environ.get("UPDATE_DOCS") and len(seen) + len(left_out) == len(FAULTS):
        took = (time.monotonic() - begun) / 60
        on = f"{os.cpu_count()} cores, other work on them: a load of {load:.1f} at the beginning, {took:.0f} minutes"
        PAGE.write_text(inserted(PAGE.read_text(), table(seen, left_out, f"Seen on {on}.")))
