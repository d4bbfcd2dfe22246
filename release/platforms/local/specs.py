"""``releases.yaml``: what people ask for on this machine."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from infra.local.files import write_private
from release.spec import ReleaseSpec
from release.store import StoreError

__all__ = ["generate", "parse", "read"]

_TENANT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def generate(path: Path) -> None:
    """Write the two tenants that ship, unless there is a file already."""
    if not path.exists():
        write_private(path, files(__package__).joinpath("releases.yaml").read_text())


def read(path: Path) -> dict[str, ReleaseSpec]:
    """Return the specs by tenant.

    Raises:
        StoreError: the file is missing or wrong; the message names every wrong field.
    """
    try:
        return parse(path.read_text())
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{path.name}: {error}") from error


def parse(text: str) -> dict[str, ReleaseSpec]:
    """Return the specs by tenant.

    Raises:
        ValueError: the text is not YAML, or a field is wrong; the message names each.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not document:
        raise ValueError("holds no tenants: expected `tenant: {model: …, route: …, strategy: …}`")
    specs: dict[str, ReleaseSpec] = {}
    faults: list[str] = []
    for tenant, fields in document.items():
        if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
            faults.append(f"{tenant}: is not a tenant's name (a-z, 0-9 and -, at most 63)")
            continue
        try:
            specs[tenant] = ReleaseSpec.model_validate(fields)
        except ValidationError as error:
            faults += [_sentence(tenant, fault["loc"], fault["msg"]) for fault in error.errors()]
    hosts = [host for spec in specs.values() for host in spec.route.hostnames]
    faults += [f"route.hostnames: {host} is named twice" for host in sorted({h for h in hosts if hosts.count(h) > 1})]
    if faults:
        raise ValueError("; ".join(faults))
    return specs


def _sentence(tenant: str, place: tuple[int | str, ...], message: str) -> str:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{tenant}{field}: {message.removeprefix('Value error, ')}"
