from __future__ import annotations

from pathlib import Path

from infra.local.gateway import Endpoint
from release.follow import needs_switch
from release.record import Phase, Record, Serving, read, write

SERVING = Serving(3, "s3://released/sentiment/3-0123456789ab/", Endpoint(1, 2))


def test_a_tenant_without_a_release_is_brought_to_the_first() -> None:
    assert needs_switch(Record("tenant-a"), 1)


def test_a_tenant_that_serves_the_target_stays() -> None:
    assert not needs_switch(Record("tenant-a", SERVING), 3)


def test_a_rejected_version_waits_until_the_alias_moves() -> None:
    rejected = Record("tenant-a", SERVING).at(Phase.REJECTED, "no", 4)
    assert not needs_switch(rejected, 4)
    assert needs_switch(rejected, 5)


def test_a_switch_that_was_cut_off_is_taken_up_again() -> None:
    assert needs_switch(Record("tenant-a", SERVING).at(Phase.PROMOTING, "starting", 4), 4)


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    for record in (Record("tenant-a"), Record("tenant-a", SERVING).at(Phase.REJECTED, "why", 4)):
        write(tmp_path, record)
        assert read(tmp_path, "tenant-a") == record
