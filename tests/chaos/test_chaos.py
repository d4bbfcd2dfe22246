"""Every fault on the laptop stack, and what holds all the same (docs/chaos.md)."""

from __future__ import annotations

import pytest

from chaos.faults import FAULTS, Fault
from chaos.invariants import broken
from chaos.report import Row, row
from chaos.scene import play
from chaos.stage import Stage

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_was_promised_holds(stage: Stage, rows: list[Row], fault: Fault) -> None:
    if why := fault.lacking():
        pytest.skip(f"NOT RUN: {fault.story}, for {why}")
    with fault.around(stage):
        seen = play(stage, fault)
    assert broken(seen, fault.loses, fault.most, fault.ends) == []
    rows.append(row(fault.story, seen))
