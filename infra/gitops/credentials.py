"""New values for the store that External Secrets reads, one file a credential."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from infra.platform.credentials import Credential, platform_credentials, tenant_credential

__all__ = ["entry", "write_credentials"]


def entry(credential: Credential) -> str:
    """Return the name that a credential has in the store."""
    return f"ferryman/{credential.namespace}/{credential.name}"


def write_credentials(folder: Path, domain: str, tenants: Sequence[str]) -> list[str]:
    """Write ``<folder>/<entry>.json`` for each credential that has no file there, and return the entries written.

    Only the user who runs it can read them. They are to be moved into the store and deleted.
    """
    written = []
    for credential in (*platform_credentials(domain), *map(tenant_credential, tenants)):
        file = folder / f"{entry(credential)}.json"
        for parent in reversed(file.relative_to(folder).parents):
            (folder / parent).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(json.dumps(dict(credential.make())))
            written.append(entry(credential))
    return written
