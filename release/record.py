"""What a tenant serves and what is being done about it, kept in one file a tenant."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from infra.local.files import write_private
from infra.local.gateway import Endpoint

__all__ = ["Phase", "Record", "Serving", "read", "write"]


class Phase:
    """Where a tenant's release stands, in the design's words."""

    STABLE = "Stable"
    PROMOTING = "Promoting"
    REJECTED = "Rejected"


@dataclass(frozen=True)
class Serving:
    """One predictor that answers for a tenant."""

    version: int
    uri: str
    endpoint: Endpoint


@dataclass(frozen=True)
class Record:
    """``message`` is for a person: what happened last, and what to do about it."""

    tenant: str
    stable: Serving | None = None
    target: int | None = None
    phase: str = Phase.STABLE
    message: str = "nothing released yet"

    def at(self, phase: str, message: str, target: int | None = None) -> Record:
        """Return the record in another phase."""
        return replace(self, phase=phase, message=message, target=target)


def read(folder: Path, tenant: str) -> Record:
    """Return a tenant's record; one that was never written is empty."""
    path = folder / f"{tenant}.json"
    if not path.exists():
        return Record(tenant)
    held = json.loads(path.read_text())
    stable = held.pop("stable")
    serving = Serving(stable["version"], stable["uri"], Endpoint(**stable["endpoint"])) if stable else None
    return Record(stable=serving, **held)


def write(folder: Path, record: Record) -> None:
    """Keep a tenant's record."""
    write_private(folder / f"{record.tenant}.json", json.dumps(asdict(record), indent=2))
