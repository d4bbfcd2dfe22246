"""Another strategy for every tenant, for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from infra.local.files import write_private
from release.platforms.local.specs import read

__all__ = ["STEPS", "by_canary", "everywhere"]

STEPS: Sequence[Mapping[str, Any]] = [{"weight": weight, "pause": "5s"} for weight in (5, 25, 50)]
# A laptop's predictors are far from equal while one of them has just started.
_ANALYSIS = {"minRequests": 50, "maxLatencyP95Ratio": 5}


@contextmanager
def by_canary(specs: Path, steps: Sequence[Mapping[str, Any]] = STEPS) -> Iterator[list[str]]:
    """Have every tenant release by canary while the body runs; yield the tenants.

    Raises:
        StoreError: the file of the releases is missing or wrong.
    """
    # Not kept: going back to the version before would need no canary, and there would be nothing to see.
    strategy = {"canary": {"steps": list(steps), "keepPrevious": "0s"}}
    with everywhere(specs, strategy=strategy, analysis=_ANALYSIS) as tenants:
        yield tenants


@contextmanager
def everywhere(specs: Path, **fields: Mapping[str, Any]) -> Iterator[list[str]]:
    """Have every tenant's release say this while the body runs; yield the tenants.

    Raises:
        StoreError: the file of the releases is missing or wrong.
    """
    tenants = list(read(specs))
    before = specs.read_text()
    document = yaml.safe_load(before)
    for tenant in tenants:
        document[tenant] |= fields
    write_private(specs, yaml.safe_dump(document, sort_keys=False))
    try:
        yield tenants
    finally:
        write_private(specs, before)
